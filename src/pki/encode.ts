import type { asn1 as Forge } from 'node-forge';
import asn1 from 'node-forge/lib/asn1.js';
import { ipToBytes } from '../base/bytes.js';
import { OID } from './oids.js';

/** An ASN.1 value that is about to become DER, over node-forge's. */
export type Node = Forge.Asn1;

const { Class, Type } = asn1;

const binary = (bytes: Uint8Array): string => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
const primitive = (type: number, value: string): Node => asn1.create(Class.UNIVERSAL, type, false, value);

/** The DER of a value. */
export function toDer(node: Node): Buffer {
  return Buffer.from(asn1.toDer(node).getBytes(), 'latin1');
}

/** DER that we, or OpenSSL, made, as a value to be put into another one. */
export function embed(der: Uint8Array): Node {
  return asn1.fromDer(binary(der));
}

export const sequence = (...items: readonly Node[]): Node => asn1.create(Class.UNIVERSAL, Type.SEQUENCE, true, [...items]);
export const set = (...items: readonly Node[]): Node => asn1.create(Class.UNIVERSAL, Type.SET, true, [...items]);
export const boolean = (value: boolean): Node => primitive(Type.BOOLEAN, value ? '\xff' : '\x00');
export const nothing = (): Node => primitive(Type.NULL, '');
export const oid = (dotted: string): Node => primitive(Type.OID, asn1.oidToDer(dotted).getBytes());
export const octetString = (bytes: Uint8Array): Node => primitive(Type.OCTETSTRING, binary(bytes));
export const bitString = (bytes: Uint8Array): Node => primitive(Type.BITSTRING, `\x00${binary(bytes)}`);
export const utf8 = (text: string): Node => primitive(Type.UTF8, binary(Buffer.from(text, 'utf8')));
export const enumerated = (value: number): Node => primitive(Type.ENUMERATED, String.fromCharCode(value));

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
  let start = 0;
  while (start < bytes.length - 1 && bytes[start] === 0) start++;
  const minimal = bytes.subarray(start);
  return primitive(Type.INTEGER, (minimal[0]! >= 0x80 ? '\x00' : '') + binary(minimal));
}

/** `[n] EXPLICIT`. */
export const explicit = (n: number, value: Node): Node => asn1.create(Class.CONTEXT_SPECIFIC, n, true, [value]);

/** `[n] IMPLICIT` of a primitive type. */
export const implicit = (n: number, bytes: Uint8Array): Node => asn1.create(Class.CONTEXT_SPECIFIC, n, false, binary(bytes));

/** UTCTime through 2049, GeneralizedTime from 2050 on, always to the second (RFC 5280 §4.1.2.5). */
export function time(date: Date): Node {
  const text = date.toISOString().replace(/[-:T]|\.\d{3}/g, '');
  return date.getUTCFullYear() < 2050 ? primitive(Type.UTCTIME, text.slice(2)) : primitive(Type.GENERALIZEDTIME, text);
}

/** A BIT STRING of named bits: the shortest that holds the highest one (X.690 §11.2.2). */
export function namedBits(bits: readonly number[]): Node {
  const highest = Math.max(...bits);
  const octets = Buffer.alloc((highest >> 3) + 1);
  for (const bit of bits) octets[bit >> 3]! |= 0x80 >> (bit & 7);
  return primitive(Type.BITSTRING, String.fromCharCode(7 - (highest & 7)) + binary(octets));
}

/** `AlgorithmIdentifier`, with NULL parameters or none. */
export const algorithm = (dotted: string, nullParameters: boolean): Node =>
  nullParameters ? sequence(oid(dotted), nothing()) : sequence(oid(dotted));

/** `Name` of one attribute per RDN, all UTF8String. */
export function name(attributes: readonly (readonly [type: string, value: string])[]): Node {
  return sequence(...attributes.map(([type, value]) => set(sequence(oid(type), utf8(value)))));
}

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
