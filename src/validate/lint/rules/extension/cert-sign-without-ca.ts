import { OF_RFC5280, certificateRule } from '../../rule.js';

export const certSignWithoutCa = certificateRule({
  id: 'CERT_SIGN_WITHOUT_CA',
  severity: 'error',
  source: 'RFC 5280 §4.2.1.3 and §4.2.1.9',
  profiles: OF_RFC5280,
  title: 'may sign certificates and is no CA',
  check: ({ certificate: { keyUsage, basicConstraints }, isCa }) =>
    keyUsage?.includes('keyCertSign') === true && !isCa
      ? [`expected CA:TRUE beside keyCertSign, found ${basicConstraints === undefined ? 'no basic constraints' : 'CA:FALSE'}`]
      : [],
});
