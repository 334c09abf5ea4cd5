import { OF_RFC5280, certificateRule } from '../../rule.js';
import { eachOf } from '../../wording.js';

export const sanDnsUnderscore = certificateRule({
  id: 'SAN_DNS_UNDERSCORE',
  severity: 'error',
  source: 'RFC 5280 §4.2.1.6, RFC 1123 §2.1',
  profiles: OF_RFC5280,
  title: 'an underscore in a DNS name',
  check: ({ dns }) => eachOf(dns.underscore, (name) => `expected letters, digits and hyphens, found an underscore in ${name}`),
});
