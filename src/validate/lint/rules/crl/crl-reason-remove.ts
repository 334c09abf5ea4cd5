import { OF_RFC5280, crlRule } from '../../rule.js';
import { eachOf } from '../../wording.js';

export const crlReasonRemove = crlRule({
  id: 'CRL_REASON_REMOVE',
  severity: 'error',
  source: 'RFC 5280 §5.3.1',
  profiles: OF_RFC5280,
  title: 'the reason removeFromCRL outside of a delta CRL',
  check: ({ entries, isDelta }) =>
    isDelta ? [] : eachOf(entries.removeFromCrl, (serial) => `expected removeFromCRL in delta CRLs only, found it for ${serial}`),
});
