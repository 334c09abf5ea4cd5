import { valuesOf } from '../../../../pki/name.js';
import { OID } from '../../../../pki/oids.js';
import { OF_TLS, certificateRule } from '../../rule.js';
import { listed } from '../../wording.js';

export const dnSeveralCommonNames = certificateRule({
  id: 'DN_SEVERAL_COMMON_NAMES',
  severity: 'warning',
  source: 'RFC 9525 §2',
  profiles: OF_TLS,
  title: 'more than one common name',
  check: ({ certificate: { subject } }) => {
    const names = valuesOf(subject, OID.commonName);
    return names.length > 1 ? [`expected at most one common name, found ${listed(names)}: programs differ in which they take`] : [];
  },
});
