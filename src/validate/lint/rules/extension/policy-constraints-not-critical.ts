import { OID } from '../../../../pki/oids.js';
import { OF_RFC5280, certificateRule } from '../../rule.js';
import { criticality } from '../../values.js';

export const policyConstraintsNotCritical = certificateRule({
  id: 'POLICY_CONSTRAINTS_NOT_CRITICAL',
  severity: 'error',
  source: 'RFC 5280 §4.2.1.11',
  profiles: OF_RFC5280,
  title: 'policy constraints that are not critical',
  check: ({ certificate: { extensions } }) =>
    criticality(extensions, OID.policyConstraints) === false ? ['expected critical policy constraints, found them not critical'] : [],
});
