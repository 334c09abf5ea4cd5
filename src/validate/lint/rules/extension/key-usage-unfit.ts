import { describeKey } from '../../../../pki/algorithms.js';
import { OF_RFC5280, certificateRule } from '../../rule.js';

export const keyUsageUnfit = certificateRule({
  id: 'KEY_USAGE_UNFIT',
  severity: 'error',
  source: 'RFC 8813 §3, RFC 8410 §5, RFC 3279 §2.3.1',
  profiles: OF_RFC5280,
  title: 'a key usage that the key is not able to',
  check: ({ certificate: { keyUsage = [], publicKey } }) => {
    const unable = UNABLE[publicKey.type] ?? [];
    const found = keyUsage.filter((usage) => unable.includes(usage));
    return found.length > 0 ? [`expected usages of a key ${describeKey(publicKey)}, found ${found.join(', ')}`] : [];
  },
});

const SIGNS_ONLY = ['keyEncipherment', 'dataEncipherment', 'keyAgreement', 'encipherOnly', 'decipherOnly'];
const UNABLE: Readonly<Record<string, readonly string[]>> = {
  RSA: ['keyAgreement', 'encipherOnly', 'decipherOnly'],
  EC: ['keyEncipherment', 'dataEncipherment'],
  Ed25519: SIGNS_ONLY,
  Ed448: SIGNS_ONLY,
  DSA: SIGNS_ONLY,
};
