import { OID } from '../../../../pki/oids.js';
import { OF_TLS, certificateRule } from '../../rule.js';
import { criticality } from '../../values.js';

export const serverWithoutName = certificateRule({
  id: 'SERVER_WITHOUT_NAME',
  severity: 'warning',
  source: 'RFC 9525 §2',
  profiles: OF_TLS,
  title: 'for servers, and no DNS name, address or SPIFFE ID',
  check: ({ certificate: { subjectAltName, extendedKeyUsage, extensions }, isLeaf }) => {
    const { dns, ip, uri } = subjectAltName;
    const isNamed = dns.length + ip.length + uri.length > 0;
    return isLeaf &&
      extendedKeyUsage?.includes(OID.serverAuth) === true &&
      criticality(extensions, OID.subjectAltName) !== undefined &&
      !isNamed
      ? ['expected a DNS name, an address or a SPIFFE ID, found none']
      : [];
  },
});
