import { OF_TLS, certificateRule } from '../../rule.js';
import { listed } from '../../wording.js';

export const extensionOfNetscape = certificateRule({
  id: 'EXTENSION_OF_NETSCAPE',
  severity: 'notice',
  source: 'RFC 5280 §4.2.1',
  profiles: OF_TLS,
  title: 'an extension of Netscape that nothing reads any more',
  check: ({ certificate: { extensions } }) => {
    const found = extensions.filter(({ oid }) => oid.startsWith('2.16.840.1.113730.1.')).map(({ oid }) => oid);
    return found.length > 0 ? [`expected key usages and policies of RFC 5280, found ${listed(found)}`] : [];
  },
});
