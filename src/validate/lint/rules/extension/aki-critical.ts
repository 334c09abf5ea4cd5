import { OID } from '../../../../pki/oids.js';
import { OF_RFC5280, certificateRule } from '../../rule.js';
import { criticality } from '../../values.js';

export const akiCritical = certificateRule({
  id: 'AKI_CRITICAL',
  severity: 'error',
  source: 'RFC 5280 §4.2.1.1',
  profiles: OF_RFC5280,
  title: 'a critical authority key identifier',
  check: ({ certificate: { extensions } }) =>
    criticality(extensions, OID.authorityKeyIdentifier) === true ? ['expected it not to be critical, found it critical'] : [],
});
