import { DAY, formatDuration } from '../../../../base/duration.js';
import { OF_TLS, certificateRule } from '../../rule.js';

export const caLifeTooLong = certificateRule({
  id: 'CA_LIFE_TOO_LONG',
  severity: 'notice',
  source: 'NIST SP 800-57 part 1 §5.3.6',
  profiles: OF_TLS,
  title: 'a CA that lives longer than 25 years',
  check: ({ certificate: { notBefore, notAfter }, isCa }) =>
    isCa && notAfter - notBefore > LONGEST * 366 * DAY
      ? [`expected at most ${LONGEST} years, found ${formatDuration(notAfter - notBefore)}`]
      : [],
});

const LONGEST = 25;
