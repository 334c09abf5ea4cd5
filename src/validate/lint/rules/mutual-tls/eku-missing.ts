import { OF_TLS, certificateRule } from '../../rule.js';

export const ekuMissing = certificateRule({
  id: 'EKU_MISSING',
  severity: 'warning',
  source: 'RFC 5280 §4.2.1.12, CA/Browser Forum BR §7.1.2.7.10',
  profiles: OF_TLS,
  title: 'a leaf for every purpose',
  check: ({ certificate: { extendedKeyUsage }, isLeaf }) =>
    isLeaf && extendedKeyUsage === undefined
      ? ['expected serverAuth, clientAuth or both, found no extended key usage: it is good for everything']
      : [],
});
