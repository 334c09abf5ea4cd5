import { isSelfIssued } from '../../../../pki/certificate.js';
import { OF_RFC5280, chainRule } from '../../rule.js';
import { labelled } from '../../wording.js';

export const pathLengthExceeded = chainRule({
  id: 'PATH_LENGTH_EXCEEDED',
  severity: 'error',
  source: 'RFC 5280 §4.2.1.9 and §6.1.4 l',
  profiles: OF_RFC5280,
  title: 'more CAs below a CA than its path length allows',
  check: ({ path }) => {
    let below = 0;
    return path.slice(1).flatMap((ca) => {
      const limit = ca.basicConstraints?.pathLength;
      const found =
        limit !== undefined && below > limit ? [`expected at most ${limit} CAs below ${labelled(ca.subject)}, found ${below}`] : [];
      // self-issued certificates do not count
      if (!isSelfIssued(ca)) below++;
      return found;
    });
  },
});
