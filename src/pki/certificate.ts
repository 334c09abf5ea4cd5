import { createHash } from 'node:crypto';
import { toHex } from '../base/bytes.js';
import { MtlsError, isError } from '../errors.js';
import { type AlgorithmIdentifier, type PublicKeyInfo, readAlgorithm, readPublicKeyInfo, verifySignature } from './algorithms.js';
import { DerReader, context, contextConstructed } from './der.js';
import { type CertificateExtensions, type Extension, decodeCertificateExtensions, readExtensions } from './extensions.js';
import { type Name, isSameName, readName } from './name.js';

/** A certificate (RFC 5280 §4.1) as a value. Times are milliseconds since 1970; `serial` is the integer's octets in hex. */
export interface Certificate extends CertificateExtensions {
  readonly der: Buffer;
  readonly tbs: Buffer;
  readonly version: 1 | 2 | 3;
  readonly serial: string;
  readonly innerAlgorithm: AlgorithmIdentifier;
  readonly signatureAlgorithm: AlgorithmIdentifier;
  readonly signature: Buffer;
  readonly issuer: Name;
  readonly subject: Name;
  readonly notBefore: number;
  readonly notAfter: number;
  readonly publicKey: PublicKeyInfo;
  readonly extensions: readonly Extension[];
}

/**
 * Reads one certificate strictly. Throws CERTIFICATE_MALFORMED, with the DER fault where there is one.
 *
 *     SEQUENCE { tbs SEQUENCE { [0] version, serial, signature, issuer, validity, subject, spki, [1], [2], [3] }, algorithm, signature }
 */
export function readCertificate(der: Uint8Array): Certificate {
  try {
    const outer = DerReader.within(der);
    const start = outer.offset;
    const inner = outer.enter();
    const tbs = outer.since(start);
    const signatureAlgorithm = readAlgorithm(outer);
    const signature = outer.bitStringOctets();
    outer.end();
    const bytes = Buffer.isBuffer(der) ? der : Buffer.from(der.buffer, der.byteOffset, der.byteLength);
    return { der: bytes, tbs, signatureAlgorithm, signature, ...readTbs(inner) };
  } catch (error) {
    if (!isError(error, 'DER_MALFORMED')) throw error;
    throw new MtlsError('CERTIFICATE_MALFORMED', { problem: error.message }, { cause: error });
  }
}

function readTbs(reader: DerReader): Omit<Certificate, 'der' | 'tbs' | 'signatureAlgorithm' | 'signature'> {
  const version = readVersion(reader);
  const serial = toHex(reader.integer());
  const innerAlgorithm = readAlgorithm(reader);
  const issuer = readName(reader);
  const validity = reader.enter();
  const notBefore = validity.time();
  const notAfter = validity.time();
  validity.end();
  const subject = readName(reader);
  const publicKey = readPublicKeyInfo(reader);
  for (const uniqueId of [context(1), context(2)]) {
    if (reader.peek() !== uniqueId) continue;
    if (version === 1) reader.fail('unexpected tag', 'unique identifiers need version 2');
    reader.content(uniqueId);
  }
  let extensions: Extension[] = [];
  const wrapped = reader.enterOptional(contextConstructed(3));
  if (wrapped !== undefined) {
    if (version !== 3) reader.refuse('unexpected tag', 'extensions need version 3');
    extensions = readExtensions(wrapped);
    wrapped.end();
  }
  reader.end();
  const decoded = decodeCertificateExtensions(extensions);
  return { version, serial, innerAlgorithm, issuer, subject, notBefore, notAfter, publicKey, extensions, ...decoded };
}

function readVersion(reader: DerReader): 1 | 2 | 3 {
  const explicit = reader.enterOptional(contextConstructed(0));
  if (explicit === undefined) return 1;
  const value = explicit.smallInteger();
  explicit.end();
  if (value === 0) explicit.refuse('default value encoded', 'version 1');
  if (value !== 1 && value !== 2) explicit.refuse('integer too large', `version ${value + 1}`);
  return value === 1 ? 2 : 3;
}

/** SHA-256 of the whole certificate, hex. */
export function fingerprint(certificate: Pick<Certificate, 'der'>): string {
  return createHash('sha256').update(certificate.der).digest('hex');
}

/** Do the names say that `issuer` issued `certificate`, and the key identifiers not say otherwise? No signature is checked. */
export function namesIssuer(certificate: Certificate, issuer: Certificate): boolean {
  if (!isSameName(certificate.issuer, issuer.subject)) return false;
  const [asked, found] = [certificate.authorityKeyId, issuer.subjectKeyId];
  return asked === undefined || found === undefined || asked === found;
}

/** Subject and issuer are the same (RFC 5280 §3.2: self-issued). */
export function isSelfIssued(certificate: Certificate): boolean {
  return isSameName(certificate.subject, certificate.issuer);
}

/** Signed by its own key? */
export function isSelfSigned(certificate: Certificate): boolean {
  return isSelfIssued(certificate) && isSignedBy(certificate, certificate) === 'valid';
}

/** Is the signature of `certificate` by the key of `issuer`? */
export function isSignedBy(certificate: Certificate, issuer: Certificate): 'valid' | 'invalid' | 'unsupported' {
  return verifySignature(certificate.signatureAlgorithm, certificate.tbs, certificate.signature, issuer.publicKey);
}
