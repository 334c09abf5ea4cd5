import { OID, oidName } from '../../../../pki/oids.js';
import { OF_TLS, certificateRule } from '../../rule.js';
import { listed, labelled } from '../../wording.js';

/** Validators take the purposes of a CA for a limit on all below it. */
export const ekuNotOfIssuer = certificateRule({
  id: 'EKU_NOT_OF_ISSUER',
  severity: 'error',
  source: 'X509-SVID §4.4',
  profiles: OF_TLS,
  title: 'a purpose that its issuer may not give',
  check: ({ certificate: { extendedKeyUsage = [] }, issuer }) => {
    const given = issuer?.extendedKeyUsage;
    if (given === undefined || given.includes(OID.anyExtendedKeyUsage)) return [];
    const missing = extendedKeyUsage.filter((purpose) => !given.includes(purpose));
    return missing.length > 0
      ? [`expected purposes of ${labelled(issuer!.subject)} (${listed(given.map(oidName))}), found ${listed(missing.map(oidName))}`]
      : [];
  },
});
