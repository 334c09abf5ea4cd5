import { signatureName } from '../../../../pki/algorithms.js';
import { isBroken } from '../../algorithms.js';
import { OF_RFC5280, crlRule } from '../../rule.js';

export const crlWeakSignature = crlRule({
  id: 'CRL_WEAK_SIGNATURE',
  severity: 'error',
  source: 'RFC 6151, RFC 6194, RFC 9155',
  profiles: OF_RFC5280,
  title: 'a CRL signed with a digest that nobody should use',
  check: ({ crl: { signatureAlgorithm } }) =>
    isBroken(signatureAlgorithm) ? [`expected SHA-256 or better, found ${signatureName(signatureAlgorithm)}`] : [],
});
