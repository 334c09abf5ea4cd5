import { OF_RFC5280, certificateRule } from '../../rule.js';
import { eachOf } from '../../wording.js';

export const sanDnsForm = certificateRule({
  id: 'SAN_DNS_FORM',
  severity: 'error',
  source: 'RFC 5280 §4.2.1.6, RFC 1034 §3.5, RFC 1123 §2.1',
  profiles: OF_RFC5280,
  title: 'a DNS name that is none',
  check: ({ dns }) =>
    eachOf(
      dns.malformed,
      (name) => `expected labels of 1 to 63 letters, digits and hyphens, 253 in all and no dot at the ends, found ${name}`,
    ),
});
