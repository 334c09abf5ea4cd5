import { OF_RFC5280, certificateRule } from '../../rule.js';

export const caKeyUsageMissing = certificateRule({
  id: 'CA_KEY_USAGE_MISSING',
  severity: 'error',
  source: 'RFC 5280 §4.2.1.3',
  profiles: OF_RFC5280,
  title: 'a CA without a key usage',
  check: ({ certificate: { keyUsage }, isCa }) =>
    isCa && keyUsage === undefined ? ['expected a key usage with keyCertSign in a CA, found none'] : [],
});
