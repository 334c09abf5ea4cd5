import { TAG } from '../../../../pki/der.js';
import { attributesOf } from '../../attributes.js';
import { OF_RFC5280, certificateRule } from '../../rule.js';
import { shownAttribute } from '../../wording.js';

export const dnPrintableCharacters = certificateRule({
  id: 'DN_PRINTABLE_CHARACTERS',
  severity: 'error',
  source: 'X.680 §41.4, RFC 5280 §A.1',
  profiles: OF_RFC5280,
  title: 'a PrintableString with a character that it cannot have',
  check: ({ certificate: { subject } }) =>
    attributesOf(
      subject,
      ({ tag, value }) => tag === TAG.printableString && !/^[A-Za-z0-9 '()+,./:=?-]*$/.test(value),
      (attribute) => `expected letters, digits, spaces and '()+,-./:=? in a PrintableString, found ${shownAttribute(attribute)}`,
    ),
});
