import { OF_RFC5280, certificateRule } from '../../rule.js';

export const uniqueId = certificateRule({
  id: 'UNIQUE_ID',
  severity: 'error',
  source: 'RFC 5280 §4.1.2.8',
  profiles: OF_RFC5280,
  title: 'a unique identifier of its issuer or subject',
  check: ({ encoding: { uniqueIds } }) =>
    uniqueIds.map((id) => `expected no unique identifiers, found one of the ${id === 1 ? 'issuer' : 'subject'}`),
});
