import { OF_SPIFFE, certificateRule } from '../../rule.js';

export const spiffeLeafSignsForOthers = certificateRule({
  id: 'SPIFFE_LEAF_SIGNS_FOR_OTHERS',
  severity: 'error',
  source: 'X509-SVID §4.3 and §5.2',
  profiles: OF_SPIFFE,
  title: 'a leaf SVID that may sign certificates or CRLs',
  check: ({ certificate, isCa, spiffeUris }) => {
    const found = (certificate.keyUsage ?? []).filter((usage) => usage === 'keyCertSign' || usage === 'cRLSign');
    return !isCa && spiffeUris.length > 0 && found.length > 0
      ? [`expected neither keyCertSign nor cRLSign in a leaf SVID, found ${found.join(', ')}`]
      : [];
  },
});
