import { OID, oidName } from '../../../../pki/oids.js';
import { OF_RFC5280, certificateRule } from '../../rule.js';

export const policyMappingsAny = certificateRule({
  id: 'POLICY_MAPPINGS_ANY',
  severity: 'error',
  source: 'RFC 5280 §4.2.1.5',
  profiles: OF_RFC5280,
  title: 'a mapping from or to anyPolicy',
  check: ({ values: { policyMappings = [] } }) =>
    policyMappings
      .filter(({ issuerDomain, subjectDomain }) => issuerDomain === OID.anyPolicy || subjectDomain === OID.anyPolicy)
      .map(
        ({ issuerDomain, subjectDomain }) =>
          `expected policies other than anyPolicy, found ${oidName(issuerDomain)} mapped to ${oidName(subjectDomain)}`,
      ),
});
