import { OF_TLS, certificateRule } from '../../rule.js';
import { eachOf } from '../../wording.js';

export const wildcardMisplaced = certificateRule({
  id: 'WILDCARD_MISPLACED',
  severity: 'error',
  source: 'RFC 9525 §6.3',
  profiles: OF_TLS,
  title: 'a wildcard that is not the whole left-most label, and that alone',
  check: ({ dns }) =>
    eachOf(dns.wildcardMisplaced, (name) => `expected *. and then a name without a wildcard, found ${name}, which matches nothing`),
});
