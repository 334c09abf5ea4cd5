import { type KeyObject, createCipheriv, createHash, createHmac, randomBytes } from 'node:crypto';
import type { Certificate } from './certificate.js';
import { TAG } from './der.js';
import {
  type Node,
  algorithm,
  bmpString,
  element,
  embed,
  explicit,
  implicit,
  integer,
  octetString,
  oid,
  sequence,
  set,
  toDer,
} from './encode.js';
import { labelOf } from './name.js';
import { OID, PKCS12_OID } from './oids.js';
import { SHA1_DIGEST, SHA256_DIGEST, bmpPassphrase, pkcs12Key } from './passphrase.js';
import { type Encrypted, PBKDF2_ITERATIONS, encryptPbes2, encryptedPrivateKeyInfo } from './pbes2.js';

/** How a PKCS#12 file is closed. */
interface Pkcs12Protection {
  readonly passphrase: string;
  /** For readers that know no AES: triple DES and SHA-1 (RFC 7292 appendix C). */
  readonly legacy?: boolean;
  readonly iterations?: number;
}

/** What goes into a PKCS#12 file: a private key, its certificate first and then those above it. */
export interface Pkcs12Template extends Pkcs12Protection {
  readonly certificates: readonly Certificate[];
  readonly key: KeyObject;
  /** What a key store calls the entry. */
  readonly friendlyName?: string;
}

/** CAs to be trusted. */
export interface TrustStoreTemplate extends Pkcs12Protection {
  readonly trusted: readonly Certificate[];
}

/** That of the MAC is the same as that of the encryption, for a passphrase is guessed on the cheapest of them. */
export const PKCS12_ITERATIONS = PBKDF2_ITERATIONS;
/** As much as Java asked for while it wrote triple DES. PKCS#12's own derivation takes us as long for these as PBKDF2 for the others. */
const LEGACY_ITERATIONS = 50_000;

/**
 * Makes a PKCS#12 file (RFC 7292): certificates and key both under PBES2 with AES-256-CBC and PBKDF2 with HMAC-SHA-256,
 * and a MAC with SHA-256, the forms that OpenSSL 3 writes by default. Java reads them from 8u301 on, Windows from
 * Server 2019, macOS only in recent versions; for older ones there is `legacy`.
 */
export function writePkcs12({ certificates, key, friendlyName, ...protection }: Pkcs12Template): Buffer {
  const scheme = schemeOf(protection);
  // the same localKeyID on the key and its certificate is how readers find the pair
  const localKeyId = attribute(PKCS12_OID.localKeyId, octetString(createHash('sha1').update(certificates[0]!.der).digest()));
  const pair = [...(friendlyName === undefined ? [] : [nameAttribute(friendlyName)]), localKeyId];
  const certificateBags = certificates.map((certificate, i) => certificateBag(certificate, i === 0 ? pair : []));
  const plain = key.export({ format: 'der', type: 'pkcs8' });
  const keyBag = bag(PKCS12_OID.shroudedKeyBag, encryptedPrivateKeyInfo(scheme.encrypt(plain)), pair);
  plain.fill(0);
  return pfx([encryptedContent(scheme.encrypt(toDer(sequence(...certificateBags)))), dataContent(toDer(sequence(keyBag)))], scheme);
}

/**
 * Makes a trust store: certificates that Java's keytool shows as trustedCertEntry, because each of them has the attribute
 * by which Java says what it is trusted for. All other readers see certificates.
 */
export function writeTrustStore({ trusted, ...protection }: TrustStoreTemplate): Buffer {
  const scheme = schemeOf(protection);
  const forAnything = attribute(PKCS12_OID.trustedKeyUsage, oid(OID.anyExtendedKeyUsage));
  const names = entryNames(trusted);
  const bags = trusted.map((certificate, i) => certificateBag(certificate, [nameAttribute(names[i]!), forAnything]));
  return pfx([encryptedContent(scheme.encrypt(toDer(sequence(...bags))))], scheme);
}

/** A name for each: of entries whose names differ in nothing but case Java keeps one. */
function entryNames(certificates: readonly Certificate[]): string[] {
  const taken = new Set<string>();
  return certificates.map(({ subject }) => {
    const label = labelOf(subject);
    let name = label;
    for (let n = 2; taken.has(name.toLowerCase()); n++) name = `${label} (${n})`;
    taken.add(name.toLowerCase());
    return name;
  });
}

/** A way to close a file: the encryption of its parts, and the MAC over the whole. */
interface Scheme {
  readonly encrypt: (plain: Buffer) => Encrypted;
  readonly mac: (authenticated: Buffer) => Node;
}

function schemeOf({ passphrase, legacy = false, iterations = legacy ? LEGACY_ITERATIONS : PKCS12_ITERATIONS }: Pkcs12Protection): Scheme {
  const mac = (digest: typeof SHA256_DIGEST) => (authenticated: Buffer) => macData(authenticated, digest, passphrase, iterations);
  return legacy
    ? { encrypt: (plain) => encrypt3Des(plain, passphrase, iterations), mac: mac(SHA1_DIGEST) }
    : { encrypt: (plain) => encryptPbes2(plain, passphrase, iterations), mac: mac(SHA256_DIGEST) };
}

/** pbeWithSHAAnd3-KeyTripleDES-CBC (RFC 7292 appendix C), for certificates too: RC2, which was usual for them, is in no OpenSSL 3. */
function encrypt3Des(plain: Buffer, passphrase: string, iterations: number): Encrypted {
  const salt = randomBytes(16);
  const derive = (purpose: number, length: number): Buffer =>
    pkcs12Key(SHA1_DIGEST.digest, bmpPassphrase(passphrase), { purpose, salt, iterations, length });
  const cipher = createCipheriv('des-ede3-cbc', derive(1, 24), derive(2, 8));
  const data = Buffer.concat([cipher.update(plain), cipher.final()]);
  return { algorithm: sequence(oid(PKCS12_OID.pbeWithSha1And3Des), sequence(octetString(salt), integer(iterations))), data };
}

function macData(authenticated: Buffer, { oid: digestOid, digest }: typeof SHA256_DIGEST, passphrase: string, iterations: number): Node {
  const salt = randomBytes(16);
  const key = pkcs12Key(digest, bmpPassphrase(passphrase), { purpose: 3, salt, iterations, length: digest.length });
  const mac = createHmac(digest.name, key).update(authenticated).digest();
  return sequence(sequence(algorithm(digestOid, true), octetString(mac)), octetString(salt), integer(iterations));
}

function pfx(contents: readonly Node[], { mac }: Scheme): Buffer {
  const authenticated = toDer(sequence(...contents));
  return toDer(sequence(integer(3), dataContent(authenticated), mac(authenticated)));
}

const dataContent = (data: Buffer): Node => sequence(oid(PKCS12_OID.data), explicit(0, octetString(data)));

const encryptedContent = ({ algorithm: scheme, data }: Encrypted): Node =>
  sequence(oid(PKCS12_OID.encryptedData), explicit(0, sequence(integer(0), sequence(oid(PKCS12_OID.data), scheme, implicit(0, data)))));

const certificateBag = ({ der }: Certificate, attributes: readonly Node[]): Node =>
  bag(PKCS12_OID.certificateBag, sequence(oid(PKCS12_OID.x509Certificate), explicit(0, octetString(der))), attributes);

/** A SET OF is written in ascending order (X.690 §11.6), and a bag without attributes has none. */
const bag = (id: string, value: Node, attributes: readonly Node[]): Node =>
  sequence(
    oid(id),
    explicit(0, value),
    ...(attributes.length === 0 ? [] : [embed(element(TAG.set, attributes.map(toDer).sort(Buffer.compare)))]),
  );

const attribute = (type: string, value: Node): Node => sequence(oid(type), set(value));
const nameAttribute = (friendlyName: string): Node => attribute(PKCS12_OID.friendlyName, bmpString(friendlyName));
