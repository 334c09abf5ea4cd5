import { createCipheriv, pbkdf2Sync, randomBytes } from 'node:crypto';
import { type Node, algorithm, integer, octetString, oid, sequence, toDer } from './encode.js';
import { PKCS12_OID } from './oids.js';
import { toPem } from './pem.js';

/** What one guess of a passphrase costs whoever stole the file: OWASP's figure for PBKDF2 with SHA-256. It takes a third of a second. */
export const PBKDF2_ITERATIONS = 600_000;

/** What is encrypted, with the AlgorithmIdentifier that says how. */
export interface Encrypted {
  readonly algorithm: Node;
  readonly data: Buffer;
}

/** Encrypts under PBES2 (RFC 8018 §6.2): AES-256-CBC, and PBKDF2 with HMAC-SHA-256. */
export function encryptPbes2(plain: Buffer, passphrase: string, iterations = PBKDF2_ITERATIONS): Encrypted {
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

/** `EncryptedPrivateKeyInfo ::= SEQUENCE { AlgorithmIdentifier, OCTET STRING }` (RFC 5958 §3). */
export const encryptedPrivateKeyInfo = ({ algorithm: scheme, data }: Encrypted): Node => sequence(scheme, octetString(data));

/** PKCS#8 in PEM that a passphrase opens (RFC 7468 §11): the form in which keys are kept where others may come by the file. */
export const encryptedPrivateKeyToPem = (pkcs8: Buffer, passphrase: string): string =>
  toPem('ENCRYPTED PRIVATE KEY', toDer(encryptedPrivateKeyInfo(encryptPbes2(pkcs8, passphrase))));

/** A private key as it is written, from its PKCS#8: under a passphrase where there is one, else open. */
export const pkcs8ToPem = (pkcs8: Buffer, passphrase: string | undefined): string =>
  passphrase === undefined ? toPem('PRIVATE KEY', pkcs8) : encryptedPrivateKeyToPem(pkcs8, passphrase);
