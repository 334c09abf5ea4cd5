import { toHex } from '../base/bytes.js';
import { MtlsError, isError } from '../errors.js';
import { type AlgorithmIdentifier, readAlgorithm } from './algorithms.js';
import { DerReader, TAG, contextConstructed } from './der.js';
import { type Extension, authorityKeyId, decodeExtension, readExtensions } from './extensions.js';
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
    const start = outer.offset;
    const inner = outer.enter();
    const tbs = outer.since(start);
    const signatureAlgorithm = readAlgorithm(outer);
    const signature = outer.bitStringOctets();
    outer.end();
    const bytes = Buffer.isBuffer(der) ? der : Buffer.from(der.buffer, der.byteOffset, der.byteLength);
    return { der: bytes, tbs, signatureAlgorithm, signature, ...readTbs(inner) };
  });
}

function readTbs(reader: DerReader): Omit<Crl, 'der' | 'tbs' | 'signatureAlgorithm' | 'signature'> {
  let version: 1 | 2 = 1;
  if (reader.peek() === TAG.integer) {
    if (reader.smallInteger() !== 1) reader.refuse('integer too large', 'a CRL of version 2');
    version = 2;
  }
  const innerAlgorithm = readAlgorithm(reader);
  const issuer = readName(reader);
  const thisUpdate = reader.time();
  const nextUpdate = reader.peek() === TAG.utcTime || reader.peek() === TAG.generalizedTime ? reader.time() : undefined;
  const revoked = reader.peek() === TAG.sequence ? reader.content(TAG.sequence) : Buffer.alloc(0);
  const wrapped = reader.enterOptional(contextConstructed(0));
  if (wrapped !== undefined && version === 1) reader.refuse('unexpected tag', 'extensions need version 2');
  const extensions = wrapped === undefined ? [] : readExtensions(wrapped);
  wrapped?.end();
  reader.end();
  const number = extensions.find(({ oid }) => oid === OID.crlNumber);
  const issuerKey = extensions.find(({ oid }) => oid === OID.authorityKeyIdentifier);
  return {
    version,
    innerAlgorithm,
    issuer,
    thisUpdate,
    nextUpdate,
    revoked,
    extensions,
    number: number === undefined ? undefined : decodeExtension(number, crlNumber),
    authorityKeyId: issuerKey === undefined ? undefined : decodeExtension(issuerKey, authorityKeyId),
  };
}

function crlNumber(value: Buffer): string {
  const reader = new DerReader(value);
  const number = toHex(reader.integer());
  reader.end();
  return number;
}

/** Walks the entries in the order of the CRL. Throws CRL_MALFORMED at the first that is not one. */
export function* revokedEntries(crl: Crl): Generator<RevokedEntry> {
  const reader = new DerReader(crl.revoked);
  const read = (): RevokedEntry => readEntry(reader, crl.version);
  while (!reader.atEnd) yield asCrlError(read);
}

/**
 * The entry for a certificate of this CRL's issuer, or undefined; `serial` is the INTEGER's octets, as a certificate
 * has it. Walks the list once, decoding serial numbers only: a million entries in less than a tenth of a second.
 */
export function findRevoked(crl: Crl, serial: string): RevokedEntry | undefined {
  const at = scanRevoked(crl, Buffer.from(serial, 'hex')).found;
  return at === undefined ? undefined : asCrlError(() => readEntry(new DerReader(crl.revoked, at), crl.version));
}

/** How many entries there are. */
export function countRevoked(crl: Crl): number {
  return scanRevoked(crl).count;
}

/**
 * The offset of the first entry for `wanted`, or else how many entries there are. Nearly every entry is a SEQUENCE
 * below 128 octets that begins with an INTEGER: these are walked over the bytes, without an object for each. Whatever
 * else is met goes through DerReader, so that there is one strictness and one set of errors.
 *
 *     30 len | 02 len serial | time | extensions
 */
function scanRevoked({ revoked }: Crl, wanted?: Buffer): { readonly count: number; readonly found: number | undefined } {
  const end = revoked.length;
  let count = 0;
  for (let at = 0; at < end; count++) {
    const next = at + 2 + revoked[at + 1]!;
    const serial = at + 4;
    const length = revoked[at + 3]!;
    const first = revoked[serial]!;
    const plain =
      revoked[at] === TAG.sequence &&
      next <= end &&
      next - at < 130 &&
      revoked[at + 2] === TAG.integer &&
      length > 0 &&
      serial + length <= next &&
      (length === 1 || ((first !== 0x00 || revoked[serial + 1]! >= 0x80) && (first !== 0xff || revoked[serial + 1]! < 0x80)));
    if (!plain) {
      const reader = new DerReader(revoked, at);
      const entry = asCrlError(() => reader.enter().integer());
      if (wanted?.equals(entry)) return { count, found: at };
      at = reader.offset;
      continue;
    }
    if (wanted?.length === length && equalAt(revoked, serial, wanted)) return { count, found: at };
    at = next;
  }
  return { count, found: undefined };
}

function equalAt(bytes: Buffer, at: number, wanted: Buffer): boolean {
  // random serial numbers differ in their last octet as soon as in their first, and the first is often 00
  for (let i = wanted.length - 1; i >= 0; i--) if (bytes[at + i] !== wanted[i]) return false;
  return true;
}

function readEntry(reader: DerReader, version: Crl['version']): RevokedEntry {
  const item = reader.enter();
  const serial = toHex(item.integer());
  const date = item.time();
  if (item.atEnd) return { serial, date, reason: undefined, extensions: [] };
  if (version === 1) item.fail('unexpected tag', 'extensions of an entry need version 2');
  const extensions = readExtensions(item);
  item.end();
  const reason = extensions.find(({ oid }) => oid === OID.reasonCode);
  return { serial, date, reason: reason === undefined ? undefined : decodeExtension(reason, reasonOf), extensions };
}

function reasonOf(value: Buffer): Reason | number {
  const reader = new DerReader(value);
  const code = reader.smallInteger(TAG.enumerated);
  reader.end();
  return REASONS[code] ?? code;
}

function asCrlError<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!isError(error, 'DER_MALFORMED')) throw error;
    throw new MtlsError('CRL_MALFORMED', { problem: error.message }, { cause: error });
  }
}
