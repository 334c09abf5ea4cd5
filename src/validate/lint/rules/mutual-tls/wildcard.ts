import { OF_TLS, certificateRule } from '../../rule.js';
import { eachOf } from '../../wording.js';

export const wildcard = certificateRule({
  id: 'WILDCARD',
  severity: 'warning',
  source: 'RFC 9525 §7.1',
  profiles: OF_TLS,
  title: 'a wildcard: whoever has its key is every host of the domain',
  check: ({ dns }) => eachOf(dns.wildcard, (name) => `expected the names of one service, found ${name}`),
});
