import { OF_RFC5280, certificateRule } from '../../rule.js';

export const skiMissing = certificateRule({
  id: 'SKI_MISSING',
  severity: 'warning',
  source: 'RFC 5280 §4.2.1.2',
  profiles: OF_RFC5280,
  title: 'no subject key identifier',
  check: ({ certificate: { subjectKeyId }, isLeaf }) =>
    isLeaf && subjectKeyId === undefined ? ['expected a subject key identifier, found none'] : [],
});
