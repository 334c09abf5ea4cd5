import { DAY, formatDuration } from '../../../../base/duration.js';
import { OF_TLS, certificateRule } from '../../rule.js';

export const lifeTooLong = certificateRule({
  id: 'LIFE_TOO_LONG',
  severity: 'warning',
  source: 'CA/Browser Forum BR §6.3.2, NIST SP 1800-16',
  profiles: OF_TLS,
  title: 'a leaf that lives longer than 398 days',
  check: ({ certificate: { notBefore, notAfter }, isLeaf }) =>
    isLeaf && notAfter - notBefore >= LONGEST * DAY
      ? [
          `expected at most ${LONGEST} days, found ${formatDuration(notAfter - notBefore)}${notAfter - notBefore > 825 * DAY ? ', more than the 825 days that Apple systems take' : ''}`,
        ]
      : [],
});

const LONGEST = 398;
