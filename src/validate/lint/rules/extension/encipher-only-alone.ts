import { OF_RFC5280, certificateRule } from '../../rule.js';

export const encipherOnlyAlone = certificateRule({
  id: 'ENCIPHER_ONLY_ALONE',
  severity: 'warning',
  source: 'RFC 5280 §4.2.1.3',
  profiles: OF_RFC5280,
  title: 'encipherOnly or decipherOnly without keyAgreement',
  check: ({ certificate: { keyUsage = [] } }) => {
    const found = keyUsage.filter((usage) => usage === 'encipherOnly' || usage === 'decipherOnly');
    return found.length > 0 && !keyUsage.includes('keyAgreement')
      ? [`expected keyAgreement beside it, found ${found.join(', ')}, which means nothing alone`]
      : [];
  },
});
