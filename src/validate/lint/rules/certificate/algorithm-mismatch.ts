import { signatureName } from '../../../../pki/algorithms.js';
import { OF_RFC5280, certificateRule } from '../../rule.js';

export const algorithmMismatch = certificateRule({
  id: 'ALGORITHM_MISMATCH',
  severity: 'error',
  source: 'RFC 5280 §4.1.1.2',
  profiles: OF_RFC5280,
  title: 'the algorithm inside and outside of the signed part differ',
  check: ({ certificate: { innerAlgorithm, signatureAlgorithm } }) =>
    innerAlgorithm.der.equals(signatureAlgorithm.der)
      ? []
      : [
          `expected the same algorithm twice, found ${signatureName(innerAlgorithm)} inside and ${signatureName(signatureAlgorithm)} outside`,
        ],
});
