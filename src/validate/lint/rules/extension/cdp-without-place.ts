import { OF_RFC5280, certificateRule } from '../../rule.js';

export const cdpWithoutPlace = certificateRule({
  id: 'CDP_WITHOUT_PLACE',
  severity: 'error',
  source: 'RFC 5280 §4.2.1.13',
  profiles: OF_RFC5280,
  title: 'a CRL distribution point that names neither a place nor an issuer',
  check: ({ certificate: { crlDistributionPoints } }) =>
    crlDistributionPoints.some(({ name, crlIssuer }) => name === undefined && crlIssuer === undefined)
      ? ['expected a name or a CRL issuer in each point, found neither']
      : [],
});
