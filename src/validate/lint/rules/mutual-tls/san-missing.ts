import { OID } from '../../../../pki/oids.js';
import { isForTls } from '../../roles.js';
import { ONLY_MTLS, certificateRule } from '../../rule.js';
import { criticality } from '../../values.js';

export const sanMissing = certificateRule({
  id: 'SAN_MISSING',
  severity: 'error',
  source: 'RFC 9525 §2',
  profiles: ONLY_MTLS,
  title: 'a leaf without a subject alternative name: it names nobody',
  check: ({ certificate: { extensions, extendedKeyUsage }, isLeaf }) =>
    isLeaf && isForTls(extendedKeyUsage) && criticality(extensions, OID.subjectAltName) === undefined
      ? ['expected a subject alternative name, found none: the common name is not looked at']
      : [],
});
