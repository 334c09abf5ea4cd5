import { OF_RFC5280, certificateRule } from '../../rule.js';

export const keyUsageEmpty = certificateRule({
  id: 'KEY_USAGE_EMPTY',
  severity: 'error',
  source: 'RFC 5280 §4.2.1.3',
  profiles: OF_RFC5280,
  title: 'a key usage without a bit',
  check: ({ certificate: { keyUsage } }) => (keyUsage?.length === 0 ? ['expected at least one key usage, found none'] : []),
});
