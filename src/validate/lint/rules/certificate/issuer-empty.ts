import { OF_RFC5280, certificateRule } from '../../rule.js';

export const issuerEmpty = certificateRule({
  id: 'ISSUER_EMPTY',
  severity: 'error',
  source: 'RFC 5280 §4.1.2.4',
  profiles: OF_RFC5280,
  title: 'an issuer without a name',
  check: ({ certificate: { issuer } }) => (issuer.attributes.length === 0 ? ['expected the name of an issuer, found an empty one'] : []),
});
