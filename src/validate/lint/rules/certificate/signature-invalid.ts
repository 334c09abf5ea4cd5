import { OF_RFC5280, certificateRule } from '../../rule.js';
import { labelled } from '../../wording.js';

export const signatureInvalid = certificateRule({
  id: 'SIGNATURE_INVALID',
  severity: 'error',
  source: 'RFC 5280 §6.1.3 a 1',
  profiles: OF_RFC5280,
  title: "not signed by the key of the certificate that has its issuer's name",
  check: ({ impostor }) =>
    impostor === undefined ? [] : [`expected a signature by the key of ${labelled(impostor.subject)}, found another`],
});
