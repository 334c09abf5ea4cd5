import { OF_RFC5280, crlRule } from '../../rule.js';

export const crlIssuerEmpty = crlRule({
  id: 'CRL_ISSUER_EMPTY',
  severity: 'error',
  source: 'RFC 5280 §5.1.2.3',
  profiles: OF_RFC5280,
  title: 'a CRL whose issuer has no name',
  check: ({ crl: { issuer } }) => (issuer.attributes.length === 0 ? ['expected the name of an issuer, found an empty one'] : []),
});
