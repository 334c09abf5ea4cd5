import { ONLY_SPIFFE, certificateRule } from '../../rule.js';
import { listed } from '../../wording.js';

export const spiffeIdMissing = certificateRule({
  id: 'SPIFFE_ID_MISSING',
  severity: 'error',
  source: 'X509-SVID §2',
  profiles: ONLY_SPIFFE,
  title: 'a leaf without a SPIFFE ID',
  check: ({ certificate, isLeaf, spiffeUris }) =>
    isLeaf && spiffeUris.length === 0 ? [`expected a URI spiffe://trust-domain/path, found ${listed(certificate.subjectAltName.uri)}`] : [],
});
