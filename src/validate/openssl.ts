import { X509Certificate } from 'node:crypto';
import type { Certificate } from '../pki/certificate.js';
import { labelOf } from '../pki/name.js';
import type { Finding } from './findings.js';

/**
 * OpenSSL's verdict on a path that our rules accept: each certificate readable, and issued and signed by the next one.
 * A second pair of eyes: what this finds, our rules should have found.
 */
export function refusedByOpenssl(path: readonly Certificate[]): Finding[] {
  const theirs: X509Certificate[] = [];
  for (const certificate of path) {
    try {
      theirs.push(new X509Certificate(certificate.der));
    } catch {
      return [refused(certificate, 'OpenSSL cannot read it')];
    }
  }
  for (const [i, certificate] of path.slice(0, -1).entries()) {
    const [mine, issuer] = [theirs[i]!, theirs[i + 1]!];
    if (!mine.checkIssued(issuer)) return [refused(certificate, `OpenSSL says that ${labelOf(path[i + 1]!.subject)} did not issue it`)];
    if (!mine.verify(issuer.publicKey)) return [refused(certificate, 'OpenSSL refuses its signature')];
  }
  return [];
}

const refused = (certificate: Certificate, message: string): Finding => {
  const subject = labelOf(certificate.subject);
  return { code: 'REFUSED_BY_OPENSSL', message: `${subject}: ${message}`, subject };
};
