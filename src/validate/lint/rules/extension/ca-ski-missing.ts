import { OF_RFC5280, certificateRule } from '../../rule.js';

export const caSkiMissing = certificateRule({
  id: 'CA_SKI_MISSING',
  severity: 'error',
  source: 'RFC 5280 §4.2.1.2',
  profiles: OF_RFC5280,
  title: 'a CA without a subject key identifier',
  check: ({ certificate: { subjectKeyId }, isCa }) =>
    isCa && subjectKeyId === undefined ? ['expected a subject key identifier in a CA, found none'] : [],
});
