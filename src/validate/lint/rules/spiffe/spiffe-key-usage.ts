import { OID } from '../../../../pki/oids.js';
import { OF_SPIFFE, certificateRule } from '../../rule.js';
import { criticality } from '../../values.js';

export const spiffeKeyUsage = certificateRule({
  id: 'SPIFFE_KEY_USAGE',
  severity: 'error',
  source: 'X509-SVID §4.3',
  profiles: OF_SPIFFE,
  title: 'an SVID without a critical key usage',
  check: ({ certificate, spiffeUris }) => {
    const critical = criticality(certificate.extensions, OID.keyUsage);
    return spiffeUris.length > 0 && critical !== true
      ? [`expected a critical key usage in an SVID, found ${critical === undefined ? 'none' : 'it not critical'}`]
      : [];
  },
});
