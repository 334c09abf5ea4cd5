import { OID, oidName } from '../../../../pki/oids.js';
import { OF_RFC5280, certificateRule } from '../../rule.js';
import { criticality } from '../../values.js';

export const accessCritical = certificateRule({
  id: 'ACCESS_CRITICAL',
  severity: 'error',
  source: 'RFC 5280 §4.2.2.1 and §4.2.2.2',
  profiles: OF_RFC5280,
  title: 'a critical authority or subject information access',
  check: ({ certificate: { extensions } }) =>
    [OID.authorityInfoAccess, OID.subjectInfoAccess]
      .filter((oid) => criticality(extensions, oid) === true)
      .map((oid) => `expected ${oidName(oid)} not to be critical, found it critical`),
});
