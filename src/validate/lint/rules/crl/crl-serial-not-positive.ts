import { OF_RFC5280, crlRule } from '../../rule.js';
import { eachOf } from '../../wording.js';

export const crlSerialNotPositive = crlRule({
  id: 'CRL_SERIAL_NOT_POSITIVE',
  severity: 'error',
  source: 'RFC 5280 §4.1.2.2',
  profiles: OF_RFC5280,
  title: 'an entry whose serial number is zero or negative',
  check: ({ entries }) => eachOf(entries.notPositive, (serial) => `expected a positive serial number, found ${serial}`),
});
