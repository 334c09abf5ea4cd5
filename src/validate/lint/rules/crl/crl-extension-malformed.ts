import { OF_RFC5280, crlRule } from '../../rule.js';

export const crlExtensionMalformed = crlRule({
  id: 'CRL_EXTENSION_MALFORMED',
  severity: 'error',
  source: 'RFC 5280 §5.2',
  profiles: OF_RFC5280,
  title: 'the value of an extension of a CRL that is not what its definition says',
  check: ({ faults }) => faults.map((fault) => `expected a value as RFC 5280 defines it, found ${fault}`),
});
