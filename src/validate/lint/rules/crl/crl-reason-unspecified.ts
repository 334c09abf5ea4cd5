import { OF_RFC5280, crlRule } from '../../rule.js';
import { eachOf } from '../../wording.js';

export const crlReasonUnspecified = crlRule({
  id: 'CRL_REASON_UNSPECIFIED',
  severity: 'warning',
  source: 'RFC 5280 §5.3.1',
  profiles: OF_RFC5280,
  title: 'the reason unspecified written out',
  check: ({ entries }) => eachOf(entries.unspecified, (serial) => `expected no reason, found unspecified for ${serial}`),
});
