import { OF_RFC5280, certificateRule } from '../../rule.js';

export const serialZero = certificateRule({
  id: 'SERIAL_ZERO',
  severity: 'error',
  source: 'RFC 5280 §4.1.2.2',
  profiles: OF_RFC5280,
  title: 'the serial number zero',
  check: ({ certificate: { serial } }) => (serial === '00' ? ['expected a positive serial number, found 0'] : []),
});
