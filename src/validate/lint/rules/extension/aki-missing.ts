import { OID } from '../../../../pki/oids.js';
import { OF_RFC5280, certificateRule } from '../../rule.js';
import { criticality } from '../../values.js';

export const akiMissing = certificateRule({
  id: 'AKI_MISSING',
  severity: 'error',
  source: 'RFC 5280 §4.2.1.1',
  profiles: OF_RFC5280,
  title: 'no authority key identifier, and not self-signed',
  check: ({ certificate: { version, extensions }, isSelfSigned }) =>
    version === 3 && !isSelfSigned && criticality(extensions, OID.authorityKeyIdentifier) === undefined
      ? ['expected an authority key identifier in what another key signed, found none']
      : [],
});
