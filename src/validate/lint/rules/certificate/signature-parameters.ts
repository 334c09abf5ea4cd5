import { parametersFault } from '../../algorithms.js';
import { OF_RFC5280, certificateRule } from '../../rule.js';

export const signatureParameters = certificateRule({
  id: 'SIGNATURE_PARAMETERS',
  severity: 'error',
  source: 'RFC 4055 §5, RFC 5758 §3.2, RFC 8410 §3',
  profiles: OF_RFC5280,
  title: 'a signature algorithm with the wrong parameters',
  check: ({ certificate: { signatureAlgorithm } }) => parametersFault(signatureAlgorithm),
});
