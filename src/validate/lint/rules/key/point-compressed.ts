import { OF_TLS, certificateRule } from '../../rule.js';

export const pointCompressed = certificateRule({
  id: 'POINT_COMPRESSED',
  severity: 'warning',
  source: 'RFC 5480 §2.2, RFC 8422 §5.1.2',
  profiles: OF_TLS,
  title: 'a point in the compressed form',
  check: ({ certificate: { publicKey } }) =>
    publicKey.type === 'EC' && (publicKey.key[0] === 2 || publicKey.key[0] === 3)
      ? ['expected the point with both of its coordinates, found it compressed, which many TLS libraries do not take']
      : [],
});
