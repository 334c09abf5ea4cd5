import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { userInfo } from 'node:os';
import { JsonObject } from '../../base/json.js';
import { havingDone, readError, writeError } from '../../base/files.js';
import { MtlsError, isError, systemCode } from '../../errors.js';
import { REASONS, type Reason } from '../../pki/crl.js';

/** The profiles that every workspace has: what a certificate may be used for. A team adds others as files. */
export const PROFILES = ['server', 'client', 'peer'] as const;

/** What every entry has: when, and which user of the operating system. CAs are named by their key identifiers, in hex. */
interface Noted {
  readonly at: Date;
  readonly by?: string;
}

/** A certificate was signed. Written before anybody can see the certificate. */
export interface Issued extends Noted {
  readonly event: 'issued';
  readonly serial: string;
  readonly issuer: string;
  readonly name: string;
  readonly namespace: string;
  readonly profile: string;
  readonly uri: string;
  readonly dns: readonly string[];
  readonly ip: readonly string[];
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly sha256: string;
  /** The serial number of the certificate that this one renews. */
  readonly renews?: string;
}

/** A CA of the workspace got a certificate; signed by itself, `issuer` is its own key. */
export interface CaCertified extends Noted {
  readonly event: 'ca';
  readonly serial: string;
  readonly issuer: string;
  readonly key: string;
  readonly name: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly sha256: string;
}

/** A CA signed for its own errands: an OCSP responder, or a client that asks who trusts it. It lives for days at most, in memory alone. */
export interface Delegated extends Noted {
  readonly event: 'delegated';
  readonly serial: string;
  readonly issuer: string;
  readonly name: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly sha256: string;
}

/** A certificate is no longer to be trusted. Written before the CRL that says so; once more when the reason became a graver one. */
export interface Revoked extends Noted {
  readonly event: 'revoked';
  readonly serial: string;
  readonly issuer: string;
  /** When the certificate ends by itself. */
  readonly notAfter: Date;
  readonly reason: Reason;
}

/** A hold (`certificateHold`) was lifted: the certificate is good again. */
export interface Released extends Noted {
  readonly event: 'released';
  readonly serial: string;
  readonly issuer: string;
}

/** A CRL was signed. Written before the CRL, so that no number is ever used twice, even when the file is lost. */
export interface CrlSigned extends Noted {
  readonly event: 'crl';
  readonly issuer: string;
  readonly number: number;
}

const KEY_EVENTS = ['sealed', 'unsealed', 'burnt'] as const;

/** The key of the root left the workspace, came back, or is no more. */
export interface KeyMoved extends Noted {
  readonly event: (typeof KEY_EVENTS)[number];
  readonly key: string;
}

export const ROTATION_EVENTS = ['prepared', 'cancelled', 'activated', 'retired'] as const;

/** A root takes the place of another: made (or given up then), signing, trusted alone. Both by their key identifiers. */
export interface RootRotated extends Noted {
  readonly event: (typeof ROTATION_EVENTS)[number];
  readonly key: string;
  readonly replaces: string;
}

/** A CA was made that waits for its certificate: the first entry of such a workspace. */
interface CaRequested extends Noted {
  readonly event: 'requested';
  readonly key: string;
  readonly name: string;
}

export type LedgerEntry = Issued | CaCertified | Delegated | CaRequested | Revoked | Released | CrlSigned | KeyMoved | RootRotated;

/** What the first line carries for the hash of the line before it. */
export const GENESIS = '0'.repeat(64);

/** The hash by which a line is named in the next one: SHA-256 of its octets without the newline, in hex. */
export const lineHash = (line: string | Buffer): string => createHash('sha256').update(line).digest('hex');

/** The lines of `entries` behind the line whose hash is `prev`: each carries the hash of the one before it. */
function chained(entries: readonly LedgerEntry[], prev: string): string {
  const by = currentUser();
  let text = '';
  for (const { by: known = by, ...entry } of entries) {
    const line = JSON.stringify({ ...entry, by: known, prev });
    prev = lineHash(line);
    text += `${line}\n`;
  }
  return text;
}

/** Who runs this process, as the operating system calls them. */
export const currentUser = (): string => (user ??= userNow());

/** Asked once: it takes a look into the password database, and a process stays who it is. */
let user: string | undefined;

function userNow(): string {
  try {
    return userInfo().username;
  } catch {
    // nobody of that number is known: a container
    return String(process.getuid?.() ?? 'unknown');
  }
}

/** A ledger that begins with `entries`. */
export const newLedger = (entries: readonly LedgerEntry[]): string => chained(entries, GENESIS);

/**
 * Appends entries in one write and brings them to the disk. The last line of a process that was killed in the middle of
 * this is cut off first: it was never reported. A write that fails leaves the ledger as it was.
 *
 * Nothing is put behind a last line that is not one of ours: LEDGER_CORRUPT. Of the lines before it this knows nothing, so
 * that appending costs the same however long the ledger is; whoever reads all of it (list, revoke, crl) reads each, and
 * `verifyLedger` checks how they hang together.
 */
export function appendLedger(path: string, entries: readonly LedgerEntry[]): void {
  let handle: number | undefined;
  try {
    handle = fs.openSync(path, 'r+');
    const end = endOfLastLine(handle);
    const last = readLastLine(handle, end, path);
    fs.ftruncateSync(handle, end);
    const bytes = Buffer.from(chained(entries, lineHash(last)));
    try {
      for (let written = 0; written < bytes.length;) written += fs.writeSync(handle, bytes, written, bytes.length - written, end + written);
      fs.fsyncSync(handle);
    } catch (error) {
      takeBack(handle, end, writeError(path, error));
      throw error;
    }
  } catch (error) {
    // a ledger that is lost is not begun anew: numbers would be used twice
    throw systemCode(error) === 'ENOENT' ? readError(path, error) : writeError(path, error);
  } finally {
    if (handle !== undefined) fs.closeSync(handle);
  }
}

/** Cuts off what could not be written whole, because of `reason`. */
function takeBack(handle: number, end: number, reason: unknown): void {
  try {
    fs.ftruncateSync(handle, end);
  } catch {
    const done = 'the ledger may hold what was not done';
    havingDone({ done, rest: 'mtls list --all' }, () => {
      throw reason;
    });
  }
}

/** Looks back from `end`, which is that of the file unless told, so that it costs the same however long the ledger is. */
export function endOfLastLine(handle: number, end = fs.fstatSync(handle).size): number {
  const block = Buffer.alloc(4096);
  while (end > 0) {
    const start = Math.max(0, end - block.length);
    const read = fs.readSync(handle, block, 0, end - start, start);
    const newline = block.subarray(0, read).lastIndexOf(10);
    if (newline >= 0) return start + newline + 1;
    end = start;
  }
  return 0;
}

/** The line that ends at `end`. Throws LEDGER_CORRUPT when it is not one of ours, or when there is none. */
function readLastLine(handle: number, end: number, path: string): Buffer {
  if (end === 0) throw withoutEntries(path);
  const line = readRange(handle, endOfLastLine(handle, end - 1), end - 1);
  readUncounted(line.toString('utf8'), path);
  return line;
}

export function readRange(handle: number, start: number, end: number): Buffer {
  const bytes = Buffer.alloc(end - start);
  return bytes.subarray(0, fs.readSync(handle, bytes, 0, bytes.length, start));
}

/** An entry of which nobody knows the line. When it is not one of ours, the whole ledger is read to tell. */
function readUncounted(line: string, path: string): LedgerEntry {
  try {
    return readEntry(line, path);
  } catch (error) {
    readLedger(path);
    throw error;
  }
}

/** `init` writes the first entry: a ledger without any was emptied, and says nothing of what was revoked. */
export const withoutEntries = (path: string): MtlsError =>
  new MtlsError('LEDGER_CORRUPT', { path, problem: 'expected at least the entry that init writes, found none' });

/** Some 600 entries. */
const LOOK_BACK = 256 * 1024;

/**
 * The last entries that are about the CRLs, by issuer, and so say which file is behind; a CA has none when it is far from the
 * end, and its file is not behind then: whoever appends looks here first, and so what a killed process left undone stands
 * last. Throws LEDGER_CORRUPT when such an entry, or the last of all, is not one of ours.
 */
export function lastAboutCrls(path: string): ReadonlyMap<string, AboutCrl> {
  let handle: number | undefined;
  try {
    handle = fs.openSync(path, 'r');
    const end = endOfLastLine(handle);
    readLastLine(handle, end, path);
    const start = Math.max(0, end - LOOK_BACK);
    const tail = readRange(handle, start, end).toString('utf8');
    const lines = tail.split('\n').slice(start === 0 ? 0 : 1, -1);
    const found = new Map<string, AboutCrl>();
    for (const line of lines.filter((each) => ABOUT_CRL.test(each))) {
      const entry = readUncounted(line, path);
      if (entry.event === 'crl' || entry.event === 'revoked' || entry.event === 'released') found.set(entry.issuer, entry);
    }
    return found;
  } catch (error) {
    throw readError(path, error);
  } finally {
    if (handle !== undefined) fs.closeSync(handle);
  }
}

type AboutCrl = Revoked | Released | CrlSigned;
const ABOUT_CRL = /^\{"event":"(?:crl|revoked|released)"/;

/** What is revoked, by serial number: since when at first, and for the reason that was given last. */
export function revocationsIn(ledger: readonly LedgerEntry[]): ReadonlyMap<string, Revoked> {
  const revocations = new Map<string, Revoked>();
  for (const entry of ledger) {
    if (entry.event === 'released') revocations.delete(entry.serial);
    if (entry.event !== 'revoked') continue;
    revocations.set(entry.serial, { ...entry, at: revocations.get(entry.serial)?.at ?? entry.at });
  }
  return revocations;
}

/**
 * All entries in the order in which they were written. Throws LEDGER_CORRUPT with the line that is not one of ours, or
 * when there is no entry at all.
 */
export function readLedger(path: string): LedgerEntry[] {
  const entries: LedgerEntry[] = [];
  for (const line of wholeLines(path)) entries.push(readEntry(line, path, entries.length + 1));
  if (entries.length === 0) throw withoutEntries(path);
  return entries;
}

/** Octets that are read at once: a ledger of a million lines is longer than any string may be. */
const CHUNK = 4 * 1024 * 1024;

/** The lines that a newline ends, from that at `start` on: what stands behind the last one was never reported as done. */
export function* wholeLines(path: string, start = 0): Generator<string> {
  for (const block of wholeBlocks(path, start)) yield* linesOf(block.toString('utf8'));
}

/** The same as blocks of whole lines; each is good until the next one is asked for. */
export function* wholeBlocks(path: string, start = 0): Generator<Buffer> {
  let handle: number | undefined;
  try {
    handle = fs.openSync(path, 'r');
    const chunk = Buffer.allocUnsafe(CHUNK);
    let open = Buffer.alloc(0);
    for (let at = start, read = 1; read > 0; at += read) {
      read = fs.readSync(handle, chunk, 0, CHUNK, at);
      const end = chunk.subarray(0, read).lastIndexOf(NEWLINE) + 1;
      if (end > 0) yield open.length === 0 ? chunk.subarray(0, end) : Buffer.concat([open, chunk.subarray(0, end)]);
      open = Buffer.concat(end > 0 ? [chunk.subarray(end, read)] : [open, chunk.subarray(0, read)]);
    }
  } catch (error) {
    throw readError(path, error);
  } finally {
    if (handle !== undefined) fs.closeSync(handle);
  }
}

const NEWLINE = 0x0a;

function* linesOf(text: string): Generator<string> {
  let start = 0;
  for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', start)) {
    yield text.slice(start, end);
    start = end + 1;
  }
}

/** One entry, strictly. Throws LEDGER_CORRUPT. */
export function readEntry(line: string, path: string, number?: number): LedgerEntry {
  try {
    const entry = JsonObject.parse(line, 'entry');
    const event = entry.word('event', EVENTS);
    const noted = { at: entry.instant('at'), by: entry.string('by') };
    if (event === 'crl') return { event, ...noted, issuer: entry.string('issuer'), number: entry.count('number') };
    if (event === 'sealed' || event === 'unsealed' || event === 'burnt') return { event, ...noted, key: entry.string('key') };
    if (event === 'prepared' || event === 'cancelled' || event === 'activated' || event === 'retired')
      return { event, ...noted, key: entry.string('key'), replaces: entry.string('replaces') };
    if (event === 'requested') return { event, ...noted, key: entry.string('key'), name: entry.string('name') };
    const serial = entry.string('serial');
    if (!/^(?:[0-9a-f]{2}){1,21}$/.test(serial))
      throw new MtlsError('VALUE_INVALID', { what: 'serial', found: serial, expected: 'octets in hex' });
    const common = { ...noted, serial, issuer: entry.string('issuer') };
    if (event === 'released') return { event, ...common };
    const notAfter = entry.instant('notAfter');
    if (event === 'revoked') return { event, ...common, notAfter, reason: entry.word('reason', KNOWN_REASONS) };
    const life = { name: entry.string('name'), notBefore: entry.instant('notBefore'), notAfter, sha256: entry.string('sha256') };
    if (event === 'ca') return { event, ...common, key: entry.string('key'), ...life };
    if (event === 'delegated') return { event, ...common, ...life };
    const renews = entry.optionalString('renews');
    return {
      event,
      ...common,
      ...life,
      namespace: entry.string('namespace'),
      profile: entry.string('profile'),
      uri: entry.string('uri'),
      dns: entry.strings('dns'),
      ip: entry.strings('ip'),
      ...(renews === undefined ? {} : { renews }),
    };
  } catch (error) {
    if (!isError(error, 'VALUE_INVALID')) throw error;
    const where = number === undefined ? { path } : { path, line: number };
    throw new MtlsError('LEDGER_CORRUPT', { ...where, problem: error.message }, { cause: error });
  }
}

const EVENTS = ['issued', 'ca', 'delegated', 'requested', 'revoked', 'released', 'crl', ...KEY_EVENTS, ...ROTATION_EVENTS] as const;
const KNOWN_REASONS = REASONS.filter((reason) => reason !== undefined);
