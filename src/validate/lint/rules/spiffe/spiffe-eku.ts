import { OID, oidName } from '../../../../pki/oids.js';
import { ONLY_SPIFFE, certificateRule } from '../../rule.js';

export const spiffeEku = certificateRule({
  id: 'SPIFFE_EKU',
  severity: 'error',
  source: 'X509-SVID §4.4',
  profiles: ONLY_SPIFFE,
  title: 'a leaf SVID that is not for servers and clients both',
  check: ({ certificate, isLeaf, spiffeUris }) => {
    const purposes = certificate.extendedKeyUsage;
    if (!isLeaf || purposes === undefined || spiffeUris.length === 0) return [];
    const missing = [OID.serverAuth, OID.clientAuth].filter((purpose) => !purposes.includes(purpose));
    return missing.length > 0 ? [`expected serverAuth and clientAuth, found no ${missing.map(oidName).join(', no ')}`] : [];
  },
});
