import { OID } from '../../../../pki/oids.js';
import { OF_RFC5280, certificateRule } from '../../rule.js';
import { criticality } from '../../values.js';

export const nameConstraintsInLeaf = certificateRule({
  id: 'NAME_CONSTRAINTS_IN_LEAF',
  severity: 'error',
  source: 'RFC 5280 §4.2.1.10',
  profiles: OF_RFC5280,
  title: 'name constraints in what is no CA',
  check: ({ certificate: { extensions }, isCa }) =>
    !isCa && criticality(extensions, OID.nameConstraints) !== undefined ? ['expected name constraints in CAs only, found them here'] : [],
});
