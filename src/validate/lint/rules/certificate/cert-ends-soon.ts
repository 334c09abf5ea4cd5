import { DAY, formatDuration } from '../../../../base/duration.js';
import { isoTime } from '../../../../pki/fields.js';
import { OF_TLS, certificateRule } from '../../rule.js';

/** Soon is within 30 days, and within the last third of its life: a certificate of a day is renewed every day. */
export const certEndsSoon = certificateRule({
  id: 'CERT_ENDS_SOON',
  severity: 'notice',
  source: 'NIST SP 1800-16',
  profiles: OF_TLS,
  title: 'ends soon',
  check: ({ certificate: { notBefore, notAfter }, at }) => {
    const left = notAfter - at;
    const isSoon = left >= 0 && left < 30 * DAY && left < (notAfter - notBefore) / 3;
    return isSoon
      ? [`expected more than a third of its life or 30 days to be left, found ${formatDuration(left)}, until ${isoTime(notAfter)}`]
      : [];
  },
});
