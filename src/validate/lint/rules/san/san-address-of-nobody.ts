import { OF_TLS, certificateRule } from '../../rule.js';
import { sampleOf } from '../../sample.js';
import { eachOf } from '../../wording.js';

export const sanAddressOfNobody = certificateRule({
  id: 'SAN_ADDRESS_OF_NOBODY',
  severity: 'warning',
  source: 'RFC 6890 §2.2',
  profiles: OF_TLS,
  title: 'an address that no host has',
  check: ({ certificate: { subjectAltName } }) =>
    eachOf(sampleOf(subjectAltName.ip, isNobodys), (ip) => `expected the address of a host, found ${ip}`),
});

/** Unspecified, multicast and broadcast addresses: nothing listens there. */
const isNobodys = (ip: string): boolean => ip === '::' || /^ff[0-9a-f]{2}:/.test(ip) || /^(0\.|22[4-9]\.|23\d\.|24\d\.|25[0-5]\.)/.test(ip);
