import { OID } from '../../../../pki/oids.js';
import { OF_RFC5280, certificateRule } from '../../rule.js';
import { criticality } from '../../values.js';

export const freshestCrlCritical = certificateRule({
  id: 'FRESHEST_CRL_CRITICAL',
  severity: 'error',
  source: 'RFC 5280 §4.2.1.15',
  profiles: OF_RFC5280,
  title: 'a critical freshest CRL',
  check: ({ certificate: { extensions } }) =>
    criticality(extensions, OID.freshestCrl) === true ? ['expected it not to be critical, found it critical'] : [],
});
