import { OF_RFC5280, certificateRule } from '../../rule.js';
import { shown } from '../../wording.js';

export const akiOfAnother = certificateRule({
  id: 'AKI_OF_ANOTHER',
  severity: 'error',
  source: 'RFC 5280 §4.2.1.1',
  profiles: OF_RFC5280,
  title: "an authority key identifier that is not its issuer's",
  check: ({ certificate, issuer, isSelfSigned }) => {
    const expected = isSelfSigned ? certificate.subjectKeyId : issuer?.subjectKeyId;
    const found = certificate.authorityKeyId;
    return expected === undefined || found === undefined || expected === found
      ? []
      : [`expected ${shown(expected)}, the key identifier of its issuer, found ${shown(found)}`];
  },
});
