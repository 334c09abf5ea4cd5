import { OID } from '../../../../pki/oids.js';
import { OF_RFC5280, certificateRule } from '../../rule.js';
import { criticality } from '../../values.js';

export const policyMappingsNotCritical = certificateRule({
  id: 'POLICY_MAPPINGS_NOT_CRITICAL',
  severity: 'warning',
  source: 'RFC 5280 §4.2.1.5',
  profiles: OF_RFC5280,
  title: 'policy mappings that are not critical',
  check: ({ certificate: { extensions } }) =>
    criticality(extensions, OID.policyMappings) === false ? ['expected critical policy mappings, found them not critical'] : [],
});
