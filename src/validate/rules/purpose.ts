import type { Certificate } from '../../pki/certificate.js';
import { OID, oidName } from '../../pki/oids.js';
import type { Finding } from '../findings.js';
import type { Purpose } from '../request.js';
import { type Rule, all, finding } from './rule.js';

const PURPOSES = { server: OID.serverAuth, client: OID.clientAuth } as const;
/** Key usages that let a key take part in a handshake of TLS 1.2 or 1.3. */
const HANDSHAKE_USAGES = {
  server: ['digitalSignature', 'keyEncipherment', 'keyAgreement'],
  client: ['digitalSignature', 'keyAgreement'],
} as const;

/** A CA that names purposes issues for these and no others: nested, as every validator has it. */
export const extendedKeyUsage: Rule = {
  id: 'extended-key-usage',
  title: 'for this purpose',
  source: 'RFC 5280 §4.2.1.12',
  concerns: (path, { purpose }) => (purpose === undefined ? [] : all(path)),
  check: ({ certificates }, { purpose }) =>
    purpose === undefined ? [] : certificates.flatMap((certificate, at) => checkExtendedKeyUsage(certificate, at, purpose)),
};

export function checkExtendedKeyUsage(certificate: Certificate, at: number, purpose: Purpose): Finding[] {
  const { extendedKeyUsage: purposes } = certificate;
  if (purposes === undefined || purposes.includes(PURPOSES[purpose]) || purposes.includes(OID.anyExtendedKeyUsage)) return [];
  const message = `expected ${oidName(PURPOSES[purpose])}, found ${purposes.map(oidName).join(', ')}`;
  return [finding('EXTENDED_KEY_USAGE', certificate, at, message)];
}

export const keyUsage: Rule = {
  id: 'key-usage',
  title: 'a key that may shake hands',
  source: 'RFC 5280 §4.2.1.3',
  concerns: (_, { purpose }) => (purpose === undefined ? [] : [0]),
  check: ({ certificates }, { purpose }) => {
    const [leaf] = certificates;
    const usages = leaf?.keyUsage;
    if (purpose === undefined || usages === undefined || HANDSHAKE_USAGES[purpose].some((usage) => usages.includes(usage))) return [];
    const message = `expected ${HANDSHAKE_USAGES[purpose].join(' or ')}, found ${usages.join(', ') || 'none'}`;
    return [finding('KEY_USAGE', leaf!, 0, message)];
  },
};
