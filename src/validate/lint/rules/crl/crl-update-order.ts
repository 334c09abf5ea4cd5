import { isoTime } from '../../../../pki/fields.js';
import { OF_RFC5280, crlRule } from '../../rule.js';

export const crlUpdateOrder = crlRule({
  id: 'CRL_UPDATE_ORDER',
  severity: 'error',
  source: 'RFC 5280 §5.1.2.5',
  profiles: OF_RFC5280,
  title: 'a CRL whose next update is not after this one',
  check: ({ crl: { thisUpdate, nextUpdate } }) =>
    nextUpdate !== undefined && nextUpdate <= thisUpdate
      ? [`expected a next update after ${isoTime(thisUpdate)}, found ${isoTime(nextUpdate)}`]
      : [],
});
