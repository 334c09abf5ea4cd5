import { OF_RFC5280, certificateRule } from '../../rule.js';

export const caWithoutCertSign = certificateRule({
  id: 'CA_WITHOUT_CERT_SIGN',
  severity: 'warning',
  source: 'RFC 5280 §4.2.1.3',
  profiles: OF_RFC5280,
  title: 'a CA that may not sign certificates',
  check: ({ certificate: { keyUsage }, isCa }) =>
    isCa && keyUsage !== undefined && keyUsage.length > 0 && !keyUsage.includes('keyCertSign')
      ? [`expected keyCertSign beside CA:TRUE, found ${keyUsage.join(', ')}`]
      : [],
});
