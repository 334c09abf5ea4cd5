import { OID } from '../../../../pki/oids.js';
import { OF_RFC5280, certificateRule } from '../../rule.js';
import { listed } from '../../wording.js';

export const policyMappingNotAsserted = certificateRule({
  id: 'POLICY_MAPPING_NOT_ASSERTED',
  severity: 'warning',
  source: 'RFC 5280 §4.2.1.5',
  profiles: OF_RFC5280,
  title: 'a mapping of a policy that the certificate does not have',
  check: ({ values: { policyMappings = [], certificatePolicies = [] } }) => {
    const asserted = new Set(certificatePolicies.map(({ policy }) => policy));
    const missing = policyMappings
      .map(({ issuerDomain }) => issuerDomain)
      .filter((policy) => policy !== OID.anyPolicy && !asserted.has(policy));
    return missing.length > 0 ? [`expected each mapped policy among its policies, found none of ${listed(missing)}`] : [];
  },
});
