import { OF_SPIFFE, certificateRule } from '../../rule.js';
import { sampleOf } from '../../sample.js';
import { isTooLong } from '../../spiffe.js';
import { eachOf } from '../../wording.js';

/** The first ten are looked at: a second one is a fault already. */
export const spiffeIdTooLong = certificateRule({
  id: 'SPIFFE_ID_TOO_LONG',
  severity: 'error',
  source: 'SPIFFE-ID §2.3',
  profiles: OF_SPIFFE,
  title: 'a SPIFFE ID of more than 2048 octets, or a trust domain of more than 255',
  check: ({ spiffeUris }) =>
    eachOf(
      sampleOf(spiffeUris.slice(0, 10), isTooLong),
      (uri) => `expected at most 2048 octets, 255 of them the trust domain, found ${uri}`,
    ),
});
