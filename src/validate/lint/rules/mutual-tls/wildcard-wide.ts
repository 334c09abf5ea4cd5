import { OF_TLS, certificateRule } from '../../rule.js';
import { eachOf } from '../../wording.js';

export const wildcardWide = certificateRule({
  id: 'WILDCARD_WIDE',
  severity: 'error',
  source: 'RFC 9525 §6.3 and §7.1',
  profiles: OF_TLS,
  title: 'a wildcard for a whole top-level domain, or for everything',
  check: ({ dns }) => eachOf(dns.wildcardWide, (name) => `expected a domain of at least two labels behind *., found ${name}`),
});
