import { OID } from '../../../../pki/oids.js';
import { OF_RFC5280, certificateRule } from '../../rule.js';
import { criticality } from '../../values.js';

export const inhibitAnyPolicyNotCritical = certificateRule({
  id: 'INHIBIT_ANY_POLICY_NOT_CRITICAL',
  severity: 'error',
  source: 'RFC 5280 §4.2.1.14',
  profiles: OF_RFC5280,
  title: 'an inhibitAnyPolicy that is not critical',
  check: ({ certificate: { extensions } }) =>
    criticality(extensions, OID.inhibitAnyPolicy) === false ? ['expected it critical, found it not critical'] : [],
});
