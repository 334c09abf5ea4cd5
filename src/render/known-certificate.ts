import type { KnownCertificate } from '../authority/index.js';
import { day, left, listRow, period, row } from './inspect-lines.js';
import { mark, style } from './style.js';

/** What the ledger knows of a certificate. */
export function renderKnownCertificate(known: KnownCertificate, now: Date): string {
  const { name, namespace, profile, serial, sha256, uri, dns, ip, notBefore, notAfter, issued, issuer, renews, renewedBy, files } = known;
  return [
    `${style.strong(serial)}  ${profile === 'ca' ? 'certificate of the CA' : `${profile} certificate of`} ${name}`,
    row('status', statusInWords(known)),
    ...(uri === null ? [] : [row('identity', uri)]),
    ...listRow('names', [...dns, ...ip]),
    ...(namespace === null ? [] : [row('namespace', namespace)]),
    row('issued', `${issued.at} by ${issued.by}`),
    row('issued by', issuer.name ?? `the CA with key ${issuer.key}`),
    row('in force', `${period(notBefore, notAfter)}, ${left(notAfter, now)}`),
    ...(renews === null ? [] : [row('renews', renews)]),
    ...listRow('renewed by', renewedBy),
    row('sha256', style.dim(sha256)),
    row('file', files === null ? style.dim('not in place any more') : files.certificate),
  ].join('\n');
}

function statusInWords({ status, revoked, notAfter }: KnownCertificate): string {
  if (revoked !== null) return `${mark.bad} revoked ${revoked.at} by ${revoked.by} (${revoked.reason})`;
  if (status === 'expired') return `${mark.bad} expired ${day(notAfter)}`;
  return status === 'valid' ? `${mark.good} valid` : `${mark.none} valid, and replaced by a newer one`;
}
