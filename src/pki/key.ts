import { type KeyObject, createHash, createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto';
import { MtlsError, isError, systemCode } from '../errors.js';
import { equalBytes } from '../base/bytes.js';
import { type PublicKeyInfo, readPublicKeyInfo } from './algorithms.js';
import { DerReader, TAG } from './der.js';
import { PKCS12_OID } from './oids.js';
import { isPem, readPem } from './pem.js';

/** No file is read with more private keys: OpenSSL takes half a millisecond for each, and hardly anybody has a second one. */
export const KEYS_LIMIT = 500;

/** The key types that we make, by the names that the command line takes. */
export const KEY_TYPES = ['ecdsa-p256', 'ecdsa-p384', 'ed25519', 'rsa-2048', 'rsa-3072', 'rsa-4096'] as const;
export type KeyType = (typeof KEY_TYPES)[number];

/** A new private key. */
export function generateKey(type: KeyType): KeyObject {
  switch (type) {
    case 'ecdsa-p256':
      return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
    case 'ecdsa-p384':
      return generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey;
    case 'ed25519':
      return generateKeyPairSync('ed25519').privateKey;
    case 'rsa-2048':
    case 'rsa-3072':
    case 'rsa-4096':
      return generateKeyPairSync('rsa', { modulusLength: Number(type.slice(4)) }).privateKey;
  }
}

/** PKCS#8 in PEM: the one form in which keys leave this program, and only into files of mode 0600. */
export function privateKeyToPem(key: KeyObject): string {
  return key.export({ format: 'pem', type: 'pkcs8' }) as string;
}

/** SubjectPublicKeyInfo of a private or public key. */
export function publicKeyInfo(key: KeyObject): PublicKeyInfo {
  const publicKey = key.type === 'private' ? createPublicKey(key) : key;
  return readPublicKeyInfo(new DerReader(publicKey.export({ format: 'der', type: 'spki' })));
}

/** The leftmost 160 bits of the SHA-256 of the public key (RFC 7093 §2, method 1). */
export function keyIdentifier(key: PublicKeyInfo): Buffer {
  return createHash('sha256').update(key.key).digest().subarray(0, 20);
}

/** Is this the private key of that public key? */
export function isKeyOf(privateKey: KeyObject, publicKey: PublicKeyInfo): boolean {
  if (equalBytes(publicKeyInfo(privateKey).der, publicKey.der)) return true;
  try {
    // the same key in another encoding: a compressed point, a curve spelled out, absent parameters
    return createPublicKey(privateKey).equals(createPublicKey({ key: publicKey.der, format: 'der', type: 'spki' }));
  } catch {
    return false;
  }
}

/**
 * The private key in a file's bytes: PEM (PKCS#8, SEC 1, PKCS#1, encrypted or not) or DER. `path` is for the errors:
 * KEY_ENCRYPTED when it needs a passphrase, PASSPHRASE_WRONG, KEY_UNREADABLE.
 */
export function readPrivateKey(bytes: Buffer, path: string, passphrase?: string): KeyObject {
  const block = isPem(bytes) ? readPem(bytes.toString('latin1')).find(({ label }) => label.endsWith('PRIVATE KEY')) : undefined;
  if (isPem(bytes) && block === undefined) throw new MtlsError('KEY_UNREADABLE', { path, problem: 'no private key in it' });
  const encrypted = block === undefined ? isEncryptedDer(bytes) : isEncrypted(block);
  if (encrypted && passphrase === undefined) throw new MtlsError('KEY_ENCRYPTED', { path });
  if (encrypted && asksTooMuch(block?.der ?? bytes))
    throw new MtlsError('KEY_UNREADABLE', { path, problem: 'its encryption asks for more work than is sane' });
  try {
    if (block !== undefined)
      return createPrivateKey({ key: block.text, format: 'pem', ...(passphrase === undefined ? {} : { passphrase }) });
    return readDerKey(bytes, passphrase);
  } catch (error) {
    if (systemCode(error) === 'ERR_MISSING_PASSPHRASE') throw new MtlsError('KEY_ENCRYPTED', { path }, { cause: error });
    // the cause is left out: an OpenSSL error of a decoder could carry what it decoded
    throw encrypted
      ? new MtlsError('PASSPHRASE_WRONG', { path })
      : new MtlsError('KEY_UNREADABLE', { path, problem: 'not a private key that OpenSSL can read' });
  }
}

/** Does a PEM block hold an encrypted key (RFC 5958, or the old `Proc-Type` header)? */
export function isEncrypted(block: { readonly label: string; readonly headers: readonly string[] }): boolean {
  return block.label === 'ENCRYPTED PRIVATE KEY' || block.headers.some((header) => /^Proc-Type:.*ENCRYPTED/.test(header));
}

function readDerKey(der: Buffer, passphrase: string | undefined): KeyObject {
  for (const type of ['pkcs8', 'sec1', 'pkcs1'] as const) {
    try {
      return createPrivateKey({ key: der, format: 'der', type, ...(passphrase === undefined ? {} : { passphrase }) });
    } catch (error) {
      if (type === 'pkcs1' || systemCode(error) === 'ERR_MISSING_PASSPHRASE') throw error;
    }
  }
  throw new Error('unreachable');
}

/** `EncryptedPrivateKeyInfo ::= SEQUENCE { AlgorithmIdentifier, OCTET STRING }` (RFC 5958 §3). */
function isEncryptedDer(der: Buffer): boolean {
  try {
    const reader = DerReader.within(der);
    return reader.element().tag === TAG.sequence && reader.element().tag === TAG.octetString;
  } catch {
    return false;
  }
}

/** OpenSSL derives the key with as many iterations as the file says, and cannot be stopped: whoever made the file must not say how long we work. */
const ITERATIONS = 3_000_000;
const SCRYPT_WORK = 2 ** 23;

/**
 * Does an EncryptedPrivateKeyInfo ask for too much? Of PBES2 with PBKDF2 and of what came before it the iterations count
 * (RFC 8018 §A.2, §A.3), of scrypt its three parameters (RFC 7914 §7.1). What is none of these OpenSSL will refuse.
 */
function asksTooMuch(der: Buffer): boolean {
  try {
    const outer = DerReader.within(der).enter();
    const scheme = outer.oid();
    const parameters = outer.enter();
    if (scheme !== PKCS12_OID.pbes2) return iterationsIn(parameters) > ITERATIONS;
    const derivation = parameters.enter();
    const kdf = derivation.oid();
    const settings = derivation.enter();
    if (kdf === PKCS12_OID.pbkdf2) return iterationsIn(settings) > ITERATIONS;
    settings.octetString();
    return settings.smallInteger() * settings.smallInteger() * settings.smallInteger() > SCRYPT_WORK;
  } catch (error) {
    // a number too large to be read is too large
    return isError(error, 'DER_MALFORMED') && error.facts.fault === 'integer too large';
  }
}

/** `SEQUENCE { salt OCTET STRING, iterationCount INTEGER, … }` */
function iterationsIn(settings: DerReader): number {
  settings.octetString();
  return settings.smallInteger();
}
