import { OID } from '../../../../pki/oids.js';
import { OF_RFC5280, certificateRule } from '../../rule.js';
import { criticality } from '../../values.js';

export const keyUsageNotCritical = certificateRule({
  id: 'KEY_USAGE_NOT_CRITICAL',
  severity: 'warning',
  source: 'RFC 5280 §4.2.1.3',
  profiles: OF_RFC5280,
  title: 'a key usage that is not critical',
  check: ({ certificate: { extensions } }) =>
    criticality(extensions, OID.keyUsage) === false ? ['expected a critical key usage, found it not critical'] : [],
});
