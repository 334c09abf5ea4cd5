import { OF_RFC5280, certificateRule } from '../../rule.js';

export const akiIssuerAlone = certificateRule({
  id: 'AKI_ISSUER_ALONE',
  severity: 'error',
  source: 'RFC 5280 §4.2.1.1 and §A.2',
  profiles: OF_RFC5280,
  title: 'an authority key identifier with an issuer or a serial number, not both',
  check: ({ values: { authorityKeyIdentifier: found } }) =>
    found !== undefined && found.issuer !== found.serial
      ? [`expected authorityCertIssuer and authorityCertSerialNumber, or neither, found only ${found.issuer ? 'the first' : 'the second'}`]
      : [],
});
