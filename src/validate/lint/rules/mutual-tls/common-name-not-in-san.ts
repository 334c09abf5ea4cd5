import { valuesOf } from '../../../../pki/name.js';
import { OID } from '../../../../pki/oids.js';
import { isHostName } from '../../hosts.js';
import { OF_TLS, certificateRule } from '../../rule.js';
import { listed, shown } from '../../wording.js';

export const commonNameNotInSan = certificateRule({
  id: 'COMMON_NAME_NOT_IN_SAN',
  severity: 'warning',
  source: 'RFC 9525 §2, CA/Browser Forum BR §7.1.4.3',
  profiles: OF_TLS,
  title: 'a common name that looks like a host and is not in the subject alternative name',
  check: ({ certificate: { subject, subjectAltName }, isLeaf }) => {
    const { dns, ip } = subjectAltName;
    const isIn = (name: string): boolean =>
      dns.some((other) => other.length === name.length && other.toLowerCase() === name.toLowerCase()) || ip.includes(name);
    const looksLikeHost = (name: string): boolean => isHostName(name.replace(/^\*\./, '')) && (name.includes('.') || dns.length > 0);
    return isLeaf && dns.length + ip.length > 0
      ? valuesOf(subject, OID.commonName)
          .filter((name) => looksLikeHost(name) && !isIn(name))
          .slice(0, 5)
          .map((name) => `expected ${shown(name)} among the names, found ${listed([...dns.slice(0, 6), ...ip.slice(0, 6)])}`)
      : [];
  },
});
