import { OF_SPIFFE, certificateRule } from '../../rule.js';
import { spiffePathOf } from '../../spiffe.js';
import { shown } from '../../wording.js';

export const spiffeLeafWithoutPath = certificateRule({
  id: 'SPIFFE_LEAF_WITHOUT_PATH',
  severity: 'error',
  source: 'X509-SVID §3.1',
  profiles: OF_SPIFFE,
  title: 'a leaf whose SPIFFE ID has no path',
  check: ({ spiffeUris, isLeaf }) =>
    isLeaf && isWithoutPath(spiffePathOf(spiffeUris)) ? [`expected a path behind the trust domain, found ${shown(spiffeUris[0]!)}`] : [],
});

const isWithoutPath = (path: string | undefined): boolean => path === '' || path === '/';
