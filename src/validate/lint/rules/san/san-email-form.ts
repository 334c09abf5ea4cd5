import { isMailbox } from '../../hosts.js';
import { OF_RFC5280, certificateRule } from '../../rule.js';
import { sampleOf } from '../../sample.js';
import { eachOf } from '../../wording.js';

export const sanEmailForm = certificateRule({
  id: 'SAN_EMAIL_FORM',
  severity: 'error',
  source: 'RFC 5280 §4.2.1.6, RFC 5321 §4.1.2',
  profiles: OF_RFC5280,
  title: 'an e-mail address that is none',
  check: ({ certificate: { subjectAltName } }) =>
    eachOf(
      sampleOf(subjectAltName.email, (email) => !isMailbox(email)),
      (email) => `expected local-part@domain, found ${email}`,
    ),
});
