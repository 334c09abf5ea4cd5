import { formatDuration } from '../../../../base/duration.js';
import { isoTime } from '../../../../pki/fields.js';
import { OF_TLS, crlRule } from '../../rule.js';

export const crlNotYetValid = crlRule({
  id: 'CRL_NOT_YET_VALID',
  severity: 'notice',
  source: 'RFC 5280 §5.1.2.4',
  profiles: OF_TLS,
  title: 'a CRL whose time has not come',
  check: ({ crl: { thisUpdate }, at }) =>
    at < thisUpdate
      ? [`expected an update before ${isoTime(at)}, found ${isoTime(thisUpdate)}, ${formatDuration(thisUpdate - at)} after`]
      : [],
});
