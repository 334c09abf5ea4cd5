import { OF_SPIFFE, certificateRule } from '../../rule.js';
import { listed } from '../../wording.js';

export const spiffeUriNotAlone = certificateRule({
  id: 'SPIFFE_URI_NOT_ALONE',
  severity: 'error',
  source: 'X509-SVID §2',
  profiles: OF_SPIFFE,
  title: 'more than one URI beside a SPIFFE ID',
  check: ({ certificate, spiffeUris }) => {
    const { uri } = certificate.subjectAltName;
    return spiffeUris.length > 0 && uri.length > 1 ? [`expected exactly one URI, found ${uri.length}: ${listed(uri)}`] : [];
  },
});
