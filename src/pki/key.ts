import { type KeyObject, createHash, createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto';
import { MtlsError, isError } from '../errors.js';
import { type PublicKeyInfo, publicKeyOf, readAlgorithm, readPublicKeyInfo } from './algorithms.js';
import { DerReader, TAG } from './der.js';
import { PassphraseWork } from './passphrase.js';
import { type PemBlock, isPem, looksLikeDer, readPem } from './pem.js';

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

/** PKCS#8 in DER (RFC 5958). */
export const pkcs8Of = (key: KeyObject): Buffer => key.export({ format: 'der', type: 'pkcs8' });

/** SubjectPublicKeyInfo of a private or public key. */
export function publicKeyInfo(key: KeyObject): PublicKeyInfo {
  const publicKey = key.type === 'private' ? createPublicKey(key) : key;
  // not as a JWK, which is faster: in Node 20 that waits for ever now and then, when memory is swept meanwhile
  return readPublicKeyInfo(new DerReader(publicKey.export({ format: 'der', type: 'spki' })));
}

/** The public key in a file: SPKI in PEM or DER, or the public half of a private key that is not encrypted. Throws KEY_UNREADABLE, KEY_ENCRYPTED. */
export function publicKeyIn(bytes: Buffer, path: string): PublicKeyInfo {
  try {
    if (!isPem(bytes)) return publicKeyInfo(createPublicKey({ key: bytes, format: 'der', type: 'spki' }));
    if (readPem(bytes.toString('latin1')).some(({ label }) => label === 'PUBLIC KEY')) return publicKeyInfo(createPublicKey(bytes));
  } catch {
    throw new MtlsError('KEY_UNREADABLE', { path, problem: 'not a public key that OpenSSL can read' });
  }
  return publicKeyInfo(readPrivateKey(bytes, path));
}

/** The leftmost 160 bits of the SHA-256 of the public key (RFC 7093 §2, method 1). */
export function keyIdentifier(key: PublicKeyInfo): Buffer {
  return createHash('sha256').update(key.key).digest().subarray(0, 20);
}

/** Is this the private key of that public key? */
export function isKeyOf(privateKey: KeyObject, publicKey: PublicKeyInfo): boolean {
  try {
    // not by their octets: the same key may be encoded with a compressed point, a curve spelled out, absent parameters
    const other = publicKeyOf(publicKey);
    // compared with one of another type, OpenSSL 3.0 keeps an error for whoever reads the next key
    return privateKey.asymmetricKeyType === other.asymmetricKeyType && createPublicKey(privateKey).equals(other);
  } catch {
    return false;
  }
}

/**
 * The private key in a file's bytes: PEM (PKCS#8, SEC 1, PKCS#1, encrypted or not) or DER. `path` is for the errors:
 * KEY_ENCRYPTED when it needs a passphrase, PASSPHRASE_WRONG, KEY_UNREADABLE; that too when opening it would take longer
 * than is sane, for whoever made the file must not say how long we work.
 */
export function readPrivateKey(bytes: Buffer, path: string, passphrase?: string): KeyObject {
  const found = keyIn(bytes);
  if (found === undefined) throw new MtlsError('KEY_UNREADABLE', { path, problem: 'no private key in it' });
  if (found.closed === undefined) return loadKey(found, path);
  if (passphrase === undefined) throw new MtlsError('KEY_ENCRYPTED', { path });
  return found.closed === 'PKCS#8' ? openPkcs8(found.der, path, passphrase) : openTraditional(found, path, passphrase);
}

/** Would `readPrivateKey` need a passphrase for it? Bytes without a private key need none. Throws PEM_MALFORMED. */
export const isEncryptedKey = (bytes: Buffer): boolean => keyIn(bytes)?.closed !== undefined;

/** Does a PEM block hold an encrypted key (RFC 5958, or the old `Proc-Type` header)? */
export const isEncrypted = (block: Pick<PemBlock, 'label' | 'headers'>): boolean => closureOf(block) !== undefined;

/** A key as it stands in a file: DER, its PEM block where it is in one, and how it is closed. */
interface FoundKey {
  readonly der: Buffer;
  readonly block?: PemBlock;
  readonly closed: Closure;
}

/** By PKCS#8's own encryption (RFC 5958), by headers around the block (RFC 1421), or not at all. */
type Closure = 'PKCS#8' | 'RFC 1421' | undefined;

function keyIn(bytes: Buffer): FoundKey | undefined {
  if (!isPem(bytes)) return { der: bytes, closed: isEncryptedDer(bytes) ? 'PKCS#8' : undefined };
  const block = readPem(bytes.toString('latin1')).find(({ label }) => label.endsWith('PRIVATE KEY'));
  return block === undefined ? undefined : { der: block.der, block, closed: closureOf(block) };
}

function closureOf({ label, headers }: Pick<PemBlock, 'label' | 'headers'>): Closure {
  if (label === 'ENCRYPTED PRIVATE KEY') return 'PKCS#8';
  return headers.some((header) => /^Proc-Type:.*ENCRYPTED/.test(header)) ? 'RFC 1421' : undefined;
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

/** OpenSSL gets no passphrase for what looks open to us: what it takes for encrypted all the same stays closed, at any cost. */
function loadKey({ der, block }: FoundKey, path: string): KeyObject {
  try {
    return block === undefined ? loadDer(der) : createPrivateKey({ key: block.text, format: 'pem' });
  } catch {
    // the cause is left out, here and below: an OpenSSL error of a decoder could carry what it decoded
    throw new MtlsError('KEY_UNREADABLE', { path, problem: 'not a private key that OpenSSL can read' });
  }
}

function loadDer(der: Buffer): KeyObject {
  for (const type of ['pkcs8', 'sec1'] as const) {
    try {
      return createPrivateKey({ key: der, format: 'der', type });
    } catch {
      // the last one says what is wrong
    }
  }
  return createPrivateKey({ key: der, format: 'der', type: 'pkcs1' });
}

/** The work is ours, and not OpenSSL's, which derives for as long as the file says and cannot be stopped. */
function openPkcs8(der: Buffer, path: string, passphrase: string): KeyObject {
  const unreadable = (problem: string): MtlsError => new MtlsError('KEY_UNREADABLE', { path, problem });
  const unsupported = (what: string): MtlsError => unreadable(`it is encrypted by ${what}, which is not supported here`);
  const opened = decryptPkcs8(der, new PassphraseWork(passphrase, { malformed: unreadable, unsupported }), unreadable);
  if (opened === undefined || !looksLikeDer(opened)) throw new MtlsError('PASSPHRASE_WRONG', { path });
  try {
    return createPrivateKey({ key: opened, format: 'der', type: 'pkcs8' });
  } catch {
    throw unreadable('what is encrypted in it is not a private key that OpenSSL can read');
  } finally {
    opened.fill(0);
  }
}

function decryptPkcs8(der: Buffer, work: PassphraseWork, unreadable: (problem: string) => MtlsError): Buffer | undefined {
  try {
    const info = DerReader.within(der);
    const algorithm = readAlgorithm(info);
    const encrypted = info.octetString();
    info.end();
    return work.decrypt(algorithm, encrypted);
  } catch (error) {
    throw isError(error, 'DER_MALFORMED') ? unreadable(error.message) : error;
  }
}

/** One round of MD5 (RFC 1421, and OpenSSL's EVP_BytesToKey): it costs nothing, and protects as much. */
function openTraditional({ block }: FoundKey, path: string, passphrase: string): KeyObject {
  try {
    return createPrivateKey({ key: block!.text, format: 'pem', passphrase });
  } catch {
    throw new MtlsError('PASSPHRASE_WRONG', { path });
  }
}
