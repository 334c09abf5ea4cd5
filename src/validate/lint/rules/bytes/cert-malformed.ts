import { OF_RFC5280, bytesRule } from '../../rule.js';
import { derFaultOf, isOtherwiseBer } from '../../values.js';

export const certMalformed = bytesRule({
  id: 'CERT_MALFORMED',
  severity: 'error',
  source: 'RFC 5280 §4.1 and §4.2',
  profiles: OF_RFC5280,
  title: 'not a certificate',
  check: ({ of, error }) => {
    const isOurs = of === 'certificate' && !isOtherwiseBer(derFaultOf(error));
    return isOurs ? [`expected a certificate, found something else: ${error.facts.problem}`] : [];
  },
});
