import { OID } from '../../../../pki/oids.js';
import { OF_RFC5280, certificateRule } from '../../rule.js';
import { criticality } from '../../values.js';

/** Who does not know them would ignore them. */
export const nameConstraintsNotCritical = certificateRule({
  id: 'NAME_CONSTRAINTS_NOT_CRITICAL',
  severity: 'error',
  source: 'RFC 5280 §4.2.1.10',
  profiles: OF_RFC5280,
  title: 'name constraints that are not critical',
  check: ({ certificate: { extensions } }) =>
    criticality(extensions, OID.nameConstraints) === false ? ['expected critical name constraints, found them not critical'] : [],
});
