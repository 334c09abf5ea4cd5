import { OF_RFC5280, crlRule } from '../../rule.js';
import { eachOf } from '../../wording.js';

export const crlReasonCritical = crlRule({
  id: 'CRL_REASON_CRITICAL',
  severity: 'error',
  source: 'RFC 5280 §5.3.1',
  profiles: OF_RFC5280,
  title: 'a critical reason',
  check: ({ entries }) => eachOf(entries.criticalReason, (serial) => `expected it not to be critical, found it critical for ${serial}`),
});
