import { OF_RFC5280, certificateRule } from '../../rule.js';

export const caSubjectEmpty = certificateRule({
  id: 'CA_SUBJECT_EMPTY',
  severity: 'error',
  source: 'RFC 5280 §4.1.2.6',
  profiles: OF_RFC5280,
  title: 'a CA without a name',
  check: ({ certificate: { subject }, isCa }) =>
    isCa && subject.attributes.length === 0 ? ['expected the name of a CA, found an empty one'] : [],
});
