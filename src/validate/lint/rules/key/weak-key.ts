import { describeKey } from '../../../../pki/algorithms.js';
import { OF_RFC5280, certificateRule } from '../../rule.js';

export const weakKey = certificateRule({
  id: 'WEAK_KEY',
  severity: 'error',
  source: 'NIST SP 800-131A §3',
  profiles: OF_RFC5280,
  title: 'a key too small, or of a type nobody should use',
  check: ({ certificate: { publicKey } }) => {
    const { type, bits, curve } = publicKey;
    const expected = EXPECTED[type];
    const isWeak = type === 'RSA' ? bits < 2048 : type === 'EC' ? curve !== undefined && bits > 0 && bits < 224 : expected !== undefined;
    return isWeak ? [`expected ${expected}, found ${describeKey(publicKey)}`] : [];
  },
});

const EXPECTED: Readonly<Record<string, string>> = {
  RSA: 'RSA of at least 2048 bits',
  EC: 'a curve of at least 224 bits',
  DSA: 'an RSA, EC or EdDSA key',
  unknown: 'an RSA, EC or EdDSA key',
};
