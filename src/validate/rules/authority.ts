import { type Certificate, isSelfIssued } from '../../pki/certificate.js';
import type { Finding } from '../findings.js';
import { type Rule, each, finding, issuers } from './rule.js';

/** Is a certificate that issued another one a CA? */
export function checkAuthority(ca: Certificate, at: number): Finding[] {
  const findings: Finding[] = [];
  if (ca.basicConstraints?.ca !== true) {
    const found = ca.basicConstraints === undefined ? `no basic constraints (version ${ca.version})` : 'CA:FALSE';
    findings.push(finding('NOT_A_CA', ca, at, `expected CA:TRUE, found ${found}`));
  }
  if (ca.keyUsage !== undefined && !ca.keyUsage.includes('keyCertSign'))
    findings.push(finding('KEY_CERT_SIGN_MISSING', ca, at, `expected keyCertSign, found ${ca.keyUsage.join(', ') || 'none'}`));
  return findings;
}

export const authority: Rule = {
  id: 'authority',
  title: 'a CA that may sign certificates',
  source: 'RFC 5280 §6.1.4 (k), (n)',
  concerns: issuers,
  check: each(issuers, checkAuthority),
};

export const pathLength: Rule = {
  id: 'path-length',
  title: 'no more CAs below it than it allows',
  source: 'RFC 5280 §6.1.4 (l), (m)',
  concerns: issuers,
  check: ({ certificates }) => {
    const findings: Finding[] = [];
    let below = 0;
    for (let at = 1; at < certificates.length; at++) {
      const ca = certificates[at]!;
      const limit = ca.basicConstraints?.pathLength;
      if (limit !== undefined && below > limit)
        findings.push(finding('PATH_LENGTH_EXCEEDED', ca, at, `allows ${limit} CAs below it, found ${below}`));
      // self-issued certificates do not count, nor does the leaf (RFC 5280 §4.2.1.9)
      if (!isSelfIssued(ca)) below++;
    }
    return findings;
  },
};
