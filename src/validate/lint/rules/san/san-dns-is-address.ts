import { OF_RFC5280, certificateRule } from '../../rule.js';
import { eachOf } from '../../wording.js';

export const sanDnsIsAddress = certificateRule({
  id: 'SAN_DNS_IS_ADDRESS',
  severity: 'error',
  source: 'RFC 5280 §4.2.1.6, RFC 9525 §6.4',
  profiles: OF_RFC5280,
  title: 'an address as a DNS name',
  check: ({ dns }) =>
    eachOf(dns.address, (name) => `expected the address as an iPAddress, found the dNSName ${name}, which matches nothing`),
});
