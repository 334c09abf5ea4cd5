import { OID } from '../../../../pki/oids.js';
import { OF_RFC5280, certificateRule } from '../../rule.js';
import { criticality } from '../../values.js';

export const ekuAnyCritical = certificateRule({
  id: 'EKU_ANY_CRITICAL',
  severity: 'warning',
  source: 'RFC 5280 §4.2.1.12',
  profiles: OF_RFC5280,
  title: 'a critical extended key usage that says any',
  check: ({ certificate: { extendedKeyUsage, extensions } }) =>
    extendedKeyUsage?.includes(OID.anyExtendedKeyUsage) === true && criticality(extensions, OID.extendedKeyUsage) === true
      ? ['expected anyExtendedKeyUsage in an extension that is not critical, found it critical']
      : [],
});
