import { OF_RFC5280, certificateRule } from '../../rule.js';
import { shown } from '../../wording.js';

export const serialNegative = certificateRule({
  id: 'SERIAL_NEGATIVE',
  severity: 'error',
  source: 'RFC 5280 §4.1.2.2',
  profiles: OF_RFC5280,
  title: 'a negative serial number',
  check: ({ certificate: { serial } }) =>
    /^[89a-f]/.test(serial) ? [`expected a positive serial number, found the negative ${shown(serial)}`] : [],
});
