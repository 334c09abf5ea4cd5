import { type KeyObject, createCipheriv, createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';
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
import { PKCS12_OID } from './oids.js';
import { SHA256_DIGEST, bmpPassphrase, pkcs12Key } from './passphrase.js';

/** What goes into a PKCS#12 file: a private key, its certificate first and then those above it. */
export interface Pkcs12Template {
  readonly certificates: readonly Certificate[];
  readonly key: KeyObject;
  readonly passphrase: string;
  /** What a key store calls the entry. */
  readonly friendlyName?: string;
  readonly iterations?: number;
}

/**
 * What one guess of the passphrase costs whoever stole the file: OWASP's figure for PBKDF2 with SHA-256. It is that of
 * the MAC too, for a guess is tried on the cheapest of them. Writing takes about a second for it.
 */
export const PKCS12_ITERATIONS = 600_000;

/**
 * Makes a PKCS#12 file (RFC 7292): certificates and key both under PBES2 with AES-256-CBC and PBKDF2 with HMAC-SHA-256,
 * and a MAC with SHA-256, the forms that OpenSSL 3 writes by default. Java reads them from 8u301 on, Windows from
 * Server 2019, macOS only in recent versions; for older ones `openssl pkcs12 -export -legacy` makes another.
 */
export function writePkcs12(template: Pkcs12Template): Buffer {
  const { certificates, key, passphrase, friendlyName, iterations = PKCS12_ITERATIONS } = template;
  const encrypt = (plain: Buffer): Encrypted => encryptPbes2(plain, passphrase, iterations);
  // the same localKeyID on the key and its certificate is how readers find the pair
  const pair = bagAttributes(friendlyName, createHash('sha1').update(certificates[0]!.der).digest());
  const certificateBags = certificates.map((certificate, i) =>
    bag(PKCS12_OID.certificateBag, certificateValue(certificate), i === 0 ? pair : undefined),
  );
  const shrouded = encrypt(key.export({ format: 'der', type: 'pkcs8' }));
  const keyBag = bag(PKCS12_OID.shroudedKeyBag, sequence(shrouded.algorithm, octetString(shrouded.data)), pair);
  const authenticated = toDer(
    sequence(encryptedContent(encrypt(toDer(sequence(...certificateBags)))), dataContent(toDer(sequence(keyBag)))),
  );
  return toDer(sequence(integer(3), dataContent(authenticated), macData(authenticated, passphrase, iterations)));
}

interface Encrypted {
  readonly algorithm: Node;
  readonly data: Buffer;
}

function encryptPbes2(plain: Buffer, passphrase: string, iterations: number): Encrypted {
  const [salt, iv] = [randomBytes(16), randomBytes(16)];
  const key = pbkdf2Sync(Buffer.from(passphrase, 'utf8'), salt, iterations, 32, 'sha256');
  const cipher = createCipheriv('aes-256-cbc', key, iv);
  const data = Buffer.concat([cipher.update(plain), cipher.final()]);
  const derivation = sequence(octetString(salt), integer(iterations), algorithm(PKCS12_OID.hmacWithSha256, true));
  return {
    algorithm: sequence(
      oid(PKCS12_OID.pbes2),
      sequence(sequence(oid(PKCS12_OID.pbkdf2), derivation), sequence(oid(PKCS12_OID.aes256Cbc), octetString(iv))),
    ),
    data,
  };
}

function macData(authenticated: Buffer, passphrase: string, iterations: number): Node {
  const salt = randomBytes(16);
  const { oid: digestOid, digest } = SHA256_DIGEST;
  const key = pkcs12Key(digest, bmpPassphrase(passphrase), { purpose: 3, salt, iterations, length: digest.length });
  const mac = createHmac(digest.name, key).update(authenticated).digest();
  return sequence(sequence(algorithm(digestOid, true), octetString(mac)), octetString(salt), integer(iterations));
}

const dataContent = (data: Buffer): Node => sequence(oid(PKCS12_OID.data), explicit(0, octetString(data)));

const encryptedContent = ({ algorithm: scheme, data }: Encrypted): Node =>
  sequence(oid(PKCS12_OID.encryptedData), explicit(0, sequence(integer(0), sequence(oid(PKCS12_OID.data), scheme, implicit(0, data)))));

const certificateValue = ({ der }: Certificate): Node => sequence(oid(PKCS12_OID.x509Certificate), explicit(0, octetString(der)));

const bag = (id: string, value: Node, attributes: Node | undefined): Node =>
  sequence(oid(id), explicit(0, value), ...(attributes === undefined ? [] : [attributes]));

function bagAttributes(friendlyName: string | undefined, localKeyId: Buffer): Node {
  // a SET OF is written in ascending order (X.690 §11.6); which of the two is first depends on how long the name is
  const attributes = [
    ...(friendlyName === undefined ? [] : [sequence(oid(PKCS12_OID.friendlyName), set(bmpString(friendlyName)))]),
    sequence(oid(PKCS12_OID.localKeyId), set(octetString(localKeyId))),
  ];
  return embed(element(TAG.set, attributes.map(toDer).sort(Buffer.compare)));
}
