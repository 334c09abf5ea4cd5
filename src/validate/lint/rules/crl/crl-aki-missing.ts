import { OID } from '../../../../pki/oids.js';
import { OF_RFC5280, crlRule } from '../../rule.js';
import { criticality } from '../../values.js';

export const crlAkiMissing = crlRule({
  id: 'CRL_AKI_MISSING',
  severity: 'error',
  source: 'RFC 5280 §5.2.1',
  profiles: OF_RFC5280,
  title: 'a CRL without an authority key identifier',
  check: ({ crl: { version, extensions } }) =>
    version === 2 && criticality(extensions, OID.authorityKeyIdentifier) === undefined
      ? ['expected an authority key identifier, found none']
      : [],
});
