import { OF_TLS, certificateRule } from '../../rule.js';

export const keySlow = certificateRule({
  id: 'KEY_SLOW',
  severity: 'notice',
  source: 'NIST SP 800-57 part 1 §5.6.1',
  profiles: OF_TLS,
  title: 'an RSA key that makes every handshake slow',
  check: ({ certificate: { publicKey }, isLeaf }) =>
    isLeaf && publicKey.type === 'RSA' && publicKey.bits > 4096
      ? [`expected at most 4096 bits, or an EC key, found RSA ${publicKey.bits}: its signatures take many times as long`]
      : [],
});
