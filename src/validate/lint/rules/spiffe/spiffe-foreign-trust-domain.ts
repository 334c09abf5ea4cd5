import { parseSpiffeId } from '../../../identity.js';
import { OF_SPIFFE, certificateRule } from '../../rule.js';
import { spiffeUrisOf } from '../../spiffe.js';
import { shown } from '../../wording.js';

export const spiffeForeignTrustDomain = certificateRule({
  id: 'SPIFFE_FOREIGN_TRUST_DOMAIN',
  severity: 'warning',
  source: 'X509-SVID §3.2',
  profiles: OF_SPIFFE,
  title: "a trust domain that is not its issuer's",
  check: ({ spiffeUris, issuer }) => {
    if (issuer === undefined) return [];
    const [own, theirs] = [spiffeUris, spiffeUrisOf(issuer)].map((uris) => parseSpiffeId(uris[0] ?? '')?.trustDomain);
    return own !== undefined && theirs !== undefined && own !== theirs
      ? [`expected the trust domain ${shown(theirs)} of its issuer, found ${shown(own)}`]
      : [];
  },
});
