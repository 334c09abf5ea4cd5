import { TAG } from '../../../../pki/der.js';
import { OID } from '../../../../pki/oids.js';
import { attributesOf } from '../../attributes.js';
import { OF_RFC5280, certificateRule } from '../../rule.js';
import { shown } from '../../wording.js';

export const dnCountry = certificateRule({
  id: 'DN_COUNTRY',
  severity: 'error',
  source: 'RFC 5280 §A.1',
  profiles: OF_RFC5280,
  title: 'a country that is not two letters in a PrintableString',
  check: ({ certificate: { subject } }) =>
    attributesOf(
      subject,
      ({ type, tag, value }) => type === OID.countryName && (tag !== TAG.printableString || !/^[A-Z]{2}$/.test(value)),
      (attribute) =>
        `expected two capital letters of ISO 3166 in a PrintableString, found ${shown(attribute.value)}${attribute.tag === TAG.printableString ? '' : ' in another string type'}`,
    ),
});
