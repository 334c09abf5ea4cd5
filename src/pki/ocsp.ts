import { MtlsError, isError } from '../errors.js';
import { type AlgorithmIdentifier, readAlgorithm } from './algorithms.js';
import { type CertId, readCertId } from './cert-id.js';
import { type Certificate, readCertificate } from './certificate.js';
import { REASONS, type Reason } from './crl.js';
import { DerReader, TAG, context, contextConstructed } from './der.js';
import { type Extension, readExtensions } from './extensions.js';
import { type Name, readName } from './name.js';
import { OID } from './oids.js';

/** OCSPResponseStatus by number (RFC 6960 §4.2.1). */
export const OCSP_STATUSES = [
  'successful',
  'malformedRequest',
  'internalError',
  'tryLater',
  undefined,
  'sigRequired',
  'unauthorized',
] as const;

/** What a responder says of one certificate. Times are milliseconds since 1970. */
export interface SingleResponse {
  readonly certId: CertId;
  readonly status: 'good' | 'revoked' | 'unknown';
  readonly revokedAt: number | undefined;
  readonly reason: Reason | number | undefined;
  readonly thisUpdate: number;
  readonly nextUpdate: number | undefined;
  readonly extensions: readonly Extension[];
}

/** A successful OCSP response (RFC 6960 §4.2.1) as a value. */
export interface OcspResponse {
  readonly der: Buffer;
  readonly tbs: Buffer;
  readonly signatureAlgorithm: AlgorithmIdentifier;
  readonly signature: Buffer;
  readonly responder: { readonly name: Name } | { readonly keyHash: Buffer };
  readonly producedAt: number;
  readonly responses: readonly SingleResponse[];
  readonly extensions: readonly Extension[];
  /** What the responder sent to be checked with. */
  readonly certificates: readonly Certificate[];
}

/**
 * Reads an OCSP response strictly. Throws OCSP_MALFORMED, also for one that says only why there is no answer.
 *
 *     OCSPResponse      ::= SEQUENCE { ENUMERATED, [0] SEQUENCE { id-pkix-ocsp-basic, OCTET STRING } }
 *     BasicOCSPResponse ::= SEQUENCE { tbs SEQUENCE { [0] version, responderID, producedAt, responses, [1] }, algorithm, signature, [0] certs }
 */
export function readOcspResponse(der: Uint8Array): OcspResponse {
  try {
    const outer = DerReader.within(der);
    const status = outer.smallInteger(TAG.enumerated);
    if (status !== 0) throw new MtlsError('OCSP_MALFORMED', { problem: `the responder answered ${OCSP_STATUSES[status] ?? status}` });
    const wrapped = outer.enter(contextConstructed(0));
    outer.end();
    const bytes = wrapped.enter();
    wrapped.end();
    const type = bytes.oid();
    if (type !== OID.ocspBasic) throw new MtlsError('OCSP_MALFORMED', { problem: `a response of type ${type}, expected a basic one` });
    const basic = bytes.octetString();
    bytes.end();
    return { der: Buffer.from(der.buffer, der.byteOffset, der.byteLength), ...readBasic(DerReader.within(basic)) };
  } catch (error) {
    if (!isError(error, 'DER_MALFORMED') && !isError(error, 'CERTIFICATE_MALFORMED')) throw error;
    throw new MtlsError('OCSP_MALFORMED', { problem: error.message }, { cause: error });
  }
}

function readBasic(reader: DerReader): Omit<OcspResponse, 'der'> {
  const start = reader.offset;
  const data = reader.enter();
  const tbs = reader.since(start);
  const signatureAlgorithm = readAlgorithm(reader);
  const signature = reader.bitStringOctets();
  const certificates: Certificate[] = [];
  const wrapped = reader.enterOptional(contextConstructed(0));
  const list = wrapped?.enter();
  wrapped?.end();
  while (list !== undefined && !list.atEnd) certificates.push(readCertificate(list.element(TAG.sequence).whole));
  reader.end();
  return { tbs, signatureAlgorithm, signature, certificates, ...readData(data) };
}

function readData(reader: DerReader): Pick<OcspResponse, 'responder' | 'producedAt' | 'responses' | 'extensions'> {
  // there is no other version than 1, and that is the default, which DER leaves out
  if (reader.peek() === contextConstructed(0)) reader.fail('default value encoded', 'version 1');
  const byName = reader.enterOptional(contextConstructed(1));
  const byKey = byName ?? reader.enter(contextConstructed(2));
  const responder = byName === undefined ? { keyHash: byKey.octetString() } : { name: readName(byName) };
  byKey.end();
  const producedAt = reader.time();
  const list = reader.enter();
  const responses: SingleResponse[] = [];
  while (!list.atEnd) responses.push(readSingle(list.enter()));
  const extensions = optionalExtensions(reader);
  reader.end();
  return { responder, producedAt, responses, extensions };
}

function readSingle(reader: DerReader): SingleResponse {
  const certId = readCertId(reader);
  const status = readStatus(reader);
  const thisUpdate = reader.time();
  const next = reader.enterOptional(contextConstructed(0));
  const nextUpdate = next?.time();
  next?.end();
  const extensions = optionalExtensions(reader);
  reader.end();
  return { certId, ...status, thisUpdate, nextUpdate, extensions };
}

/** `CHOICE { [0] good NULL, [1] revoked { time, [0] reason }, [2] unknown NULL }` */
function readStatus(reader: DerReader): Pick<SingleResponse, 'status' | 'revokedAt' | 'reason'> {
  const revoked = reader.enterOptional(contextConstructed(1));
  if (revoked === undefined) {
    const status = reader.peek() === context(0) ? 'good' : 'unknown';
    if (reader.content(status === 'good' ? context(0) : context(2)).length > 0) reader.refuse('malformed null');
    return { status, revokedAt: undefined, reason: undefined };
  }
  const revokedAt = revoked.time();
  const wrapped = revoked.enterOptional(contextConstructed(0));
  const code = wrapped?.smallInteger(TAG.enumerated);
  wrapped?.end();
  revoked.end();
  return { status: 'revoked', revokedAt, reason: code === undefined ? undefined : (REASONS[code] ?? code) };
}

function optionalExtensions(reader: DerReader): Extension[] {
  const wrapped = reader.enterOptional(contextConstructed(1));
  const extensions = wrapped === undefined ? [] : readExtensions(wrapped);
  wrapped?.end();
  return extensions;
}
