import { OID, oidName } from '../../../../pki/oids.js';
import { OF_TLS, certificateRule } from '../../rule.js';
import { listed } from '../../wording.js';

export const extensionUnknownCritical = certificateRule({
  id: 'EXTENSION_UNKNOWN_CRITICAL',
  severity: 'warning',
  source: 'RFC 5280 §4.2',
  profiles: OF_TLS,
  title: 'a critical extension that validators do not know',
  check: ({ certificate: { extensions } }) => {
    const unknown = extensions.filter(({ oid, critical }) => critical && !KNOWN.has(oid)).map(({ oid }) => oidName(oid));
    return unknown.length > 0
      ? [`expected only critical extensions that RFC 5280 defines, found ${listed(unknown)}: validators refuse it`]
      : [];
  },
});

const KNOWN: ReadonlySet<string> = new Set([
  ...[OID.subjectKeyIdentifier, OID.keyUsage, OID.subjectAltName, OID.issuerAltName, OID.basicConstraints, OID.nameConstraints],
  ...[OID.crlDistributionPoints, OID.certificatePolicies, OID.policyMappings, OID.authorityKeyIdentifier, OID.policyConstraints],
  ...[OID.extendedKeyUsage, OID.freshestCrl, OID.inhibitAnyPolicy, OID.authorityInfoAccess, OID.subjectInfoAccess],
]);
