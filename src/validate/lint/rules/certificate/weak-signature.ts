import { signatureName } from '../../../../pki/algorithms.js';
import { isBroken } from '../../algorithms.js';
import { OF_RFC5280, certificateRule } from '../../rule.js';

/** A root is trusted as it is, whatever its own signature rests on. */
export const weakSignature = certificateRule({
  id: 'WEAK_SIGNATURE',
  severity: 'error',
  source: 'RFC 6151, RFC 6194, RFC 9155',
  profiles: OF_RFC5280,
  title: 'signed with a digest that nobody should use',
  check: ({ certificate: { signatureAlgorithm }, isSelfSigned }) =>
    isBroken(signatureAlgorithm) && !isSelfSigned ? [`expected SHA-256 or better, found ${signatureName(signatureAlgorithm)}`] : [],
});
