import { OID } from '../../../../pki/oids.js';
import { OF_TLS, certificateRule } from '../../rule.js';

export const ekuAny = certificateRule({
  id: 'EKU_ANY',
  severity: 'warning',
  source: 'RFC 5280 §4.2.1.12, CA/Browser Forum BR §7.1.2.7.10',
  profiles: OF_TLS,
  title: 'a leaf that says any purpose',
  check: ({ certificate: { extendedKeyUsage }, isLeaf }) =>
    isLeaf && extendedKeyUsage?.includes(OID.anyExtendedKeyUsage) === true
      ? ['expected the purposes that it is used for, found anyExtendedKeyUsage: it is good for everything']
      : [],
});
