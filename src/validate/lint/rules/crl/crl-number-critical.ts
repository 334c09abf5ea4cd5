import { OID } from '../../../../pki/oids.js';
import { OF_RFC5280, crlRule } from '../../rule.js';
import { criticality } from '../../values.js';

export const crlNumberCritical = crlRule({
  id: 'CRL_NUMBER_CRITICAL',
  severity: 'error',
  source: 'RFC 5280 §5.2.3',
  profiles: OF_RFC5280,
  title: 'a critical CRL number',
  check: ({ crl: { extensions } }) =>
    criticality(extensions, OID.crlNumber) === true ? ['expected it not to be critical, found it critical'] : [],
});
