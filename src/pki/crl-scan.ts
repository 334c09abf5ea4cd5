import { toHex } from '../base/bytes.js';
import { CRL_FILE_LIMIT, readFileBounded } from '../base/files.js';
import { type Source, Window, inWindows } from '../base/windows.js';
import { MtlsError } from '../errors.js';
import { Base64Decoder } from './base64.js';
import { type RevokedEntry, findRevoked, readCrl } from './crl.js';
import { DerReader, TAG } from './der.js';
import { crlsIn } from './material.js';
import type { Name } from './name.js';

/** The entry for a serial number, and whose CRL has it. */
export interface Listed {
  readonly issuer: Name;
  readonly entry: RevokedEntry;
}

/**
 * The first entry for `serial` (the INTEGER's octets in hex) in each CRL of a file that has one, as `crlsIn` and
 * `findRevoked` find it. Nearly every file is scanned and never in memory: a CRL of a million entries has 65 MB of PEM.
 * Any other is left to those two, so that there is one strictness and one set of errors. Throws as they do.
 */
export function lookUpSerial(path: string, serial: string): Listed[] {
  return scanSerial(path, serial) ?? findInWhole(path, serial);
}

function findInWhole(path: string, serial: string): Listed[] {
  return crlsIn(readFileBounded(path, CRL_FILE_LIMIT, 'a CRL (PEM or DER)'), path).flatMap((crl) => {
    const entry = findRevoked(crl, serial);
    return entry === undefined ? [] : [{ issuer: crl.issuer, entry }];
  });
}

/**
 * The same through a window of `size` octets that moves along the file. Undefined for what is no regular file of CRLs alone,
 * one of DER or blocks of PEM; for a field or an entry above 256 kB; and as soon as anything is malformed.
 */
export function scanSerial(path: string, serial: string, size = 256 * 1024): Listed[] | undefined {
  const wanted = Buffer.from(serial, 'hex');
  return inWindows(path, { limit: CRL_FILE_LIMIT, size }, (window) => scanFile(window, wanted));
}

/** What was found, or undefined when somebody stricter must look. */
type Found = Listed[] | undefined;

function scanFile(window: Window, wanted: Buffer): Found {
  if (!window.need(1)) return undefined;
  try {
    // text that begins with this octet, the digit 0, may be DER as well
    return window.bytes[window.at] === TAG.sequence ? scanCrl(window, wanted) : scanPem(window, wanted);
  } catch (error) {
    if (!(error instanceof MtlsError)) throw error;
    return undefined;
  }
}

const ANY_BEGIN = '-----BEGIN ';
const [BEGIN, END] = ['-----BEGIN X509 CRL-----', '-----END X509 CRL-----'];
const MOST_BLOCKS = 1000;

/** Each block of a PEM file (RFC 7468), if all of them are CRLs. */
function scanPem(text: Window, wanted: Buffer): Found {
  const all: Listed[] = [];
  let blocks = 0;
  for (; goTo(text, ANY_BEGIN); blocks++) {
    if (blocks === MOST_BLOCKS || !goPast(text, BEGIN)) return undefined;
    const body = new Body(text);
    const found = scanCrl(new Window(body.read, text.bytes.length), wanted);
    if (found === undefined || !body.isWhole || !goPast(text, END)) return undefined;
    all.push(...found);
  }
  return blocks === 0 ? undefined : all;
}

/** Stands before the next `mark`; false when there is none. */
function goTo(text: Window, mark: string): boolean {
  while (text.need(mark.length)) {
    const at = text.bytes.subarray(0, text.end).indexOf(mark, text.at);
    if (at >= 0) {
      text.at = at;
      return true;
    }
    // it may have begun
    text.at = text.end - mark.length + 1;
  }
  return false;
}

function goPast(text: Window, mark: string): boolean {
  return text.take(mark.length)?.equals(Buffer.from(mark)) === true;
}

/** What a block holds: its text is decoded as it is read, up to what is no base64. */
class Body {
  /** Only once all is read. */
  isWhole = false;
  readonly #text: Window;
  readonly #decoder = new Base64Decoder();
  #ended = false;

  constructor(text: Window) {
    this.#text = text;
  }

  readonly read: Source = (bytes, at) => {
    const text = this.#text;
    while (!this.#ended && text.need(1)) {
      const { read, written } = this.#decoder.decode(text.bytes.subarray(text.at, text.end), bytes, at);
      text.at += read;
      if (written > 0) return written;
      this.#ended = read === 0;
    }
    if (this.isWhole) return 0;
    const rest = this.#decoder.end(bytes, at);
    this.isWhole = rest !== undefined;
    return rest ?? 0;
  };
}

/**
 * The CRL that a window stands before and that must be all that is in it. The entries are left behind as they come, and
 * `readCrl` judges what there is besides them (RFC 5280 §5.1), with the entry that was wanted:
 *
 *     SEQUENCE { SEQUENCE { [INTEGER] alg name time [time] [SEQUENCE { entry … }] [extensions] } alg BIT STRING }
 */
function scanCrl(window: Window, wanted: Buffer): Found {
  const outer = enter(window);
  const tbs = enter(window);
  if (outer === undefined || tbs === undefined || tbs > outer) return undefined;
  const fields = takeFields(window, tbs);
  if (fields === undefined) return undefined;
  const isListed = window.offset < tbs && window.bytes[window.at] === TAG.sequence;
  const revoked = isListed ? scanList(window, tbs, wanted) : [];
  if (revoked === undefined) return undefined;
  const extensions = window.take(tbs - window.offset);
  const signature = window.take(outer - window.offset);
  if (extensions === undefined || signature === undefined || window.need(1)) return undefined;
  const crl = readCrl(sequence(sequence(...fields, ...revoked, extensions), signature));
  const entry = findRevoked(crl, toHex(wanted));
  return entry === undefined ? [] : [{ issuer: crl.issuer, entry }];
}

const isTime = (tag: number | undefined): boolean => tag === TAG.utcTime || tag === TAG.generalizedTime;
const MOST_FIELDS = 5;

/** The fields up to the last time: what comes behind it is the list, if it is a SEQUENCE. */
function takeFields(window: Window, end: number): Buffer[] | undefined {
  const fields: Buffer[] = [];
  while (window.offset < end) {
    const header = headerOf(window);
    if (header === undefined) return undefined;
    if (isTime(fields.at(-1)?.[0]) && !isTime(header.tag)) return fields;
    const field = fields.length < MOST_FIELDS ? window.take(header.size + header.length) : undefined;
    if (field === undefined) return undefined;
    fields.push(field);
  }
  return window.offset === end ? fields : undefined;
}

/** The list with what was wanted alone; the window stands behind it. */
function scanList(window: Window, limit: number, wanted: Buffer): Buffer[] | undefined {
  const end = enter(window);
  if (end === undefined || end > limit) return undefined;
  for (;;) {
    window.at = passPlain(window.bytes, { at: window.at, end: Math.min(window.end, window.at + end - window.offset) }, wanted);
    if (window.offset === end) return [sequence()];
    const header = headerOf(window);
    const size = header === undefined ? Infinity : header.size + header.length;
    if (size > end - window.offset) return undefined;
    const entry = window.take(size);
    if (entry === undefined) return undefined;
    if (!new DerReader(entry).enter().integer().equals(wanted)) continue;
    return window.skip(end - window.offset) ? [sequence(entry)] : undefined;
  }
}

/**
 * Where the first entry begins that is not as plain as nearly all are, or not whole before `end`, or the one that is
 * wanted; `end` when there is none. `findRevoked` walks in the same way.
 *
 *     30 len | 02 len serial | time | extensions
 */
function passPlain(bytes: Buffer, { at, end }: { at: number; end: number }, wanted: Buffer): number {
  const last = wanted.length - 1;
  for (;;) {
    const next = at + 2 + bytes[at + 1]!;
    const serial = at + 4;
    const length = bytes[at + 3]!;
    const first = bytes[serial]!;
    const plain =
      next <= end &&
      bytes[at] === TAG.sequence &&
      next - at < 130 &&
      bytes[at + 2] === TAG.integer &&
      length > 0 &&
      serial + length <= next &&
      (length === 1 || ((first !== 0x00 || bytes[serial + 1]! >= 0x80) && (first !== 0xff || bytes[serial + 1]! < 0x80)));
    if (!plain) return at;
    // random serial numbers differ in their last octet as soon as in their first, and the first is often 00
    if (length === wanted.length && bytes[serial + last] === wanted[last] && wanted.equals(bytes.subarray(serial, serial + length)))
      return at;
    at = next;
  }
}

/** Goes into a SEQUENCE and answers the offset of its end. */
function enter(window: Window): number | undefined {
  const header = headerOf(window);
  if (header?.tag !== TAG.sequence) return undefined;
  window.at += header.size;
  return window.offset + header.length;
}

interface Header {
  readonly tag: number;
  readonly size: number;
  readonly length: number;
}

/** The tag and length before which a window stands; undefined unless DER writes them so (X.690 §10.1). */
function headerOf(window: Window): Header | undefined {
  if (!window.need(2)) return undefined;
  const octets = window.bytes[window.at + 1]! - 0x80;
  if (octets < 0) return { tag: window.bytes[window.at]!, size: 2, length: octets + 0x80 };
  if (octets === 0 || octets > 4 || !window.need(2 + octets)) return undefined;
  const { bytes, at } = window;
  const length = bytes.readUIntBE(at + 2, octets);
  return length < 0x80 || bytes[at + 2] === 0 ? undefined : { tag: bytes[at]!, size: 2 + octets, length };
}

/** `element` of `encode`, without loading the encoder. */
function sequence(...contents: readonly Buffer[]): Buffer {
  const content = Buffer.concat(contents);
  if (content.length < 0x80) return Buffer.concat([Buffer.of(TAG.sequence, content.length), content]);
  const header = Buffer.of(TAG.sequence, 0x84, 0, 0, 0, 0);
  header.writeUInt32BE(content.length, 2);
  const zeros = header.subarray(2).findIndex((octet) => octet !== 0);
  header[1] = 0x84 - zeros;
  return Buffer.concat([header.subarray(0, 2), header.subarray(2 + zeros), content]);
}
