import { OF_RFC5280, crlRule } from '../../rule.js';

export const crlVersion = crlRule({
  id: 'CRL_VERSION',
  severity: 'error',
  source: 'RFC 5280 §5.1.2.1',
  profiles: OF_RFC5280,
  title: 'a CRL of version 1',
  check: ({ crl: { version } }) => (version === 2 ? [] : ['expected version 2, found version 1']),
});
