import { keyParametersFault } from '../../algorithms.js';
import { OF_RFC5280, certificateRule } from '../../rule.js';

export const keyParameters = certificateRule({
  id: 'KEY_PARAMETERS',
  severity: 'error',
  source: 'RFC 3279 §2.3.1, RFC 8410 §3',
  profiles: OF_RFC5280,
  title: 'a key algorithm with the wrong parameters',
  check: ({ certificate: { publicKey } }) => keyParametersFault(publicKey),
});
