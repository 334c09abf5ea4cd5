import { MtlsError, isError } from '../errors.js';
import { readAlgorithm } from './algorithms.js';
import { type CertId, certId, readCertId } from './cert-id.js';
import type { Certificate } from './certificate.js';
import { DerReader, TAG, contextConstructed } from './der.js';
import { sequence, toDer } from './encode.js';
import { type Extension, decodeExtension, readExtensions } from './extensions.js';
import { OID, oidName } from './oids.js';

/** What a client asks an OCSP responder. */
export interface OcspRequest {
  /** One or more. */
  readonly certIds: readonly CertId[];
  /** What the answer must repeat, so that it cannot be an old one (RFC 8954). */
  readonly nonce: Buffer | undefined;
}

/** What a request may weigh: some fifty certificates, or one and a signature with its chain. */
export const OCSP_REQUEST_LIMIT = 4_096;
const LONGEST_NONCE = 32;

/**
 * Reads an OCSP request strictly; who asks, and a signature, are read for their form only. Throws OCSP_REQUEST_MALFORMED,
 * also for a critical extension that is not understood, and for a nonce of no octets or more than 32 (RFC 8954 §2.1).
 *
 *     OCSPRequest ::= SEQUENCE { tbs SEQUENCE { [0] version, [1] requestorName, requestList, [2] extensions }, [0] signature }
 *     Request     ::= SEQUENCE { CertID, [0] extensions }
 */
export function readOcspRequest(der: Uint8Array): OcspRequest {
  if (der.byteLength > OCSP_REQUEST_LIMIT)
    throw new MtlsError('OCSP_REQUEST_MALFORMED', { problem: `${der.byteLength} octets, expected at most ${OCSP_REQUEST_LIMIT}` });
  try {
    const outer = DerReader.within(der);
    const request = readTbs(outer.enter());
    passSignature(outer.enterOptional(contextConstructed(0)));
    outer.end();
    return request;
  } catch (error) {
    if (!isError(error, 'DER_MALFORMED')) throw error;
    throw new MtlsError('OCSP_REQUEST_MALFORMED', { problem: error.message }, { cause: error });
  }
}

function readTbs(reader: DerReader): OcspRequest {
  // there is no other version than 1, and that is the default, which DER leaves out
  if (reader.peek() === contextConstructed(0)) reader.fail('default value encoded', 'version 1');
  const requestor = reader.enterOptional(contextConstructed(1));
  requestor?.element();
  requestor?.end();
  const list = reader.enter();
  if (list.atEnd) list.fail('missing element', 'a certificate to ask about');
  const certIds: CertId[] = [];
  while (!list.atEnd) certIds.push(readRequest(list.enter()));
  const nonce = nonceIn(optionalExtensions(reader, 2));
  reader.end();
  return { certIds, nonce };
}

function readRequest(reader: DerReader): CertId {
  const id = readCertId(reader);
  assertUnderstood(optionalExtensions(reader, 0));
  reader.end();
  return id;
}

function optionalExtensions(reader: DerReader, n: number): readonly Extension[] {
  const wrapped = reader.enterOptional(contextConstructed(n));
  const extensions = wrapped === undefined ? [] : readExtensions(wrapped);
  wrapped?.end();
  return extensions;
}

/** Whoever makes an extension critical wants no answer that takes no account of it (RFC 6960 §4.4). */
function assertUnderstood(extensions: readonly Extension[]): void {
  const critical = extensions.find((extension) => extension.critical);
  if (critical === undefined) return;
  throw new MtlsError('OCSP_REQUEST_MALFORMED', { problem: `the critical extension ${oidName(critical.oid)} is not supported` });
}

/** `Nonce ::= OCTET STRING (SIZE(1..32))` */
function nonceIn(extensions: readonly Extension[]): Buffer | undefined {
  assertUnderstood(extensions.filter(({ oid }) => oid !== OID.ocspNonce));
  const extension = extensions.find(({ oid }) => oid === OID.ocspNonce);
  return extension === undefined ? undefined : decodeExtension(extension, readNonce);
}

function readNonce(value: Buffer): Buffer {
  const reader = new DerReader(value);
  const nonce = reader.octetString();
  if (nonce.length === 0 || nonce.length > LONGEST_NONCE) reader.refuse('malformed string', 'a nonce of 1 to 32 octets');
  reader.end();
  return nonce;
}

/** `[0] SEQUENCE { AlgorithmIdentifier, BIT STRING, [0] SEQUENCE OF Certificate }` */
function passSignature(wrapped: DerReader | undefined): void {
  if (wrapped === undefined) return;
  const signature = wrapped.enter();
  readAlgorithm(signature);
  signature.bitStringOctets();
  const certificates = signature.enterOptional(contextConstructed(0));
  const list = certificates?.enter();
  while (list !== undefined && !list.atEnd) list.element(TAG.sequence);
  certificates?.end();
  signature.end();
  wrapped.end();
}

/** Asks about one certificate, of which `issuer` is the issuer, without a nonce: the answer may be one that is kept (RFC 5019 §2.1). */
export function ocspRequestFor(certificate: Certificate, issuer: Certificate): Buffer {
  return toDer(sequence(sequence(sequence(sequence(certId(certificate, issuer))))));
}
