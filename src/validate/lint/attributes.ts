import { TAG } from '../../pki/der.js';
import type { Name, NameAttribute } from '../../pki/name.js';
import { OID } from '../../pki/oids.js';

/** Attributes that are told apart at most; a name with more of one fault is told as shortly as one with few. */
const MOST = 5;

/** A message for each attribute of which `test` holds. */
export function attributesOf(name: Name, test: (attribute: NameAttribute) => boolean, say: (attribute: NameAttribute) => string): string[] {
  const found = name.attributes.filter(test);
  const more = found.length - MOST;
  return [...found.slice(0, MOST).map(say), ...(more > 0 ? [`${more} more of the same`] : [])];
}

const STREET = '2.5.4.9';
const POSTAL_CODE = '2.5.4.17';

/** The upper bounds of RFC 5280 §A.1, in characters. */
export const UPPER_BOUNDS: Readonly<Record<string, number>> = {
  [OID.commonName]: 64,
  [OID.organizationName]: 64,
  [OID.organizationalUnitName]: 64,
  [OID.serialNumber]: 64,
  [OID.title]: 64,
  [OID.localityName]: 128,
  [OID.stateOrProvinceName]: 128,
  [OID.emailAddress]: 255,
  [OID.surname]: 32_768,
  [OID.givenName]: 32_768,
  [STREET]: 128,
  [POSTAL_CODE]: 40,
};

/** Attributes whose value is a DirectoryString (RFC 5280 §4.1.2.4). */
export const DIRECTORY_STRINGS: ReadonlySet<string> = new Set([
  ...[OID.commonName, OID.organizationName, OID.organizationalUnitName, OID.localityName, OID.stateOrProvinceName],
  ...[OID.title, OID.surname, OID.givenName, STREET, POSTAL_CODE],
]);

/** Is the value of this attribute no string, or one whose octets are malformed (X.690 §8.23)? Such a value is told as the element in hex. */
export function isUnreadable({ tag, value }: NameAttribute): boolean {
  return !STRINGS.has(tag) || (value.startsWith(`#${tag.toString(16).padStart(2, '0')}`) && /^#(?:[0-9a-f]{2}){2,}$/.test(value));
}

/** The tags of a DirectoryString. */
const STRINGS: ReadonlySet<number> = new Set([
  ...[TAG.printableString, TAG.utf8String, TAG.teletexString, TAG.bmpString, TAG.universalString],
]);
