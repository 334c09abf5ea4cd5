import { TAG } from '../../../../pki/der.js';
import { isoTime } from '../../../../pki/fields.js';
import { OF_RFC5280, certificateRule } from '../../rule.js';
import { isUtcTime } from '../../times.js';

export const timeEncoding = certificateRule({
  id: 'TIME_ENCODING',
  severity: 'error',
  source: 'RFC 5280 §4.1.2.5',
  profiles: OF_RFC5280,
  title: 'a GeneralizedTime for a date before 2050',
  check: ({ certificate: { notBefore, notAfter }, encoding: { timeTags } }) =>
    [notBefore, notAfter].flatMap((time, i) =>
      timeTags[i] === TAG.generalizedTime && isUtcTime(time) ? [`expected a UTCTime, found a GeneralizedTime of ${isoTime(time)}`] : [],
    ),
});
