import { crlUris } from '../../../../pki/distribution-points.js';
import { OF_RFC5280, certificateRule } from '../../rule.js';
import { listed } from '../../wording.js';

export const cdpWithoutUri = certificateRule({
  id: 'CDP_WITHOUT_URI',
  severity: 'warning',
  source: 'RFC 5280 §4.2.1.13',
  profiles: OF_RFC5280,
  title: 'CRL distribution points without an HTTP or LDAP address',
  check: ({ certificate: { crlDistributionPoints: points } }) =>
    points.length > 0 &&
    points.every(({ name, crlIssuer }) => name !== undefined || crlIssuer !== undefined) &&
    !crlUris(points).some((uri) => /^(https?|ldaps?):/i.test(uri))
      ? [`expected an http or ldap URI, found ${listed(crlUris(points))}`]
      : [],
});
