import { OF_RFC5280, certificateRule } from '../../rule.js';

export const skiEmpty = certificateRule({
  id: 'SKI_EMPTY',
  severity: 'error',
  source: 'RFC 5280 §4.2.1.2',
  profiles: OF_RFC5280,
  title: 'a subject key identifier without an octet',
  check: ({ certificate: { subjectKeyId } }) => (subjectKeyId === '' ? ['expected a subject key identifier, found one of no octets'] : []),
});
