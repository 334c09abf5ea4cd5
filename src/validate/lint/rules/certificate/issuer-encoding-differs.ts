import { OF_RFC5280, certificateRule } from '../../rule.js';
import { labelled } from '../../wording.js';

/** Validators that compare octets find no path. */
export const issuerEncodingDiffers = certificateRule({
  id: 'ISSUER_ENCODING_DIFFERS',
  severity: 'warning',
  source: 'RFC 5280 §4.1.2.4 and §4.1.2.6',
  profiles: OF_RFC5280,
  title: 'names its issuer in another encoding than the issuer itself',
  check: ({ certificate, issuer }) =>
    issuer !== undefined && !certificate.issuer.der.equals(issuer.subject.der)
      ? [`expected the octets of the subject of ${labelled(issuer.subject)}, found the same name written differently`]
      : [],
});
