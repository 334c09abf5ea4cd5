import { OF_RFC5280, certificateRule } from '../../rule.js';

export const serialTooLong = certificateRule({
  id: 'SERIAL_TOO_LONG',
  severity: 'error',
  source: 'RFC 5280 §4.1.2.2',
  profiles: OF_RFC5280,
  title: 'a serial number of more than 20 octets',
  check: ({ certificate: { serial } }) =>
    serial.length > 40 ? [`expected a serial number of at most 20 octets, found ${serial.length / 2}`] : [],
});
