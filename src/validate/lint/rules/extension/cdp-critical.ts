import { OID } from '../../../../pki/oids.js';
import { OF_RFC5280, certificateRule } from '../../rule.js';
import { criticality } from '../../values.js';

export const cdpCritical = certificateRule({
  id: 'CDP_CRITICAL',
  severity: 'warning',
  source: 'RFC 5280 §4.2.1.13',
  profiles: OF_RFC5280,
  title: 'critical CRL distribution points',
  check: ({ certificate: { extensions } }) =>
    criticality(extensions, OID.crlDistributionPoints) === true ? ['expected them not to be critical, found them critical'] : [],
});
