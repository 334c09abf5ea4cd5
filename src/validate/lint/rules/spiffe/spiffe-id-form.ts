import { parseSpiffeId } from '../../../identity.js';
import { OF_SPIFFE, certificateRule } from '../../rule.js';
import { sampleOf } from '../../sample.js';
import { isTooLong } from '../../spiffe.js';
import { eachOf } from '../../wording.js';

/** The first ten are looked at: a second one is a fault already. */
export const spiffeIdForm = certificateRule({
  id: 'SPIFFE_ID_FORM',
  severity: 'error',
  source: 'SPIFFE-ID §2',
  profiles: OF_SPIFFE,
  title: 'a SPIFFE ID that is none',
  check: ({ spiffeUris }) =>
    eachOf(
      sampleOf(spiffeUris.slice(0, 10), (uri) => !isTooLong(uri) && parseSpiffeId(uri) === undefined),
      (uri) => `expected spiffe://, a trust domain of a-z 0-9 . _ - and a path of segments, found ${uri}`,
    ),
});
