import { OID } from '../../../../pki/oids.js';
import { OF_RFC5280, certificateRule } from '../../rule.js';
import { criticality } from '../../values.js';

export const basicConstraintsNotCritical = certificateRule({
  id: 'BASIC_CONSTRAINTS_NOT_CRITICAL',
  severity: 'error',
  source: 'RFC 5280 §4.2.1.9',
  profiles: OF_RFC5280,
  title: 'a CA whose basic constraints are not critical',
  check: ({ certificate: { extensions }, isCa }) =>
    isCa && criticality(extensions, OID.basicConstraints) === false
      ? ['expected critical basic constraints in a CA, found them not critical']
      : [],
});
