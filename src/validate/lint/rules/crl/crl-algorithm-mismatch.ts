import { signatureName } from '../../../../pki/algorithms.js';
import { OF_RFC5280, crlRule } from '../../rule.js';

export const crlAlgorithmMismatch = crlRule({
  id: 'CRL_ALGORITHM_MISMATCH',
  severity: 'error',
  source: 'RFC 5280 §5.1.1.2',
  profiles: OF_RFC5280,
  title: 'the algorithm inside and outside of the signed part of a CRL differ',
  check: ({ crl: { innerAlgorithm, signatureAlgorithm } }) =>
    innerAlgorithm.der.equals(signatureAlgorithm.der)
      ? []
      : [
          `expected the same algorithm twice, found ${signatureName(innerAlgorithm)} inside and ${signatureName(signatureAlgorithm)} outside`,
        ],
});
