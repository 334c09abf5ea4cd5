import { OF_TLS, certificateRule } from '../../rule.js';

export const selfSignedLeaf = certificateRule({
  id: 'SELF_SIGNED_LEAF',
  severity: 'warning',
  source: 'RFC 5280 §6.1',
  profiles: OF_TLS,
  title: 'a leaf that signed itself',
  check: ({ isSelfSigned, isLeaf }) =>
    isSelfSigned && isLeaf ? ['expected a CA to have issued it, found that it signed itself: it cannot be revoked'] : [],
});
