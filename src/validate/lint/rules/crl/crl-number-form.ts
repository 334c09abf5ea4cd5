import { OF_RFC5280, crlRule } from '../../rule.js';
import { shown } from '../../wording.js';

export const crlNumberForm = crlRule({
  id: 'CRL_NUMBER_FORM',
  severity: 'error',
  source: 'RFC 5280 §5.2.3',
  profiles: OF_RFC5280,
  title: 'a CRL number that is negative or longer than 20 octets',
  check: ({ crl: { number } }) =>
    number !== undefined && (number.length > 40 || /^[89a-f]/.test(number))
      ? [`expected a number of at most 20 octets, not negative, found ${shown(number)}`]
      : [],
});
