import { formatDuration } from '../../../../base/duration.js';
import { isoTime } from '../../../../pki/fields.js';
import { OF_TLS, crlRule } from '../../rule.js';

export const crlExpired = crlRule({
  id: 'CRL_EXPIRED',
  severity: 'warning',
  source: 'RFC 5280 §5.1.2.5',
  profiles: OF_TLS,
  title: 'a stale CRL',
  check: ({ crl: { nextUpdate }, at }) =>
    nextUpdate !== undefined && at > nextUpdate
      ? [`expected a next update after ${isoTime(at)}, found ${isoTime(nextUpdate)}, ${formatDuration(at - nextUpdate)} before`]
      : [],
});
