import { OID, oidName } from '../../../../pki/oids.js';
import { KNOWN_QUALIFIERS } from '../../../../pki/policies.js';
import { OF_RFC5280, certificateRule } from '../../rule.js';

export const policyQualifier = certificateRule({
  id: 'POLICY_QUALIFIER',
  severity: 'error',
  source: 'RFC 5280 §4.2.1.4',
  profiles: OF_RFC5280,
  title: 'a qualifier of anyPolicy that RFC 5280 does not define',
  check: ({ values: { certificatePolicies = [] } }) =>
    certificatePolicies
      .filter(({ policy }) => policy === OID.anyPolicy)
      .flatMap(({ qualifiers }) => qualifiers.filter((qualifier) => !KNOWN_QUALIFIERS.has(qualifier)))
      .map((qualifier) => `expected a CPS pointer or a user notice, found the qualifier ${oidName(qualifier)}`),
});
