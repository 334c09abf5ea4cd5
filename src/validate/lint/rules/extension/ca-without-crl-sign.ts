import { OF_TLS, certificateRule } from '../../rule.js';

export const caWithoutCrlSign = certificateRule({
  id: 'CA_WITHOUT_CRL_SIGN',
  severity: 'notice',
  source: 'RFC 5280 §6.3.3 f',
  profiles: OF_TLS,
  title: 'a CA that may not sign CRLs',
  check: ({ certificate: { keyUsage }, isCa }) =>
    isCa && keyUsage?.includes('keyCertSign') === true && !keyUsage.includes('cRLSign')
      ? [`expected cRLSign, so that it can revoke what it issued, found ${keyUsage.join(', ')}`]
      : [],
});
