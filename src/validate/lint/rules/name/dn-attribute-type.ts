import { TAG } from '../../../../pki/der.js';
import { OID } from '../../../../pki/oids.js';
import { attributesOf } from '../../attributes.js';
import { OF_RFC5280, certificateRule } from '../../rule.js';
import { shownAttribute } from '../../wording.js';

export const dnAttributeType = certificateRule({
  id: 'DN_ATTRIBUTE_TYPE',
  severity: 'error',
  source: 'RFC 5280 §A.1',
  profiles: OF_RFC5280,
  title: 'an attribute whose string type is fixed, in another one',
  check: ({ certificate: { subject } }) =>
    attributesOf(
      subject,
      ({ type, tag }) => FIXED[type] !== undefined && FIXED[type].tag !== tag,
      (attribute) =>
        `expected ${FIXED[attribute.type]!.name} in ${shownAttribute(attribute)}, found the tag 0x${attribute.tag.toString(16).padStart(2, '0')}`,
    ),
});

const FIXED: Readonly<Record<string, { readonly tag: number; readonly name: string }>> = {
  [OID.serialNumber]: { tag: TAG.printableString, name: 'PrintableString' },
  [OID.domainComponent]: { tag: TAG.ia5String, name: 'IA5String' },
  [OID.emailAddress]: { tag: TAG.ia5String, name: 'IA5String' },
};
