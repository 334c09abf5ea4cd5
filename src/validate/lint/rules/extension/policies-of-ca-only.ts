import { OID, oidName } from '../../../../pki/oids.js';
import { OF_RFC5280, certificateRule } from '../../rule.js';
import { listed } from '../../wording.js';

export const policiesOfCaOnly = certificateRule({
  id: 'POLICIES_OF_CA_ONLY',
  severity: 'error',
  source: 'RFC 5280 §4.2.1.5, §4.2.1.11 and §4.2.1.14',
  profiles: OF_RFC5280,
  title: 'policy mappings or constraints in what is no CA',
  check: ({ certificate: { extensions }, isCa }) => {
    const found = extensions.filter(({ oid }) => OF_CA.has(oid)).map(({ oid }) => oidName(oid));
    return !isCa && found.length > 0 ? [`expected it in CAs only, found ${listed(found)}`] : [];
  },
});

const OF_CA: ReadonlySet<string> = new Set([OID.policyMappings, OID.policyConstraints, OID.inhibitAnyPolicy]);
