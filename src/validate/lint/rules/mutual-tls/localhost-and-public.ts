import { ONLY_MTLS, certificateRule } from '../../rule.js';
import { shown } from '../../wording.js';

export const localhostAndPublic = certificateRule({
  id: 'LOCALHOST_AND_PUBLIC',
  severity: 'warning',
  source: 'RFC 6761 §6.3, CA/Browser Forum BR §4.2.2',
  profiles: ONLY_MTLS,
  title: 'localhost in a certificate for a public name',
  check: ({ dns }) =>
    dns.localhost.count > 0 && dns.publicName.count > 0
      ? [
          `expected localhost in certificates of its own, found it beside ${shown(dns.publicName.first[0]!)}: whoever has the key there is every machine here`,
        ]
      : [],
});
