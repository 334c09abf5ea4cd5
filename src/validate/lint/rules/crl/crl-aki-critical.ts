import { OID } from '../../../../pki/oids.js';
import { OF_RFC5280, crlRule } from '../../rule.js';
import { criticality } from '../../values.js';

export const crlAkiCritical = crlRule({
  id: 'CRL_AKI_CRITICAL',
  severity: 'error',
  source: 'RFC 5280 §5.2.1 and §4.2.1.1',
  profiles: OF_RFC5280,
  title: 'a CRL with a critical authority key identifier',
  check: ({ crl: { extensions } }) =>
    criticality(extensions, OID.authorityKeyIdentifier) === true ? ['expected it not to be critical, found it critical'] : [],
});
