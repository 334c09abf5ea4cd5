import { isoTime } from '../../../../pki/fields.js';
import { OF_RFC5280, crlRule } from '../../rule.js';
import { eachOf } from '../../wording.js';

export const crlEntryInFuture = crlRule({
  id: 'CRL_ENTRY_IN_FUTURE',
  severity: 'warning',
  source: 'RFC 5280 §5.1.2.6 and §5.3.2',
  profiles: OF_RFC5280,
  title: 'revoked after the CRL was made',
  check: ({ entries, crl: { thisUpdate } }) =>
    eachOf(entries.future, (serial) => `expected a revocation before ${isoTime(thisUpdate)}, found a later one of ${serial}`),
});
