import { OF_SPIFFE, certificateRule } from '../../rule.js';
import { spiffePathOf } from '../../spiffe.js';
import { shown } from '../../wording.js';

export const spiffeCaWithPath = certificateRule({
  id: 'SPIFFE_CA_WITH_PATH',
  severity: 'error',
  source: 'X509-SVID §3.2',
  profiles: OF_SPIFFE,
  title: 'a CA whose SPIFFE ID has a path',
  check: ({ spiffeUris, isCa }) => {
    const path = spiffePathOf(spiffeUris);
    return isCa && path !== undefined && path.length > 1
      ? [`expected the ID of a trust domain in a CA, found the path ${shown(path)}`]
      : [];
  },
});
