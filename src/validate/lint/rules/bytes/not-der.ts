import { OF_RFC5280, bytesRule } from '../../rule.js';
import { derFaultOf, isOtherwiseBer } from '../../values.js';

export const notDer = bytesRule({
  id: 'NOT_DER',
  severity: 'error',
  source: 'RFC 5280 §4.1, X.690 §10 and §11',
  profiles: OF_RFC5280,
  title: 'BER where DER is asked for: the same value can be written in several ways',
  check: ({ error }) => {
    const fault = derFaultOf(error);
    return fault !== undefined && isOtherwiseBer(fault) ? [`expected DER, found BER: ${error.facts.problem}`] : [];
  },
});
