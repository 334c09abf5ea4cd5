import { isForTls } from '../../roles.js';
import { OF_TLS, certificateRule } from '../../rule.js';

export const digitalSignatureMissing = certificateRule({
  id: 'DIGITAL_SIGNATURE_MISSING',
  severity: 'error',
  source: 'RFC 8446 §4.4.2.2',
  profiles: OF_TLS,
  title: 'a leaf whose key may not sign handshakes',
  check: ({ certificate: { keyUsage, extendedKeyUsage }, isLeaf }) =>
    isLeaf && isForTls(extendedKeyUsage) && keyUsage !== undefined && keyUsage.length > 0 && !keyUsage.includes('digitalSignature')
      ? [`expected digitalSignature, which TLS 1.3 needs, found ${keyUsage.join(', ')}`]
      : [],
});
