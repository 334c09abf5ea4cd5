import { DAY, formatDuration } from '../../../../base/duration.js';
import { OF_TLS, crlRule } from '../../rule.js';

export const crlLifeTooLong = crlRule({
  id: 'CRL_LIFE_TOO_LONG',
  severity: 'warning',
  source: 'CA/Browser Forum BR §4.9.7',
  profiles: OF_TLS,
  title: 'a CRL for more than a year',
  check: ({ crl: { thisUpdate, nextUpdate } }) =>
    nextUpdate !== undefined && nextUpdate - thisUpdate > 366 * DAY
      ? [
          `expected a next update within a year, found one after ${formatDuration(nextUpdate - thisUpdate)}: what is revoked in between may stay unknown so long`,
        ]
      : [],
});
