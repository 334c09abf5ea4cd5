import { OF_RFC5280, crlRule } from '../../rule.js';

export const crlNumberMissing = crlRule({
  id: 'CRL_NUMBER_MISSING',
  severity: 'error',
  source: 'RFC 5280 §5.2.3',
  profiles: OF_RFC5280,
  title: 'a CRL without a number',
  check: ({ crl: { version, number } }) => (version === 2 && number === undefined ? ['expected a CRL number, found none'] : []),
});
