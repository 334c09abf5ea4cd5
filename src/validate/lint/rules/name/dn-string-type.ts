import { TAG } from '../../../../pki/der.js';
import { DIRECTORY_STRINGS, attributesOf } from '../../attributes.js';
import { OF_RFC5280, certificateRule } from '../../rule.js';
import { shownAttribute } from '../../wording.js';

export const dnStringType = certificateRule({
  id: 'DN_STRING_TYPE',
  severity: 'error',
  source: 'RFC 5280 §4.1.2.4',
  profiles: OF_RFC5280,
  title: 'a string type that new certificates must not have',
  check: ({ certificate: { subject } }) =>
    attributesOf(
      subject,
      ({ type, tag }) => DIRECTORY_STRINGS.has(type) && OLD[tag] !== undefined,
      (attribute) => `expected PrintableString or UTF8String in ${shownAttribute(attribute)}, found ${OLD[attribute.tag]}`,
    ),
});

const OLD: Readonly<Record<number, string>> = {
  [TAG.teletexString]: 'TeletexString',
  [TAG.bmpString]: 'BMPString',
  [TAG.universalString]: 'UniversalString',
};
