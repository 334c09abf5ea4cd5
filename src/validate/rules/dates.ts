import { formatDuration } from '../../base/duration.js';
import type { Certificate } from '../../pki/certificate.js';
import type { Finding } from '../findings.js';
import type { VerifyRequest } from '../request.js';
import { type Rule, all, each, finding, iso } from './rule.js';

/** Both ends are inclusive (RFC 5280 §4.1.2.5), to the second. */
export function checkDates(certificate: Certificate, at: number, request: VerifyRequest): Finding[] {
  const { notBefore, notAfter } = certificate;
  const now = Math.floor(request.at.getTime() / 1000) * 1000;
  if (now > notAfter)
    return [finding('CERT_EXPIRED', certificate, at, `ended ${iso(notAfter)}, ${formatDuration(now - notAfter)} before ${iso(now)}`)];
  if (now < notBefore)
    return [
      finding('CERT_NOT_YET_VALID', certificate, at, `begins ${iso(notBefore)}, ${formatDuration(notBefore - now)} after ${iso(now)}`),
    ];
  return [];
}

export const dates: Rule = {
  id: 'dates',
  title: 'in force',
  source: 'RFC 5280 §6.1.3 (a)(2)',
  concerns: all,
  check: each(all, checkDates),
};
