import { DIRECTORY_STRINGS, attributesOf, isUnreadable } from '../../attributes.js';
import { OF_RFC5280, certificateRule } from '../../rule.js';
import { shownAttribute } from '../../wording.js';

export const dnStringUnreadable = certificateRule({
  id: 'DN_STRING_UNREADABLE',
  severity: 'error',
  source: 'RFC 5280 §A.1, X.680 §41',
  profiles: OF_RFC5280,
  title: 'a value that is no string, or not one of its type',
  check: ({ certificate: { subject } }) =>
    attributesOf(
      subject,
      (attribute) => DIRECTORY_STRINGS.has(attribute.type) && isUnreadable(attribute),
      (attribute) =>
        `expected a string in ${shownAttribute(attribute)}, found the tag 0x${attribute.tag.toString(16).padStart(2, '0')} with what is none`,
    ),
});
