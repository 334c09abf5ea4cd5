import { describeKey } from '../../pki/algorithms.js';
import type { Certificate } from '../../pki/certificate.js';
import type { Finding } from '../findings.js';
import type { VerifyRequest } from '../request.js';
import { type Rule, all, each, finding } from './rule.js';

/** Is the key of a type and size that can be relied on? */
export function checkKey(certificate: Certificate, at: number, { minRsaBits = 2048 }: VerifyRequest): Finding[] {
  const { type, bits, curve, exponent } = certificate.publicKey;
  const weak = (expected: string, found = describeKey(certificate.publicKey)): Finding[] => [
    finding('WEAK_KEY', certificate, at, `expected ${expected}, found ${found}`),
  ];
  if (type === 'RSA' && bits < minRsaBits) return weak(`RSA of at least ${minRsaBits} bits`);
  // with 1 everything is signed, with an even one nothing (RFC 8017 §3.1)
  if (type === 'RSA' && (exponent === undefined || exponent.at(-1)! % 2 === 0 || exponent[0]! >= 0x80 || exponent.equals(ONE)))
    return weak('RSA with an odd public exponent of 3 or more', `exponent ${exponent?.toString('hex', 0, 16)} (hex)`);
  // a curve that is spelled out may have any generator, whatever its field (CVE-2020-0601)
  if (type === 'EC' && (curve === undefined || bits < 224 || bits > 521)) return weak('a named curve of 224 to 521 bits');
  return type === 'DSA' || type === 'unknown' ? weak('an RSA, EC or EdDSA key') : [];
}

const ONE = Buffer.from([1]);

export const keys: Rule = {
  id: 'key',
  title: 'a key that is strong enough',
  source: 'NIST SP 800-131A, RFC 5480 §2.1.1',
  concerns: all,
  check: each(all, checkKey),
};
