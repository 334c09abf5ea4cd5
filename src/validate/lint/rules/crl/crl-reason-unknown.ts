import { OF_RFC5280, crlRule } from '../../rule.js';
import { eachOf } from '../../wording.js';

export const crlReasonUnknown = crlRule({
  id: 'CRL_REASON_UNKNOWN',
  severity: 'error',
  source: 'RFC 5280 §5.3.1',
  profiles: OF_RFC5280,
  title: 'a reason that is not defined',
  check: ({ entries }) => eachOf(entries.unknownReason, (serial) => `expected a reason from 0 to 10 without 7, found that of ${serial}`),
});
