import { isoTime } from '../../../../pki/fields.js';
import { OF_RFC5280, certificateRule } from '../../rule.js';

export const validityOrder = certificateRule({
  id: 'VALIDITY_ORDER',
  severity: 'error',
  source: 'RFC 5280 §4.1.2.5',
  profiles: OF_RFC5280,
  title: 'ends before it begins',
  check: ({ certificate: { notBefore, notAfter } }) =>
    notAfter < notBefore ? [`expected an end after ${isoTime(notBefore)}, found ${isoTime(notAfter)}`] : [],
});
