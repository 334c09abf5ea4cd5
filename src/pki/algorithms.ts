import { createPublicKey, type KeyObject, constants as crypto, sign, verify } from 'node:crypto';
import { MtlsError } from '../errors.js';
import { DerReader, TAG, contextConstructed } from './der.js';
import { OID } from './oids.js';

/** `AlgorithmIdentifier` (RFC 5280 §4.1.1.2): parameters are the raw element, or undefined when absent. */
export interface AlgorithmIdentifier {
  readonly oid: string;
  readonly parameters: Buffer | undefined;
  readonly der: Buffer;
}

/** What a subject's public key is. `bits` is the size of the modulus or of the field; 0 when the key cannot be read. */
export interface PublicKeyInfo {
  readonly der: Buffer;
  readonly algorithm: AlgorithmIdentifier;
  readonly type: 'RSA' | 'EC' | 'Ed25519' | 'Ed448' | 'DSA' | 'unknown';
  readonly bits: number;
  /** The named curve, where there is one: `P-256`, or its object identifier. */
  readonly curve?: string;
  /** The public exponent's octets, of an RSA key. */
  readonly exponent?: Buffer;
  /** The octets of the BIT STRING: what a key identifier is the hash of. */
  readonly key: Buffer;
}

export function readAlgorithm(reader: DerReader): AlgorithmIdentifier {
  const start = reader.offset;
  const inner = reader.enter();
  const oid = inner.oid();
  const parameters = inner.atEnd ? undefined : inner.element().whole;
  inner.end();
  return { oid, parameters, der: reader.since(start) };
}

const CURVES: Readonly<Record<string, { name: string; bits: number }>> = {
  '1.2.840.10045.3.1.1': { name: 'P-192', bits: 192 },
  '1.3.132.0.33': { name: 'P-224', bits: 224 },
  '1.2.840.10045.3.1.7': { name: 'P-256', bits: 256 },
  '1.3.132.0.34': { name: 'P-384', bits: 384 },
  '1.3.132.0.35': { name: 'P-521', bits: 521 },
  '1.3.132.0.10': { name: 'secp256k1', bits: 256 },
  '1.3.36.3.3.2.8.1.1.7': { name: 'brainpoolP256r1', bits: 256 },
  '1.3.36.3.3.2.8.1.1.11': { name: 'brainpoolP384r1', bits: 384 },
  '1.3.36.3.3.2.8.1.1.13': { name: 'brainpoolP512r1', bits: 512 },
};

/** Reads `SubjectPublicKeyInfo`. A key type that we do not know is a value, not an error. */
export function readPublicKeyInfo(reader: DerReader): PublicKeyInfo {
  const start = reader.offset;
  const inner = reader.enter();
  const algorithm = readAlgorithm(inner);
  const key = inner.bitStringOctets();
  inner.end();
  const common = { der: reader.since(start), algorithm, key };
  switch (algorithm.oid) {
    case OID.rsaEncryption:
    case OID.rsassaPss:
      return { ...common, type: 'RSA', ...readRsaKey(key) };
    case OID.ecPublicKey: {
      const named = algorithm.parameters?.[0] === TAG.oid ? new DerReader(algorithm.parameters).oid() : undefined;
      if (named === undefined) return { ...common, type: 'EC', bits: explicitFieldBits(algorithm.parameters) };
      const curve = CURVES[named];
      return { ...common, type: 'EC', bits: curve?.bits ?? 0, curve: curve?.name ?? named };
    }
    case OID.ed25519:
      return { ...common, type: 'Ed25519', bits: 256 };
    case OID.ed448:
      return { ...common, type: 'Ed448', bits: 456 };
    case OID.dsa: {
      const p = algorithm.parameters?.[0] === TAG.sequence ? DerReader.within(algorithm.parameters).integer() : undefined;
      return { ...common, type: 'DSA', bits: p === undefined ? 0 : bitLength(p) };
    }
    default:
      return { ...common, type: 'unknown', bits: 0 };
  }
}

/** Of `RSAPublicKey ::= SEQUENCE { modulus INTEGER, publicExponent INTEGER }` (RFC 8017 §A.1.1). */
function readRsaKey(key: Buffer): { bits: number; exponent: Buffer } {
  const reader = DerReader.within(key);
  const modulus = reader.integer();
  const exponent = reader.integer();
  reader.end();
  return { bits: bitLength(modulus), exponent };
}

/**
 * The field size of a curve that is spelled out, which RFC 5480 §2.1.1 forbids and old software writes; 0 unless it is
 * over a prime field: `SEQUENCE { version, FieldID SEQUENCE { OID prime-field, prime INTEGER }, … }` (SEC 1 §C.2).
 */
function explicitFieldBits(parameters: Buffer | undefined): number {
  if (parameters?.[0] !== TAG.sequence) return 0;
  const domain = DerReader.within(parameters);
  domain.smallInteger();
  const field = domain.enter();
  return field.oid() === PRIME_FIELD ? bitLength(field.integer()) : 0;
}

const PRIME_FIELD = '1.2.840.10045.1.1';

/** `EC P-256`, `RSA 2048`, `Ed25519`: a key in two words. */
export function describeKey(key: Pick<PublicKeyInfo, 'type' | 'bits' | 'curve' | 'algorithm'>): string {
  if (key.type === 'EC') return `EC ${key.curve ?? '(explicit parameters)'}`;
  if (key.type === 'Ed25519' || key.type === 'Ed448') return key.type;
  return key.type === 'unknown' ? `key ${key.algorithm.oid}` : `${key.type} ${key.bits}`;
}

interface SignatureScheme {
  readonly name: string;
  readonly key: PublicKeyInfo['type'];
  /** The digest that node:crypto is told; null for schemes that have their own. */
  readonly digest: string | null;
  /** NULL parameters are required (RFC 4055 §5), or none may be there (RFC 5758 §3.2, RFC 8410 §3). */
  readonly parameters: 'null' | 'absent';
}

const SCHEMES: Readonly<Record<string, SignatureScheme>> = {
  [OID.md5WithRsa]: { name: 'RSA with MD5', key: 'RSA', digest: 'md5', parameters: 'null' },
  [OID.sha1WithRsa]: { name: 'RSA with SHA-1', key: 'RSA', digest: 'sha1', parameters: 'null' },
  [OID.sha224WithRsa]: { name: 'RSA with SHA-224', key: 'RSA', digest: 'sha224', parameters: 'null' },
  [OID.sha256WithRsa]: { name: 'RSA with SHA-256', key: 'RSA', digest: 'sha256', parameters: 'null' },
  [OID.sha384WithRsa]: { name: 'RSA with SHA-384', key: 'RSA', digest: 'sha384', parameters: 'null' },
  [OID.sha512WithRsa]: { name: 'RSA with SHA-512', key: 'RSA', digest: 'sha512', parameters: 'null' },
  [OID.ecdsaWithSha1]: { name: 'ECDSA with SHA-1', key: 'EC', digest: 'sha1', parameters: 'absent' },
  [OID.ecdsaWithSha224]: { name: 'ECDSA with SHA-224', key: 'EC', digest: 'sha224', parameters: 'absent' },
  [OID.ecdsaWithSha256]: { name: 'ECDSA with SHA-256', key: 'EC', digest: 'sha256', parameters: 'absent' },
  [OID.ecdsaWithSha384]: { name: 'ECDSA with SHA-384', key: 'EC', digest: 'sha384', parameters: 'absent' },
  [OID.ecdsaWithSha512]: { name: 'ECDSA with SHA-512', key: 'EC', digest: 'sha512', parameters: 'absent' },
  [OID.ed25519]: { name: 'Ed25519', key: 'Ed25519', digest: null, parameters: 'absent' },
  [OID.ed448]: { name: 'Ed448', key: 'Ed448', digest: null, parameters: 'absent' },
  [OID.dsaWithSha1]: { name: 'DSA with SHA-1', key: 'DSA', digest: 'sha1', parameters: 'absent' },
  [OID.dsaWithSha256]: { name: 'DSA with SHA-256', key: 'DSA', digest: 'sha256', parameters: 'absent' },
};

/** What a signature algorithm is called; RSASSA-PSS with its digest, an unknown one by its object identifier. */
export function signatureName(algorithm: AlgorithmIdentifier): string {
  if (algorithm.oid === OID.rsassaPss) return `RSA-PSS with ${readPss(algorithm)?.digest.toUpperCase() ?? 'unknown parameters'}`;
  return SCHEMES[algorithm.oid]?.name ?? algorithm.oid;
}

/** The digest that a signature rests on (`sha256`), `null` when the scheme has its own, undefined when the scheme is unknown. */
export function signatureDigest(algorithm: AlgorithmIdentifier): string | null | undefined {
  return algorithm.oid === OID.rsassaPss ? readPss(algorithm)?.digest : SCHEMES[algorithm.oid]?.digest;
}

/**
 * Is `signature` over `data` by the key in `signer`? `unsupported` when the algorithm is unknown, does not fit the key,
 * or has parameters that it must not have.
 */
export function verifySignature(
  algorithm: AlgorithmIdentifier,
  data: Buffer,
  signature: Buffer,
  signer: PublicKeyInfo,
): 'valid' | 'invalid' | 'unsupported' {
  try {
    const key = publicKeyOf(signer);
    if (algorithm.oid === OID.rsassaPss) {
      const pss = readPss(algorithm);
      if (pss === undefined || signer.type !== 'RSA') return 'unsupported';
      const options = { key, padding: crypto.RSA_PKCS1_PSS_PADDING, saltLength: pss.saltLength };
      return verify(pss.digest, data, options, signature) ? 'valid' : 'invalid';
    }
    const scheme = SCHEMES[algorithm.oid];
    if (scheme === undefined || scheme.key !== signer.type || signer.algorithm.oid === OID.rsassaPss) return 'unsupported';
    const found = algorithm.parameters === undefined ? 'absent' : algorithm.parameters.equals(DER_NULL) ? 'null' : 'other';
    if (found !== scheme.parameters) return 'unsupported';
    return verify(scheme.digest, data, key, signature) ? 'valid' : 'invalid';
  } catch {
    // a key that OpenSSL cannot load, a digest that it no longer has
    return 'unsupported';
  }
}

/** A CA's key is asked for each of its certificates: it is loaded once. */
const loaded = new WeakMap<PublicKeyInfo, KeyObject>();

/** The key as node:crypto wants it. Throws what OpenSSL throws for a key that it cannot load. */
export function publicKeyOf(info: PublicKeyInfo): KeyObject {
  const known = loaded.get(info);
  if (known !== undefined) return known;
  const key = createPublicKey({ key: info.der, format: 'der', type: 'spki' });
  loaded.set(info, key);
  return key;
}

/** How a private key of ours signs: the AlgorithmIdentifier's parts, and the act. Throws KEY_TYPE_UNSUPPORTED. */
export function signerFor(key: KeyObject): { oid: string; nullParameters: boolean; sign: (data: Uint8Array) => Buffer } {
  const oid = signatureOidFor(key);
  const { digest, parameters } = SCHEMES[oid]!;
  return { oid, nullParameters: parameters === 'null', sign: (data) => sign(digest, data, key) };
}

function signatureOidFor(key: KeyObject): string {
  switch (key.asymmetricKeyType) {
    case 'rsa':
      return OID.sha256WithRsa;
    case 'ed25519':
      return OID.ed25519;
    case 'ec':
      if (key.asymmetricKeyDetails?.namedCurve === 'prime256v1') return OID.ecdsaWithSha256;
      if (key.asymmetricKeyDetails?.namedCurve === 'secp384r1') return OID.ecdsaWithSha384;
      if (key.asymmetricKeyDetails?.namedCurve === 'secp521r1') return OID.ecdsaWithSha512;
    // no default
  }
  const found = [key.asymmetricKeyType, key.asymmetricKeyDetails?.namedCurve].filter(Boolean).join(' ');
  throw new MtlsError('KEY_TYPE_UNSUPPORTED', { found, expected: 'EC P-256, P-384, P-521, Ed25519 or RSA' });
}

const DER_NULL = Buffer.from([0x05, 0x00]);

/** Digests by their object identifiers, as node:crypto calls them. */
export const DIGESTS: Readonly<Record<string, string>> = {
  '1.3.14.3.2.26': 'sha1',
  '2.16.840.1.101.3.4.2.1': 'sha256',
  '2.16.840.1.101.3.4.2.2': 'sha384',
  '2.16.840.1.101.3.4.2.3': 'sha512',
};
const MGF1 = '1.2.840.113549.1.1.8';

/** RSASSA-PSS-params (RFC 4055 §3.1); undefined unless both digests agree, as every sane signer has them. */
function readPss(algorithm: AlgorithmIdentifier): { digest: string; saltLength: number } | undefined {
  if (algorithm.parameters === undefined) return undefined;
  try {
    const parameters = DerReader.within(algorithm.parameters);
    const hash = parameters.enterOptional(contextConstructed(0));
    const digest = DIGESTS[hash === undefined ? '1.3.14.3.2.26' : readAlgorithm(hash).oid];
    const mgf = parameters.enterOptional(contextConstructed(1));
    const mask = mgf === undefined ? undefined : readAlgorithm(mgf);
    if (mask !== undefined && (mask.oid !== MGF1 || mask.parameters === undefined)) return undefined;
    const maskDigest = mask === undefined ? 'sha1' : DIGESTS[readAlgorithm(new DerReader(mask.parameters!)).oid];
    const saltLength = parameters.enterOptional(contextConstructed(2))?.smallInteger() ?? 20;
    if ((parameters.enterOptional(contextConstructed(3))?.smallInteger() ?? 1) !== 1) return undefined;
    parameters.end();
    return digest !== undefined && digest === maskDigest && saltLength <= 512 ? { digest, saltLength } : undefined;
  } catch {
    return undefined;
  }
}

function bitLength(integer: Buffer): number {
  const first = integer.findIndex((octet) => octet !== 0);
  return first < 0 ? 0 : (integer.length - first) * 8 - Math.clz32(integer[first]!) + 24;
}
