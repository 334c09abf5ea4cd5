import { OID } from '../../../../pki/oids.js';
import { OF_RFC5280, certificateRule } from '../../rule.js';
import { criticality } from '../../values.js';

export const emptySubjectWithoutCriticalSan = certificateRule({
  id: 'EMPTY_SUBJECT_WITHOUT_CRITICAL_SAN',
  severity: 'error',
  source: 'RFC 5280 §4.1.2.6 and §4.2.1.6',
  profiles: OF_RFC5280,
  title: 'an empty subject, and no critical subject alternative name',
  check: ({ certificate: { subject, extensions } }) => {
    const critical = criticality(extensions, OID.subjectAltName);
    if (subject.attributes.length > 0 || critical === true) return [];
    return [`expected a critical subject alternative name, found ${critical === undefined ? 'none' : 'one that is not critical'}`];
  },
});
