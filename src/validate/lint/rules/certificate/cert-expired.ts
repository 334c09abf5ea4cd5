import { formatDuration } from '../../../../base/duration.js';
import { isoTime } from '../../../../pki/fields.js';
import { OF_TLS, certificateRule } from '../../rule.js';

export const certExpired = certificateRule({
  id: 'CERT_EXPIRED',
  severity: 'notice',
  source: 'RFC 5280 §4.1.2.5',
  profiles: OF_TLS,
  title: 'out of date',
  check: ({ certificate: { notAfter }, at }) =>
    at > notAfter + SECOND
      ? [`expected an end after ${isoTime(at)}, found ${isoTime(notAfter)}, ${formatDuration(at - notAfter)} before`]
      : [],
});

/** The end counts, and it has a second. */
const SECOND = 999;
