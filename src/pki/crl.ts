import { toHex } from '../base/bytes.js';
import { MtlsError, isError } from '../errors.js';
import { type AlgorithmIdentifier, readAlgorithm } from './algorithms.js';
import { DerReader, TAG, contextConstructed } from './der.js';
import { type Extension, authorityKeyId, readExtensions } from './extensions.js';
import { type Name, readName } from './name.js';
import { OID } from './oids.js';

/** Reasons by their RFC names (RFC 5280 §5.3.1); the index is the code, 7 is not used. */
export const REASONS = [
  'unspecified',
  'keyCompromise',
  'cACompromise',
  'affiliationChanged',
  'superseded',
  'cessationOfOperation',
  'certificateHold',
  undefined,
  'removeFromCRL',
  'privilegeWithdrawn',
  'aACompromise',
] as const;
export type Reason = NonNullable<(typeof REASONS)[number]>;

/** One revoked certificate. `reason` is a number when the code is unknown. */
export interface RevokedEntry {
  readonly serial: string;
  readonly date: number;
  readonly reason: Reason | number | undefined;
  readonly extensions: readonly Extension[];
}

/** A CRL (RFC 5280 §5.1) as a value; its entries stay bytes and are walked when asked for. */
export interface Crl {
  readonly der: Buffer;
  readonly tbs: Buffer;
  readonly version: 1 | 2;
  readonly innerAlgorithm: AlgorithmIdentifier;
  readonly signatureAlgorithm: AlgorithmIdentifier;
  readonly signature: Buffer;
  readonly issuer: Name;
  readonly thisUpdate: number;
  readonly nextUpdate: number | undefined;
  readonly extensions: readonly Extension[];
  /** The INTEGER's octets in hex. */
  readonly number: string | undefined;
  readonly authorityKeyId: string | undefined;
  /** The content octets of revokedCertificates; empty when there are none. */
  readonly revoked: Buffer;
}

/** Reads a CRL strictly, its entries for their form only when they are walked. Throws CRL_MALFORMED. */
export function readCrl(der: Uint8Array): Crl {
  return asCrlError(() => {
    const outer = DerReader.within(der);
    const tbs = outer.element(TAG.sequence).whole;
    const signatureAlgorithm = readAlgorithm(outer);
    const signature = outer.bitStringOctets();
    outer.end();
    const bytes = Buffer.isBuffer(der) ? der : Buffer.from(der.buffer, der.byteOffset, der.byteLength);
    return { der: bytes, tbs, signatureAlgorithm, signature, ...readTbs(tbs) };
  });
}

function readTbs(tbs: Buffer): Omit<Crl, 'der' | 'tbs' | 'signatureAlgorithm' | 'signature'> {
  const reader = new DerReader(tbs).enter();
  let version: 1 | 2 = 1;
  if (reader.peek() === TAG.integer) {
    if (reader.smallInteger() !== 1) reader.fail('integer too large', 'a CRL of version 2');
    version = 2;
  }
  const innerAlgorithm = readAlgorithm(reader);
  const issuer = readName(reader);
  const thisUpdate = reader.time();
  const nextUpdate = reader.peek() === TAG.utcTime || reader.peek() === TAG.generalizedTime ? reader.time() : undefined;
  const revoked = reader.peek() === TAG.sequence ? reader.content(TAG.sequence) : Buffer.alloc(0);
  const wrapped = reader.enterOptional(contextConstructed(0));
  if (wrapped !== undefined && version === 1) reader.fail('unexpected tag', 'extensions need version 2');
  const extensions = wrapped === undefined ? [] : readExtensions(wrapped);
  wrapped?.end();
  reader.end();
  const value = (oid: string): Buffer | undefined => extensions.find((extension) => extension.oid === oid)?.value;
  const number = value(OID.crlNumber);
  const akid = value(OID.authorityKeyIdentifier);
  return {
    version,
    innerAlgorithm,
    issuer,
    thisUpdate,
    nextUpdate,
    revoked,
    extensions,
    number: number === undefined ? undefined : toHex(new DerReader(number).integer()),
    authorityKeyId: akid === undefined ? undefined : authorityKeyId(akid),
  };
}

/** Walks the entries in the order of the CRL. Throws CRL_MALFORMED at the first that is not one. */
export function* revokedEntries(crl: Crl): Generator<RevokedEntry> {
  const reader = new DerReader(crl.revoked);
  while (!reader.atEnd) yield asCrlError(() => readEntry(reader));
}

/** The entry for a certificate of this CRL's issuer, or undefined. Walks the list once, decoding serial numbers only. */
export function findRevoked(crl: Crl, serial: string): RevokedEntry | undefined {
  const wanted = Buffer.from(serial, 'hex');
  return asCrlError(() => {
    const reader = new DerReader(crl.revoked);
    while (!reader.atEnd) {
      const { whole } = reader.element(TAG.sequence);
      if (new DerReader(whole).enter().integer().equals(wanted)) return readEntry(new DerReader(whole));
    }
    return undefined;
  });
}

/** How many entries there are. */
export function countRevoked(crl: Crl): number {
  return asCrlError(() => {
    const reader = new DerReader(crl.revoked);
    let count = 0;
    for (; !reader.atEnd; count++) reader.content(TAG.sequence);
    return count;
  });
}

function readEntry(reader: DerReader): RevokedEntry {
  const item = reader.enter();
  const serial = toHex(item.integer());
  const date = item.time();
  const extensions = item.atEnd ? [] : readExtensions(item);
  item.end();
  const code = extensions.find((extension) => extension.oid === OID.reasonCode)?.value;
  const number = code === undefined ? undefined : new DerReader(code).smallInteger(TAG.enumerated);
  return { serial, date, reason: number === undefined ? undefined : (REASONS[number] ?? number), extensions };
}

function asCrlError<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!isError(error, 'DER_MALFORMED')) throw error;
    throw new MtlsError('CRL_MALFORMED', { problem: error.message }, { cause: error });
  }
}
