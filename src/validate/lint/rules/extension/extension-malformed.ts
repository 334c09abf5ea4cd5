import { OF_RFC5280, certificateRule } from '../../rule.js';

export const extensionMalformed = certificateRule({
  id: 'EXTENSION_MALFORMED',
  severity: 'error',
  source: 'RFC 5280 §4.2',
  profiles: OF_RFC5280,
  title: 'the value of an extension that is not what its definition says',
  check: ({ faults }) => faults.map((fault) => `expected a value as RFC 5280 defines it, found ${fault}`),
});
