import type { asn1 as Forge } from 'node-forge';
import asn1 from 'node-forge/lib/asn1.js';
import { ipToBytes } from '../base/bytes.js';
import { MtlsError } from '../errors.js';
import { DerReader } from './der.js';
import { OID } from './oids.js';

declare const ASN1: unique symbol;

/** An ASN.1 value that is about to become DER: node-forge's, whose types nobody who uses this package needs to have. */
export interface Node {
  readonly [ASN1]: true;
}

const { Class, Type } = asn1;
const create = asn1.create as unknown as (tagClass: number, type: number, constructed: boolean, value: string | Node[]) => Node;

const binary = (bytes: Uint8Array): string => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
const primitive = (type: number, value: string): Node => create(Class.UNIVERSAL, type, false, value);

/** The DER of a value. */
export function toDer(node: Node): Buffer {
  return Buffer.from(asn1.toDer(node as unknown as Forge.Asn1).getBytes(), 'latin1');
}

/**
 * DER that is there already, as a value to be put into another one: octet for octet, not taken apart and written
 * again (node-forge would look for values inside of strings, and a name must stay what its issuer wrote).
 */
export function embed(der: Uint8Array): Node {
  const reader = new DerReader(der);
  const { tag, content } = reader.element();
  reader.end();
  // the whole tag octet as the class: node-forge does things to the contents of some types
  return create(tag, 0, false, binary(content));
}

/** One element around contents that are DER already: for what is too large, or made too often, for a tree of values. */
export function element(tag: number, contents: readonly Uint8Array[]): Buffer {
  const length = contents.reduce((sum, content) => sum + content.length, 0);
  if (length < 0x80) return Buffer.concat([Buffer.from([tag, length]), ...contents]);
  const octets = length > 0xffffff ? 4 : length > 0xffff ? 3 : length > 0xff ? 2 : 1;
  const header = Buffer.from([tag, 0x80 | octets, 0, 0, 0, 0]).subarray(0, 2 + octets);
  header.writeUIntBE(length, 2, octets);
  return Buffer.concat([header, ...contents]);
}

export const sequence = (...items: readonly Node[]): Node => create(Class.UNIVERSAL, Type.SEQUENCE, true, [...items]);
export const set = (...items: readonly Node[]): Node => create(Class.UNIVERSAL, Type.SET, true, [...items]);
export const boolean = (value: boolean): Node => primitive(Type.BOOLEAN, value ? '\xff' : '\x00');
export const nothing = (): Node => primitive(Type.NULL, '');
export const octetString = (bytes: Uint8Array): Node => primitive(Type.OCTETSTRING, binary(bytes));
export const bitString = (bytes: Uint8Array): Node => primitive(Type.BITSTRING, `\x00${binary(bytes)}`);
export const utf8 = (text: string): Node => primitive(Type.UTF8, binary(Buffer.from(text, 'utf8')));
/** Octets as node-forge wants a BMPString: it takes a character for each 16 bits. */
export const bmpString = (text: string): Node => primitive(Type.BMPSTRING, text);
export const enumerated = (value: number): Node => primitive(Type.ENUMERATED, String.fromCharCode(value));

/** An OBJECT IDENTIFIER. node-forge's own cuts arcs at 32 bits, and the second of `2.999` at 8. */
export function oid(dotted: string): Node {
  let octets = OID_OCTETS.get(dotted);
  if (octets === undefined) {
    const [root = 0n, second = 0n, ...rest] = dotted.split('.').map(BigInt);
    octets = [root * 40n + second, ...rest].map(base128).join('');
    if (OID_OCTETS.size < 1_000) OID_OCTETS.set(dotted, octets);
  }
  return primitive(Type.OID, octets);
}

/** The few that every certificate has are worked out once. */
const OID_OCTETS = new Map<string, string>();

/** Seven bits an octet, the most significant first, the top bit on all but the last (X.690 §8.19.2). */
function base128(arc: bigint): string {
  let text = String.fromCharCode(Number(arc & 0x7fn));
  for (let left = arc >> 7n; left > 0n; left >>= 7n) text = String.fromCharCode(Number(left & 0x7fn) | 0x80) + text;
  return text;
}

/** A non-negative INTEGER from its octets, most significant first; minimal. */
export function integer(octets: Uint8Array | number): Node {
  const bytes =
    typeof octets === 'number'
      ? Buffer.from(
          octets
            .toString(16)
            .padStart(2, '0')
            .replace(/^(.(..)*)$/, '0$1'),
          'hex',
        )
      : octets;
  if (bytes.length === 0) return primitive(Type.INTEGER, '\x00');
  let start = 0;
  while (start < bytes.length - 1 && bytes[start] === 0) start++;
  const minimal = bytes.subarray(start);
  return primitive(Type.INTEGER, (minimal[0]! >= 0x80 ? '\x00' : '') + binary(minimal));
}

/** `[n] EXPLICIT`. */
export const explicit = (n: number, value: Node): Node => create(Class.CONTEXT_SPECIFIC, n, true, [value]);

/** `[n] IMPLICIT SEQUENCE OF` or `SET OF`. */
export const tagged = (n: number, ...items: readonly Node[]): Node => create(Class.CONTEXT_SPECIFIC, n, true, [...items]);

/** `[n] IMPLICIT` of a primitive type. */
export const implicit = (n: number, bytes: Uint8Array): Node => create(Class.CONTEXT_SPECIFIC, n, false, binary(bytes));

/** UTCTime from 1950 through 2049, else GeneralizedTime, always to the second (RFC 5280 §4.1.2.5). Throws VALUE_INVALID after 9999. */
export function time(date: Date): Node {
  const year = date.getUTCFullYear();
  return year >= 1950 && year < 2050 ? primitive(Type.UTCTIME, timeText(date).slice(2)) : generalizedTime(date);
}

/** GeneralizedTime whatever the year: OCSP has no other (RFC 6960 §4.2.1). Throws VALUE_INVALID after 9999. */
export const generalizedTime = (date: Date): Node => primitive(Type.GENERALIZEDTIME, timeText(date));

function timeText(date: Date): string {
  const year = date.getUTCFullYear();
  if (!(year >= 0 && year <= 9999))
    throw new MtlsError('VALUE_INVALID', { what: 'time', found: String(date.getTime()), expected: 'an instant of the years 0 to 9999' });
  return date.toISOString().replace(/[-:T]|\.\d{3}/g, '');
}

/** A BIT STRING of named bits: the shortest that holds the highest one (X.690 §11.2.2). */
export function namedBits(bits: readonly number[]): Node {
  if (bits.length === 0) return primitive(Type.BITSTRING, '\x00');
  const highest = Math.max(...bits);
  const octets = Buffer.alloc((highest >> 3) + 1);
  for (const bit of bits) octets[bit >> 3]! |= 0x80 >> (bit & 7);
  return primitive(Type.BITSTRING, String.fromCharCode(7 - (highest & 7)) + binary(octets));
}

/** `AlgorithmIdentifier`, with NULL parameters or none. */
export const algorithm = (dotted: string, nullParameters: boolean): Node =>
  nullParameters ? sequence(oid(dotted), nothing()) : sequence(oid(dotted));

/** `Name` of one attribute per RDN: UTF8String, but for the types that have a string type of their own (RFC 5280 §A.1). */
export function name(attributes: readonly (readonly [type: string, value: string])[]): Node {
  return sequence(...attributes.map(([type, value]) => set(sequence(oid(type), (STRING_OF[type] ?? utf8)(value)))));
}

const printable = (text: string): Node => primitive(Type.PRINTABLESTRING, binary(Buffer.from(text, 'latin1')));
const ia5 = (text: string): Node => primitive(Type.IA5STRING, binary(Buffer.from(text, 'latin1')));
const STRING_OF: Readonly<Record<string, (text: string) => Node>> = {
  [OID.countryName]: printable,
  [OID.serialNumber]: printable,
  [OID.domainComponent]: ia5,
  [OID.emailAddress]: ia5,
};

/** One extension; FALSE is the default and not written. */
export function extension(dotted: string, critical: boolean, value: Node): Node {
  const octets = octetString(toDer(value));
  return critical ? sequence(oid(dotted), boolean(true), octets) : sequence(oid(dotted), octets);
}

/** What a subject alternative name can be made of. */
export interface SubjectNames {
  readonly dns: readonly string[];
  readonly ip: readonly string[];
  readonly uri: readonly string[];
}

/** `GeneralNames`: URIs, DNS names, addresses, in the order given. All must be valid already. */
export function generalNames(names: SubjectNames): Node {
  return sequence(
    ...names.uri.map((uri) => implicit(6, Buffer.from(uri, 'latin1'))),
    ...names.dns.map((dns) => implicit(2, Buffer.from(dns, 'latin1'))),
    ...names.ip.map((ip) => implicit(7, ipToBytes(ip)!)),
  );
}

/** `AuthorityKeyIdentifier` with the key identifier alone. */
export const authorityKeyIdentifier = (keyId: Uint8Array): Node =>
  extension(OID.authorityKeyIdentifier, false, sequence(implicit(0, keyId)));
