import { OID } from '../../../../pki/oids.js';
import { OF_RFC5280, crlRule } from '../../rule.js';
import { criticality } from '../../values.js';

export const crlFreshestWrong = crlRule({
  id: 'CRL_FRESHEST_WRONG',
  severity: 'error',
  source: 'RFC 5280 §5.2.6',
  profiles: OF_RFC5280,
  title: 'a freshest CRL that is critical, or in a delta CRL',
  check: ({ crl: { extensions }, isDelta }) => {
    const critical = criticality(extensions, OID.freshestCrl);
    if (critical === undefined || (!critical && !isDelta)) return [];
    return [`expected it not to be critical, and not in a delta CRL, found it ${critical ? 'critical' : 'in a delta CRL'}`];
  },
});
