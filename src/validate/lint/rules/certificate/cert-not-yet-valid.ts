import { formatDuration } from '../../../../base/duration.js';
import { isoTime } from '../../../../pki/fields.js';
import { OF_TLS, certificateRule } from '../../rule.js';

export const certNotYetValid = certificateRule({
  id: 'CERT_NOT_YET_VALID',
  severity: 'notice',
  source: 'RFC 5280 §4.1.2.5',
  profiles: OF_TLS,
  title: 'its time has not come',
  check: ({ certificate: { notBefore }, at }) =>
    at < notBefore
      ? [`expected a beginning before ${isoTime(at)}, found ${isoTime(notBefore)}, ${formatDuration(notBefore - at)} after`]
      : [],
});
