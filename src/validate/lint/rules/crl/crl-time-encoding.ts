import { TAG } from '../../../../pki/der.js';
import { isoTime } from '../../../../pki/fields.js';
import { OF_RFC5280, crlRule } from '../../rule.js';
import { isUtcTime } from '../../times.js';

export const crlTimeEncoding = crlRule({
  id: 'CRL_TIME_ENCODING',
  severity: 'error',
  source: 'RFC 5280 §5.1.2.4 and §5.1.2.5',
  profiles: OF_RFC5280,
  title: 'a GeneralizedTime for a date before 2050 in a CRL',
  check: ({ crl: { thisUpdate, nextUpdate }, encoding: { timeTags } }) =>
    [thisUpdate, nextUpdate].flatMap((time, i) =>
      time !== undefined && timeTags[i] === TAG.generalizedTime && isUtcTime(time)
        ? [`expected a UTCTime, found a GeneralizedTime of ${isoTime(time)}`]
        : [],
    ),
});
