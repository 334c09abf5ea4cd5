import { OF_RFC5280, crlRule } from '../../rule.js';

export const crlNextUpdateMissing = crlRule({
  id: 'CRL_NEXT_UPDATE_MISSING',
  severity: 'error',
  source: 'RFC 5280 §5.1.2.5',
  profiles: OF_RFC5280,
  title: 'a CRL that does not say when the next one comes',
  check: ({ crl: { nextUpdate } }) => (nextUpdate === undefined ? ['expected a next update, found none'] : []),
});
