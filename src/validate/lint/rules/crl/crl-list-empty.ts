import { OF_RFC5280, crlRule } from '../../rule.js';

export const crlListEmpty = crlRule({
  id: 'CRL_LIST_EMPTY',
  severity: 'error',
  source: 'RFC 5280 §5.1.2.6',
  profiles: OF_RFC5280,
  title: 'an empty list of revoked certificates, where there should be none',
  check: ({ encoding: { emptyList } }) => (emptyList ? ['expected no list when nothing is revoked, found an empty one'] : []),
});
