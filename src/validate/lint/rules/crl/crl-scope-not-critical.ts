import { OID, oidName } from '../../../../pki/oids.js';
import { OF_RFC5280, crlRule } from '../../rule.js';
import { criticality } from '../../values.js';

export const crlScopeNotCritical = crlRule({
  id: 'CRL_SCOPE_NOT_CRITICAL',
  severity: 'error',
  source: 'RFC 5280 §5.2.4 and §5.2.5',
  profiles: OF_RFC5280,
  title: 'a delta or partial CRL that does not say so critically',
  check: ({ crl: { extensions } }) =>
    [OID.deltaCrlIndicator, OID.issuingDistributionPoint]
      .filter((oid) => criticality(extensions, oid) === false)
      .map((oid) => `expected ${oidName(oid)} to be critical, found it not critical: who does not know it takes the CRL for a whole one`),
});
