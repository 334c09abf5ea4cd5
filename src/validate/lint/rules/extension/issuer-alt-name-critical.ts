import { OID } from '../../../../pki/oids.js';
import { OF_RFC5280, certificateRule } from '../../rule.js';
import { criticality } from '../../values.js';

export const issuerAltNameCritical = certificateRule({
  id: 'ISSUER_ALT_NAME_CRITICAL',
  severity: 'warning',
  source: 'RFC 5280 §4.2.1.7',
  profiles: OF_RFC5280,
  title: 'a critical issuer alternative name',
  check: ({ certificate: { extensions } }) =>
    criticality(extensions, OID.issuerAltName) === true ? ['expected it not to be critical, found it critical'] : [],
});
