import { OID } from '../../../../pki/oids.js';
import { attributesOf } from '../../attributes.js';
import { OF_RFC5280, certificateRule } from '../../rule.js';
import { listed, shown } from '../../wording.js';

export const dnEmailNotInSan = certificateRule({
  id: 'DN_EMAIL_NOT_IN_SAN',
  severity: 'error',
  source: 'RFC 5280 §4.1.2.6',
  profiles: OF_RFC5280,
  title: 'an e-mail address in the subject that is not in the subject alternative name',
  check: ({ certificate: { subject, subjectAltName } }) =>
    attributesOf(
      subject,
      ({ type, value }) => type === OID.emailAddress && !subjectAltName.email.includes(value),
      ({ value }) => `expected ${shown(value)} in the subject alternative name, found ${listed(subjectAltName.email)}`,
    ),
});
