import { TAG, contextConstructed } from '../../../src/pki/der.js';
import {
  type Node,
  authorityKeyIdentifier,
  bitString,
  boolean,
  element,
  embed,
  extension,
  implicit,
  integer,
  namedBits,
  nothing,
  octetString,
  oid,
  sequence,
  set,
  toDer,
  utf8,
} from '../../../src/pki/encode.js';
import type { Certificate } from '../../../src/pki/certificate.js';
import { KEY_USAGES, type KeyUsage } from '../../../src/pki/extensions.js';
import { generateKey, keyIdentifier, publicKeyInfo } from '../../../src/pki/key.js';
import { ipToBytes } from '../../../src/base/bytes.js';
import { OID } from '../../../src/pki/oids.js';
import type { LintCode, Lintable } from '../../../src/validate/lint/index.js';
import { type CrlRecipe, DAY, type Recipe, authority, certificateDer, certify, crlOf, shifted } from '../../support/chains.js';

/** Two files for a rule: one that it has nothing against, one that it is about. */
export interface Fixture {
  readonly passes: () => readonly Lintable[];
  readonly fails: () => readonly Lintable[];
  /** Other rules that the second one cannot help to break. */
  readonly companions?: readonly LintCode[];
}

export const SERIAL = integer(Buffer.from('5d1c0ae37f2b4c6699e0b7d15a3c8f42', 'hex'));
const YEAR = 365 * DAY;

export const root = authority({ name: 'root', serial: SERIAL, notAfter: shifted(10 * YEAR) });
export const issuing = authority({ name: 'issuing', by: root, serial: SERIAL, notAfter: shifted(5 * YEAR), pathLength: 0 });

/** Extensions by their names in OID; null: none. */
export type Parts = Readonly<Partial<Record<keyof typeof OID, Node | null>>>;

/** One extension by its name. */
export const ext = (name: keyof typeof OID, value: Node, critical = false): Node => extension(OID[name], critical, value);

const idOf = (certificate: Certificate): Buffer => Buffer.from(certificate.subjectKeyId!, 'hex');
const leafKey = generateKey('ecdsa-p256');
const caKey = generateKey('ecdsa-p256');

const LEAF: Parts = {
  basicConstraints: ext('basicConstraints', sequence(), true),
  keyUsage: usage(['digitalSignature']),
  extendedKeyUsage: purposes(['serverAuth', 'clientAuth']),
  subjectKeyIdentifier: ext('subjectKeyIdentifier', octetString(keyIdentifier(publicKeyInfo(leafKey)))),
  authorityKeyIdentifier: authorityKeyIdentifier(idOf(issuing.certificate)),
  subjectAltName: san({ dns: ['api.shop.test'], uri: ['spiffe://shop.test/ns/default/sa/api'] }),
};

const CA: Parts = {
  basicConstraints: ext('basicConstraints', sequence(boolean(true)), true),
  keyUsage: usage(['keyCertSign', 'cRLSign']),
  subjectKeyIdentifier: ext('subjectKeyIdentifier', octetString(keyIdentifier(publicKeyInfo(caKey)))),
  authorityKeyIdentifier: authorityKeyIdentifier(idOf(root.certificate)),
};

const only = (parts: Parts): Recipe => ({
  ...{ ca: null, keyUsage: null, withoutKeyIds: true },
  more: Object.values(parts).filter((part) => part !== null && part !== undefined),
});

/** A leaf that no rule has anything against, but for what is said of it. */
export function leaf(parts: Parts = {}, recipe: Recipe = {}): Certificate {
  return certify(leafRecipe(parts, recipe)).certificate;
}

/** The same as bytes, for what no reader takes. */
export const leafDer = (parts: Parts = {}, recipe: Recipe = {}): Buffer => certificateDer({ ...leafRecipe(parts, recipe), key: leafKey });

const leafRecipe = (parts: Parts, recipe: Recipe): Recipe => ({
  ...{ name: 'api.shop.test', key: leafKey, by: issuing, serial: SERIAL, notBefore: shifted(-DAY), notAfter: shifted(89 * DAY) },
  ...recipe,
  ...only({ ...LEAF, ...parts }),
});

/** An intermediate CA that no rule has anything against, but for what is said of it. */
export function ca(parts: Parts = {}, recipe: Recipe = {}): Certificate {
  const defaults = { name: 'intermediate', key: caKey, by: root, serial: SERIAL, notBefore: shifted(-DAY), notAfter: shifted(5 * YEAR) };
  return certify({ ...defaults, ...recipe, ...only({ ...CA, ...parts }) }).certificate;
}

/** A root that no rule has anything against, but for what is said of it. */
export const selfSigned = (parts: Parts = {}, recipe: Recipe = {}): Certificate => {
  const defaults = { name: 'another root', key: caKey, serial: SERIAL, notAfter: shifted(10 * YEAR) };
  const own = { authorityKeyIdentifier: authorityKeyIdentifier(keyIdentifier(publicKeyInfo(caKey))) };
  return certify({ ...defaults, ...recipe, ...only({ ...CA, ...own, ...parts }) }).certificate;
};

/** Certificates as a file holds them. */
export const file = (...certificates: readonly Certificate[]): Lintable[] => certificates.map((value) => ({ kind: 'certificate', value }));

/** A CRL as a file holds it, of `issuing` and without a fault, but for what is said of it. */
export const crlFile = (recipe: Partial<CrlRecipe> = {}): Lintable[] => [{ kind: 'crl', value: crlOf({ by: issuing, ...recipe }) }];

export function usage(words: readonly KeyUsage[], critical = true): Node {
  return ext('keyUsage', namedBits(words.map((word) => KEY_USAGES.indexOf(word))), critical);
}

export function purposes(words: readonly (keyof typeof OID)[], critical = false): Node {
  return ext('extendedKeyUsage', sequence(...words.map((word) => oid(OID[word]))), critical);
}

/** A subject alternative name of any names, good or bad. */
export function san(
  names: Partial<Record<'dns' | 'ip' | 'uri' | 'email', readonly string[]>>,
  { critical = false, name = 'subjectAltName' }: { readonly critical?: boolean; readonly name?: keyof typeof OID } = {},
): Node {
  return ext(name, sequence(...generalNodes(names)), critical);
}

export function generalNodes({ dns = [], ip = [], uri = [], email = [] }: Parameters<typeof san>[0]): Node[] {
  const text = (n: number) => (name: string) => implicit(n, Buffer.from(name, 'latin1'));
  return [...uri.map(text(6)), ...dns.map(text(2)), ...ip.map((address) => implicit(7, ipToBytes(address)!)), ...email.map(text(1))];
}

/** `[n] IMPLICIT SEQUENCE OF`. */
export const constructed = (n: number, ...items: readonly Node[]): Node => embed(element(contextConstructed(n), items.map(toDer)));

/** An element of any type. */
export const typed = (tag: number, content: string | Buffer): Node => embed(element(tag, [Buffer.from(content as string, 'latin1')]));

/** A distinguished name of attributes of any type, one in each relative name. */
export const dn = (...attributes: readonly (readonly [type: string, value: Node])[]): Node =>
  sequence(...attributes.map(([type, value]) => set(sequence(oid(type), value))));

/** The name that the leaf has, and more. */
export const subjectWith = (...attributes: readonly (readonly [type: string, value: Node])[]): Node =>
  dn([OID.commonName, utf8('api.shop.test')], ...attributes);

export const printable = (text: string): Node => typed(TAG.printableString, text);
export const ia5 = (text: string): Node => typed(TAG.ia5String, text);
export const generalized = (text: string): Node => typed(TAG.generalizedTime, text);
export const utc = (text: string): Node => typed(TAG.utcTime, text);

/** Name constraints: `{ permitted: { dns: ['shop.test'] } }`. Addresses are an address and a mask. */
export function constraints(
  {
    permitted = {},
    excluded = {},
  }: Partial<Record<'permitted' | 'excluded', Parameters<typeof san>[0] & { readonly net?: readonly (readonly [string, string])[] }>>,
  critical = true,
): Node {
  const subtrees = ({ net = [], ...names }: typeof permitted): Node[] =>
    [...generalNodes(names), ...net.map(([address, mask]) => implicit(7, Buffer.concat([ipToBytes(address)!, ipToBytes(mask)!])))].map(
      (base) => sequence(base),
    );
  const [inside, outside] = [subtrees(permitted), subtrees(excluded)];
  const lists = [...(inside.length > 0 ? [constructed(0, ...inside)] : []), ...(outside.length > 0 ? [constructed(1, ...outside)] : [])];
  return ext('nameConstraints', sequence(...lists), critical);
}

/** A key of RSA that nobody has the private half of. */
export function rsaPublicKey({
  modulus = rsaModulus(2048),
  exponent = 65_537n,
  parameters = [nothing()],
}: {
  readonly modulus?: bigint;
  readonly exponent?: bigint;
  readonly parameters?: readonly Node[];
}): Buffer {
  const octets = (value: bigint): Buffer => Buffer.from(value.toString(16).replace(/^(.(..)*)$/, '0$1'), 'hex');
  const key = toDer(sequence(integer(octets(modulus)), integer(octets(exponent))));
  return toDer(sequence(sequence(oid(OID.rsaEncryption), ...parameters), bitString(key)));
}

/** A number of so many bits without a small factor, as far as these tests look. */
export function rsaModulus(bits: number): bigint {
  let modulus = (1n << BigInt(bits - 1)) + 1n;
  const isFactor = (n: number): boolean => modulus % BigInt(n) === 0n;
  while (Array.from({ length: 999 }, (_, i) => i + 2).some(isFactor)) modulus += 2n;
  return modulus;
}

/** A key of EC on any curve, at any point. */
export const ecPublicKey = (parameters: Node, point: Buffer = Buffer.from([4, ...Array<number>(64).fill(7)])): Buffer =>
  toDer(sequence(sequence(oid(OID.ecPublicKey), parameters), bitString(point)));
