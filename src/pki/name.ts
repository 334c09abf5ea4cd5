import { isAscii, isUtf8 } from 'node:buffer';
import { type DerReader, TAG } from './der.js';
import { OID } from './oids.js';

/** One attribute of a distinguished name; `value` is the text, or `#hex` of what is no string that we know. */
export interface NameAttribute {
  readonly type: string;
  readonly value: string;
  /** The tag octet of the value. */
  readonly tag: number;
  /** In which relative distinguished name it is, counted from 0. */
  readonly rdn: number;
}

/** A distinguished name: its DER, and its attributes in the order of the encoding (RFC 5280 §4.1.2.4). */
export interface Name {
  readonly der: Buffer;
  readonly attributes: readonly NameAttribute[];
}

/** Reads `Name ::= SEQUENCE OF SET OF AttributeTypeAndValue`. A SET OF that is not in ascending order is not DER (X.690 §11.6). */
export function readName(reader: DerReader): Name {
  const start = reader.offset;
  const attributes: NameAttribute[] = [];
  const sequence = reader.enter();
  for (let rdn = 0; !sequence.atEnd; rdn++) readAttributes(sequence.enter(TAG.set), rdn, attributes);
  return { der: reader.since(start), attributes };
}

/** Reads one `RelativeDistinguishedName` under an implicit tag. */
export function readRelativeName(reader: DerReader, tag: number): NameAttribute[] {
  const attributes: NameAttribute[] = [];
  readAttributes(reader.enter(tag), 0, attributes);
  return attributes;
}

function readAttributes(set: DerReader, rdn: number, attributes: NameAttribute[]): void {
  if (set.atEnd) set.fail('missing element', 'a relative distinguished name');
  let before: Buffer | undefined;
  while (!set.atEnd) {
    const start = set.offset;
    const attribute = set.enter();
    const type = attribute.oid();
    const value = attribute.element();
    attribute.end();
    const whole = set.since(start);
    if (before !== undefined && Buffer.compare(before, whole) > 0) set.refuse('set not in order');
    before = whole;
    attributes.push({ type, value: stringOf(value.tag, value.content) ?? `#${value.whole.toString('hex')}`, tag: value.tag, rdn });
  }
}

/** The text of an ASN.1 character string; undefined when the type is no string or the octets are malformed. */
export function stringOf(tag: number, content: Buffer): string | undefined {
  switch (tag) {
    case TAG.utf8String:
      return isUtf8(content) ? content.toString('utf8') : undefined;
    case TAG.printableString:
    case TAG.ia5String:
    case TAG.numericString:
    case TAG.visibleString:
      return isAscii(content) ? content.toString('latin1') : undefined;
    case TAG.teletexString:
      return content.toString('latin1');
    case TAG.bmpString:
      return content.length % 2 === 0 ? Buffer.from(content).swap16().toString('utf16le') : undefined;
    case TAG.universalString:
      return utf32(content);
    default:
      return undefined;
  }
}

/** A UniversalString: four octets a character. */
function utf32(content: Buffer): string | undefined {
  if (content.length % 4 !== 0) return undefined;
  let text = '';
  for (let at = 0; at < content.length; at += 4) {
    const point = content.readUInt32BE(at);
    if (point > 0x10ffff || (point >= 0xd800 && point < 0xe000)) return undefined;
    text += String.fromCodePoint(point);
  }
  return text;
}

/** All values of one attribute type, in order. */
export function valuesOf(name: Name, type: string): string[] {
  return name.attributes.filter((attribute) => attribute.type === type).map((attribute) => attribute.value);
}

const SHORT: Readonly<Record<string, string>> = {
  [OID.commonName]: 'CN',
  [OID.organizationName]: 'O',
  [OID.organizationalUnitName]: 'OU',
  [OID.countryName]: 'C',
  [OID.stateOrProvinceName]: 'ST',
  [OID.localityName]: 'L',
  [OID.domainComponent]: 'DC',
  [OID.serialNumber]: 'serialNumber',
  [OID.emailAddress]: 'emailAddress',
};

/** One line for people, in the order of the encoding: `O=shop.test, CN=api`. Control characters are escaped: a terminal reads this. */
export function formatName(name: Name): string {
  if (name.attributes.length === 0) return '(empty)';
  return name.attributes.map(({ type, value }) => `${SHORT[type] ?? type}=${printable(value)}`).join(', ');
}

/** `text` from outside with what could steer a terminal, or forge a line of a log, made visible. */
export function printable(text: string): string {
  // eslint-disable-next-line no-control-regex -- control characters are what this is about
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff,+\\]/g, (character) =>
    ',+\\'.includes(character) ? `\\${character}` : `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** The label people use for whoever has this name: its last CN, else its whole, cut where it is longer than anybody reads. */
export function labelOf(name: Name): string {
  const common = name.attributes.findLast(({ type }) => type === OID.commonName);
  return common === undefined ? shortNameOf(name) : printable(shortened(common).value);
}

/** The whole name as `formatName` has it, cut where it is longer than anybody reads. */
export function shortNameOf(name: Name): string {
  const attributes = name.attributes.slice(0, ATTRIBUTES_SHOWN).map(shortened);
  return `${formatName({ ...name, attributes })}${name.attributes.length > ATTRIBUTES_SHOWN ? ', …' : ''}`;
}

const ATTRIBUTES_SHOWN = 16;
const CHARACTERS_SHOWN = 200;
const shortened = (attribute: NameAttribute): NameAttribute =>
  attribute.value.length > CHARACTERS_SHOWN ? { ...attribute, value: `${attribute.value.slice(0, CHARACTERS_SHOWN)}…` } : attribute;

/** The same name, as RFC 5280 §7.1 compares names: by what the attributes say, not by how that is encoded. */
export function isSameName(a: Name, b: Name): boolean {
  return a.der.equals(b.der) || canonicalName(a) === canonicalName(b);
}

/** Is `base` the beginning of `name`, relative name by relative name (RFC 5280 §4.2.1.10)? */
export function isWithinName(name: Name, base: Name): boolean {
  const [inner, outer] = [canonicalOf(name).rdns, canonicalOf(base).rdns];
  return outer.length <= inner.length && outer.every((rdn, i) => rdn === inner[i]);
}

/** A text that two names share exactly when they are the same (RFC 5280 §7.1). */
export function canonicalName(name: Name): string {
  return canonicalOf(name).whole;
}

interface Canonical {
  readonly rdns: readonly string[];
  readonly whole: string;
}
const canonical = new WeakMap<Name, Canonical>();

function canonicalOf(name: Name): Canonical {
  const known = canonical.get(name);
  if (known !== undefined) return known;
  const attributes: string[][] = [];
  for (const attribute of name.attributes) (attributes[attribute.rdn] ??= []).push(canonicalAttribute(attribute));
  // a relative name is a set: the order in it says nothing
  const rdns = attributes.map((set) => set.sort().join('+'));
  const made = { rdns, whole: rdns.join('\n') };
  canonical.set(name, made);
  return made;
}

/**
 * Strings are compared prepared as RFC 4518 has it: without case, white space at the ends, and how much of it is within;
 * what is no string is compared by its octets. JSON marks where a value ends, whatever is in it.
 */
function canonicalAttribute({ type, value, tag }: NameAttribute): string {
  return `${type}=${isStringTag(tag) ? JSON.stringify(prepared(value)) : value}`;
}

function prepared(text: string): string {
  const plain = /^[\x20-\x7e]*$/.test(text);
  const mapped = plain ? text : normalized(text.replace(MEANS_SPACE, ' ').replace(MEANS_NOTHING, ''));
  return mapped.toLowerCase().trim().replace(/ {2,}/g, ' ');
}

/** Marks in the wrong order are sorted, and many of them take long; real names are shorter (RFC 5280 appendix A.1 has 64 for most). */
const LONGEST_NORMALIZED = 1_024;
const normalized = (text: string): string => (text.length > LONGEST_NORMALIZED ? text : text.normalize('NFKC'));

/** Mapped to a space, and mapped to nothing, by RFC 4518 §2.2. */
const MEANS_SPACE = /[\t-\r\u0085\p{Zs}\u2028\u2029]+/gu;
const MEANS_NOTHING = /[\p{Cc}\p{Cf}\u034f\u1806\u180b-\u180d\ufe00-\ufe0f\ufffc]/gu;

const STRING_TAGS: ReadonlySet<number> = new Set([
  ...[TAG.utf8String, TAG.printableString, TAG.ia5String, TAG.numericString, TAG.visibleString],
  ...[TAG.teletexString, TAG.bmpString, TAG.universalString],
]);
const isStringTag = (tag: number): boolean => STRING_TAGS.has(tag);
