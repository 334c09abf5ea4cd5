import { type ECDH, type KeyObject, createECDH, createPrivateKey } from 'node:crypto';
import { equalBytes } from '../base/bytes.js';
import { type PublicKeyInfo, readAlgorithm, readPublicKeyInfo } from './algorithms.js';
import { DerReader, TAG, contextConstructed } from './der.js';
import { element, integer, oid, sequence, toDer } from './encode.js';
import { type KeyType, generateKey, isKeyOf, pkcs8Of, publicKeyInfo } from './key.js';
import { OID } from './oids.js';

/** A key pair in the octets that are written: the private key in PKCS#8 (RFC 5958), and its public half. */
export interface KeyPair {
  readonly pkcs8: Buffer;
  readonly publicKey: PublicKeyInfo;
}

interface Curve {
  /** What OpenSSL calls it. */
  readonly name: string;
  /** Octets of a private key. */
  readonly size: number;
  /** `AlgorithmIdentifier { id-ecPublicKey, namedCurve }` (RFC 5480 §2.1.1). */
  readonly algorithm: Buffer;
}

const curve = (name: string, size: number, dotted: string): Curve => ({
  ...{ name, size },
  algorithm: toDer(sequence(oid(OID.ecPublicKey), oid(dotted))),
});

const CURVES: Partial<Record<KeyType, Curve>> = {
  'ecdsa-p256': curve('prime256v1', 32, OID.prime256v1),
  'ecdsa-p384': curve('secp384r1', 48, OID.secp384r1),
};

/**
 * A new key that is going to be written, not used. On the curves its octets are taken as they come and encoded here: OpenSSL's
 * encoders take five times as long as making the key and signing its certificate.
 */
export function newKeyPair(type: KeyType): KeyPair {
  const on = CURVES[type];
  if (on === undefined) return keyPairOf(generateKey(type));
  const pair = pairOn(on);
  const point = pair.generateKeys();
  const secret = pair.getPrivateKey();
  const scalar = Buffer.concat([Buffer.alloc(on.size - secret.length), secret]);
  return { pkcs8: ecPkcs8(on, scalar, point), publicKey: ecPublicKey(on, point) };
}

const pairs = new Map<string, ECDH>();

/** Setting up a curve takes as long as a key on it: it is done once. */
function pairOn({ name }: Curve): ECDH {
  const pair = pairs.get(name) ?? createECDH(name);
  pairs.set(name, pair);
  return pair;
}

/** A key that is there already. */
export const keyPairOf = (key: KeyObject): KeyPair => ({
  pkcs8: pkcs8Of(key),
  publicKey: publicKeyInfo(key),
});

/** `PrivateKeyInfo { 0, algorithm, OCTET STRING of ECPrivateKey { 1, scalar, [1] point } }` (RFC 5958 §2, RFC 5915 §3). */
function ecPkcs8({ algorithm }: Curve, scalar: Buffer, point: Buffer): Buffer {
  const key = element(TAG.sequence, [ONE, element(TAG.octetString, [scalar]), element(contextConstructed(1), [bitString(point)])]);
  return element(TAG.sequence, [ZERO, algorithm, element(TAG.octetString, [key])]);
}

/** `SubjectPublicKeyInfo { algorithm, BIT STRING of the point }` (RFC 5480 §2). */
const ecPublicKey = ({ algorithm }: Curve, point: Buffer): PublicKeyInfo =>
  readPublicKeyInfo(new DerReader(element(TAG.sequence, [algorithm, bitString(point)])));

const ZERO = toDer(integer(0));
const ONE = toDer(integer(1));
const NO_UNUSED_BITS = Buffer.of(0);
const bitString = (octets: Buffer): Buffer => element(TAG.bitString, [NO_UNUSED_BITS, octets]);

/** Is the private key that stands in `pkcs8` that of the public key? It is asked of the private half, whatever stands beside it. */
export function isPkcs8Of(pkcs8: Buffer, publicKey: PublicKeyInfo): boolean {
  const info = DerReader.within(pkcs8);
  info.smallInteger();
  const algorithm = readAlgorithm(info).der;
  const on = Object.values(CURVES).find((each) => equalBytes(each.algorithm, algorithm));
  if (on === undefined) return isKeyOf(createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' }), publicKey);
  const key = DerReader.within(info.octetString());
  key.smallInteger();
  const pair = pairOn(on);
  pair.setPrivateKey(key.octetString());
  return equalBytes(ecPublicKey(on, pair.getPublicKey()).der, publicKey.der);
}
