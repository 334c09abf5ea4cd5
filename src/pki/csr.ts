import { MtlsError, isError } from '../errors.js';
import { type AlgorithmIdentifier, type PublicKeyInfo, readAlgorithm, readPublicKeyInfo, verifySignature } from './algorithms.js';
import { DerReader, TAG, contextConstructed } from './der.js';
import { type Extension, decodeCertificateExtensions, readExtensions } from './extensions.js';
import { type GeneralNames, NO_NAMES } from './general-name.js';
import { type Name, readName } from './name.js';
import { OID } from './oids.js';

/** A certification request (RFC 2986) as a value. */
export interface Csr {
  readonly der: Buffer;
  readonly tbs: Buffer;
  readonly subject: Name;
  readonly publicKey: PublicKeyInfo;
  readonly extensions: readonly Extension[];
  readonly subjectAltName: GeneralNames;
  readonly signatureAlgorithm: AlgorithmIdentifier;
  readonly signature: Buffer;
}

/** Reads a certification request strictly. Throws CSR_MALFORMED. */
export function readCsr(der: Uint8Array): Csr {
  try {
    const outer = DerReader.within(der);
    const start = outer.offset;
    const inner = outer.enter();
    const tbs = outer.since(start);
    const signatureAlgorithm = readAlgorithm(outer);
    const signature = outer.bitStringOctets();
    outer.end();
    const bytes = Buffer.isBuffer(der) ? der : Buffer.from(der.buffer, der.byteOffset, der.byteLength);
    return { der: bytes, tbs, signatureAlgorithm, signature, ...readInfo(inner) };
  } catch (error) {
    if (!isError(error, 'DER_MALFORMED')) throw error;
    throw new MtlsError('CSR_MALFORMED', { problem: error.message }, { cause: error });
  }
}

/** Is the request signed by the key that it asks a certificate for (proof of possession)? */
export function provesPossession(csr: Csr): boolean {
  return verifySignature(csr.signatureAlgorithm, csr.tbs, csr.signature, csr.publicKey) === 'valid';
}

function readInfo(reader: DerReader): Pick<Csr, 'subject' | 'publicKey' | 'extensions' | 'subjectAltName'> {
  if (reader.smallInteger() !== 0) reader.refuse('integer too large', 'a request of version 1');
  const subject = readName(reader);
  const publicKey = readPublicKeyInfo(reader);
  let extensions: Extension[] | undefined;
  // [0] IMPLICIT SET OF Attribute: required by RFC 2986, left out by some
  const attributes = reader.enterOptional(contextConstructed(0));
  while (attributes !== undefined && !attributes.atEnd) {
    const attribute = attributes.enter();
    const type = attribute.oid();
    const values = attribute.enter(TAG.set);
    attribute.end();
    if (type !== OID.extensionRequest) continue;
    // two lists could say two things: whoever grants the request must see the one that is there
    if (extensions !== undefined) attributes.refuse('trailing bytes', 'a second extensionRequest');
    extensions = readExtensions(values);
    values.end();
  }
  reader.end();
  const subjectAltName = extensions === undefined ? NO_NAMES : decodeCertificateExtensions(extensions).subjectAltName;
  return { subject, publicKey, extensions: extensions ?? [], subjectAltName };
}
