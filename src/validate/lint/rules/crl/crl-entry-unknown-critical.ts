import { OF_TLS, crlRule } from '../../rule.js';
import { eachOf } from '../../wording.js';

export const crlEntryUnknownCritical = crlRule({
  id: 'CRL_ENTRY_UNKNOWN_CRITICAL',
  severity: 'warning',
  source: 'RFC 5280 §5.3',
  profiles: OF_TLS,
  title: 'a critical extension of an entry that validators do not know',
  check: ({ entries }) =>
    eachOf(entries.criticalUnknown, (what) => `expected only critical extensions that RFC 5280 defines, found ${what}`),
});
