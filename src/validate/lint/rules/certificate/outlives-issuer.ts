import { isoTime } from '../../../../pki/fields.js';
import { OF_TLS, certificateRule } from '../../rule.js';
import { labelled } from '../../wording.js';

export const outlivesIssuer = certificateRule({
  id: 'OUTLIVES_ISSUER',
  severity: 'warning',
  source: 'RFC 5280 §6.1',
  profiles: OF_TLS,
  title: 'ends after the certificate of its issuer',
  check: ({ certificate: { notAfter }, issuer }) =>
    issuer !== undefined && notAfter > issuer.notAfter
      ? [`expected an end by ${isoTime(issuer.notAfter)}, when ${labelled(issuer.subject)} ends, found ${isoTime(notAfter)}`]
      : [],
});
