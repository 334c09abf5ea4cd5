import { OF_RFC5280, bytesRule } from '../../rule.js';
import { derFaultOf, isOtherwiseBer } from '../../values.js';

export const crlMalformed = bytesRule({
  id: 'CRL_MALFORMED',
  severity: 'error',
  source: 'RFC 5280 §5.1 and §5.3',
  profiles: OF_RFC5280,
  title: 'not a CRL',
  check: ({ of, error }) => {
    const isOurs = of === 'crl' && !isOtherwiseBer(derFaultOf(error));
    return isOurs ? [`expected a CRL, found something else: ${error.facts.problem}`] : [];
  },
});
