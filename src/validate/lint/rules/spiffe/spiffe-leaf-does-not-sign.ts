import { ONLY_SPIFFE, certificateRule } from '../../rule.js';
import { listed } from '../../wording.js';

export const spiffeLeafDoesNotSign = certificateRule({
  id: 'SPIFFE_LEAF_DOES_NOT_SIGN',
  severity: 'error',
  source: 'X509-SVID §4.3',
  profiles: ONLY_SPIFFE,
  title: 'a leaf SVID without digitalSignature',
  check: ({ certificate, isLeaf, spiffeUris }) =>
    isLeaf && spiffeUris.length > 0 && certificate.keyUsage?.includes('digitalSignature') === false
      ? [`expected digitalSignature in a leaf SVID, found ${listed(certificate.keyUsage)}`]
      : [],
});
