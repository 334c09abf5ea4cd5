import { type KeyObject, generateKeyPairSync, sign } from 'node:crypto';
import type { PublicKeyInfo } from '../../src/pki/algorithms.js';
import { type Certificate, readCertificate } from '../../src/pki/certificate.js';
import { type Crl, REASONS, type Reason, readCrl } from '../../src/pki/crl.js';
import {
  type Node,
  type SubjectNames,
  algorithm,
  authorityKeyIdentifier,
  bitString,
  boolean,
  embed,
  enumerated,
  explicit,
  extension,
  generalNames,
  implicit,
  integer,
  name as nameOf,
  namedBits,
  octetString,
  oid,
  sequence,
  time,
  toDer,
} from '../../src/pki/encode.js';
import { KEY_USAGES, type KeyUsage } from '../../src/pki/extensions.js';
import { generateKey, keyIdentifier, publicKeyInfo } from '../../src/pki/key.js';
import { OID } from '../../src/pki/oids.js';
import type { Signer } from '../../src/pki/sign.js';

/** When these tests take place. */
export const AT = new Date('2026-06-01T12:00:00Z');
export const HOUR = 3_600_000;
export const DAY = 24 * HOUR;
/** So many milliseconds after AT, or before. */
export const shifted = (milliseconds: number): Date => new Date(AT.getTime() + milliseconds);

/** A signature algorithm: what is written, and what node:crypto is told. */
export interface Scheme {
  readonly oid: string;
  readonly nullParameters: boolean;
  readonly digest: string | null;
}
const ecdsa = (dotted: string, digest: string): Scheme => ({ oid: dotted, nullParameters: false, digest });
const rsa = (dotted: string, digest: string): Scheme => ({ oid: dotted, nullParameters: true, digest });
export const SCHEMES = {
  ecdsaSha256: ecdsa(OID.ecdsaWithSha256, 'sha256'),
  ecdsaSha384: ecdsa(OID.ecdsaWithSha384, 'sha384'),
  ecdsaSha1: ecdsa(OID.ecdsaWithSha1, 'sha1'),
  rsaSha256: rsa(OID.sha256WithRsa, 'sha256'),
  rsaSha1: rsa(OID.sha1WithRsa, 'sha1'),
  rsaMd5: rsa(OID.md5WithRsa, 'md5'),
  ed25519: { oid: OID.ed25519, nullParameters: false, digest: null },
} as const;

export function schemeOf(key: KeyObject): Scheme {
  if (key.asymmetricKeyType === 'rsa') return SCHEMES.rsaSha256;
  return key.asymmetricKeyType === 'ed25519' ? SCHEMES.ed25519 : SCHEMES.ecdsaSha256;
}

/** A certificate as a test wants it, good or bad: two days long, of a new P-256 key, self-signed unless `by` says who issued it. */
export interface Recipe {
  readonly name?: string;
  readonly key?: KeyObject;
  /** Whose name is the issuer's, and whose key signs. */
  readonly by?: Signer;
  /** Signs in place of the issuer's key. */
  readonly signedBy?: KeyObject;
  readonly scheme?: Scheme;
  /** The algorithm inside of the signed part, where it is to differ. */
  readonly innerScheme?: Scheme;
  readonly notBefore?: Date;
  readonly notAfter?: Date;
  /** false: CA:FALSE; null: no basic constraints. */
  readonly ca?: boolean | null;
  readonly pathLength?: number;
  /** null: no key usage. */
  readonly keyUsage?: readonly KeyUsage[] | null;
  readonly purposes?: readonly string[];
  readonly names?: Partial<SubjectNames> & { readonly email?: readonly string[] };
  /** Neither a subject nor an authority key identifier. */
  readonly withoutKeyIds?: boolean;
  /** The whole authority key identifier extension in place of that of `by`. */
  readonly authorityKeyId?: Node;
  readonly more?: readonly Node[];
  /** Of version 1, without extensions. */
  readonly bare?: boolean;
  /** In place of what the recipe would put there. */
  readonly serial?: Node;
  readonly subject?: Node;
  readonly issuer?: Node;
  readonly validity?: Node;
  readonly publicKey?: Buffer;
  /** `[1]` and `[2]`, which nobody should have. */
  readonly uniqueIds?: readonly Node[];
}

export function certify(recipe: Recipe): Signer {
  const { key = generateKey('ecdsa-p256') } = recipe;
  return { certificate: readCertificate(certificateDer({ ...recipe, key })), key };
}

/** The certificate as bytes, for what no reader takes. */
export function certificateDer(recipe: Recipe & { readonly key: KeyObject }): Buffer {
  const { name = 'someone', key, by, notBefore = shifted(-DAY), notAfter = shifted(DAY) } = recipe;
  const signer = recipe.signedBy ?? by?.key ?? key;
  const scheme = recipe.scheme ?? schemeOf(signer);
  const inner = recipe.innerScheme ?? scheme;
  const subject = toDer(recipe.subject ?? nameOf([[OID.commonName, name]]));
  const tbs = toDer(
    sequence(
      ...(recipe.bare === true ? [] : [explicit(0, integer(2))]),
      recipe.serial ?? integer(serial++),
      algorithm(inner.oid, inner.nullParameters),
      recipe.issuer ?? embed(by?.certificate.subject.der ?? subject),
      recipe.validity ?? sequence(time(notBefore), time(notAfter)),
      embed(subject),
      embed(recipe.publicKey ?? infoOf(key).der),
      ...(recipe.uniqueIds ?? []),
      ...(recipe.bare === true ? [] : [explicit(3, sequence(...extensionsOf(recipe, key)))]),
    ),
  );
  return sealed(tbs, scheme, signer);
}

let serial = 0x10000;

/** Exporting a key takes longer than signing with it. */
const known = new WeakMap<KeyObject, PublicKeyInfo>();
function infoOf(key: KeyObject): PublicKeyInfo {
  const info = known.get(key) ?? publicKeyInfo(key);
  known.set(key, info);
  return info;
}

function extensionsOf(recipe: Recipe, key: KeyObject): Node[] {
  const { ca = false, pathLength, by, purposes, names, authorityKeyId, more = [] } = recipe;
  const usage = recipe.keyUsage === undefined ? (ca === true ? CA_USAGE : LEAF_USAGE) : recipe.keyUsage;
  const own = keyIdentifier(infoOf(key));
  const issuerId = by === undefined ? own : Buffer.from(by.certificate.subjectKeyId ?? '', 'hex');
  const bits = (usage ?? []).map((word) => KEY_USAGES.indexOf(word));
  const constraints = [...(ca === true ? [boolean(true)] : []), ...(pathLength === undefined ? [] : [integer(pathLength)])];
  const withKeyIds = recipe.withoutKeyIds !== true;
  const issuerKey = authorityKeyId ?? (issuerId.length === 0 ? undefined : authorityKeyIdentifier(issuerId));
  return [
    ...(ca === null ? [] : [extension(OID.basicConstraints, true, sequence(...constraints))]),
    ...(usage === null ? [] : [extension(OID.keyUsage, true, namedBits(bits))]),
    ...(purposes === undefined ? [] : [extension(OID.extendedKeyUsage, false, sequence(...purposes.map(oid)))]),
    ...(withKeyIds ? [extension(OID.subjectKeyIdentifier, false, octetString(own))] : []),
    ...(withKeyIds && issuerKey !== undefined ? [issuerKey] : []),
    ...(names === undefined ? [] : [extension(OID.subjectAltName, false, sanOf(names))]),
    ...more,
  ];
}

const CA_USAGE: readonly KeyUsage[] = ['keyCertSign', 'cRLSign'];
const LEAF_USAGE: readonly KeyUsage[] = ['digitalSignature'];

function sanOf({ dns = [], ip = [], uri = [], email = [] }: NonNullable<Recipe['names']>): Node {
  if (email.length === 0) return generalNames({ dns, ip, uri });
  return sequence(...email.map((mailbox) => implicit(1, Buffer.from(mailbox, 'latin1'))));
}

function sealed(tbs: Buffer, { oid: dotted, nullParameters, digest }: Scheme, key: KeyObject): Buffer {
  return toDer(
    sequence(
      embed(tbs),
      algorithm(dotted, nullParameters),
      bitString(sign(key.asymmetricKeyType?.startsWith('ed') === true ? null : (digest ?? 'sha256'), tbs, key)),
    ),
  );
}

/** `certify` for a CA. */
export const authority = (recipe: Recipe): Signer => certify({ ca: true, ...recipe });

/** The same certificate with one bit of its signature turned over. */
export function broken({ der }: Certificate): Certificate {
  const copy = Buffer.from(der);
  copy[copy.length - 1]! ^= 1;
  return readCertificate(copy);
}

/** A CRL as a test wants it: an hour old, an hour to go, of version 2, silent. */
export interface CrlRecipe {
  readonly by: Signer;
  readonly signedBy?: KeyObject;
  readonly scheme?: Scheme;
  readonly innerScheme?: Scheme;
  readonly thisUpdate?: Date;
  /** null: no next update. */
  readonly nextUpdate?: Date | null;
  readonly revoked?: readonly { readonly certificate: Certificate; readonly reason?: Reason | number }[];
  /** In place of the list of `revoked`. */
  readonly list?: Buffer;
  readonly withoutKeyId?: boolean;
  readonly more?: readonly Node[];
  /** In place of all extensions; null: of version 1, without any. */
  readonly extensions?: readonly Node[] | null;
  /** In place of the name of `by`. */
  readonly issuer?: Node;
  /** In place of both times. */
  readonly times?: readonly Node[];
}

export function crlOf(recipe: CrlRecipe): Crl {
  const { by, thisUpdate = shifted(-HOUR), nextUpdate = shifted(HOUR), revoked = [], list, more = [] } = recipe;
  const scheme = recipe.scheme ?? schemeOf(recipe.signedBy ?? by.key);
  const inner = recipe.innerScheme ?? scheme;
  const keyId = Buffer.from(by.certificate.subjectKeyId ?? '', 'hex');
  const entries = revoked.map(({ certificate, reason }) => {
    const code = typeof reason === 'string' ? REASONS.indexOf(reason) : reason;
    const why = code === undefined ? [] : [sequence(extension(OID.reasonCode, false, enumerated(code)))];
    return sequence(integer(Buffer.from(certificate.serial, 'hex')), time(shifted(-2 * HOUR)), ...why);
  });
  const extensions = recipe.extensions ?? [
    ...(recipe.withoutKeyId === true || keyId.length === 0 ? [] : [authorityKeyIdentifier(keyId)]),
    extension(OID.crlNumber, false, integer(1)),
    ...more,
  ];
  const tbs = toDer(
    sequence(
      ...(recipe.extensions === null ? [] : [integer(1)]),
      algorithm(inner.oid, inner.nullParameters),
      recipe.issuer ?? embed(by.certificate.subject.der),
      ...(recipe.times ?? [time(thisUpdate), ...(nextUpdate === null ? [] : [time(nextUpdate)])]),
      ...(list === undefined ? (entries.length === 0 ? [] : [sequence(...entries)]) : [embed(list)]),
      ...(recipe.extensions === null ? [] : [explicit(0, sequence(...extensions))]),
    ),
  );
  return readCrl(sealed(tbs, scheme, recipe.signedBy ?? by.key));
}

/** RSA keys take long to make: one of each size will do. */
const rsaKeys = new Map<number, KeyObject>();
export function rsaKey(bits: number): KeyObject {
  const known = rsaKeys.get(bits) ?? generateKeyPairSync('rsa', { modulusLength: bits }).privateKey;
  rsaKeys.set(bits, known);
  return known;
}
