import { OID } from '../../../../pki/oids.js';
import { OF_RFC5280, certificateRule } from '../../rule.js';
import { criticality } from '../../values.js';

export const sanCritical = certificateRule({
  id: 'SAN_CRITICAL',
  severity: 'notice',
  source: 'RFC 5280 §4.2.1.6',
  profiles: OF_RFC5280,
  title: 'a critical subject alternative name beside a subject',
  check: ({ certificate: { subject, extensions } }) =>
    subject.attributes.length > 0 && criticality(extensions, OID.subjectAltName) === true
      ? ['expected it not to be critical, as there is a subject, found it critical']
      : [],
});
