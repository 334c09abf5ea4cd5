import { OID, oidName } from '../../../../pki/oids.js';
import { OF_TLS, crlRule } from '../../rule.js';
import { listed } from '../../wording.js';

export const crlExtensionUnknownCritical = crlRule({
  id: 'CRL_EXTENSION_UNKNOWN_CRITICAL',
  severity: 'warning',
  source: 'RFC 5280 §5.2',
  profiles: OF_TLS,
  title: 'a critical extension of a CRL that validators do not know',
  check: ({ crl: { extensions } }) => {
    const unknown = extensions.filter(({ oid, critical }) => critical && !KNOWN.has(oid)).map(({ oid }) => oidName(oid));
    return unknown.length > 0
      ? [`expected only critical extensions that RFC 5280 defines, found ${listed(unknown)}: validators refuse it`]
      : [];
  },
});

const KNOWN: ReadonlySet<string> = new Set([
  ...[OID.authorityKeyIdentifier, OID.issuerAltName, OID.crlNumber, OID.deltaCrlIndicator, OID.issuingDistributionPoint],
  ...[OID.freshestCrl, OID.authorityInfoAccess],
]);
