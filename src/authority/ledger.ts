import * as fs from 'node:fs';
import { JsonObject } from '../base/json.js';
import { havingDone, readError, writeError } from '../base/files.js';
import { MtlsError, isError, systemCode } from '../errors.js';
import { REASONS, type Reason } from '../pki/crl.js';

/** What a certificate of ours may be used for. */
export const PROFILES = ['server', 'client', 'peer'] as const;
export type Profile = (typeof PROFILES)[number];

/** A certificate was signed. Written before anybody can see the certificate. */
export interface Issued {
  readonly event: 'issued';
  readonly at: Date;
  readonly serial: string;
  readonly name: string;
  readonly namespace: string;
  readonly profile: Profile;
  readonly uri: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly sha256: string;
}

/** A certificate is no longer to be trusted. Written before the CRL that says so; once more when the reason became a graver one. */
export interface Revoked {
  readonly event: 'revoked';
  readonly at: Date;
  readonly serial: string;
  readonly reason: Reason;
}

/** A CRL was signed. Written before the CRL, so that no number is ever used twice, even when the file is lost. */
export interface CrlSigned {
  readonly event: 'crl';
  readonly at: Date;
  readonly number: number;
}

export type LedgerEntry = Issued | Revoked | CrlSigned;

/**
 * Appends entries in one write and brings them to the disk. The last line of a process that was killed in the middle of
 * this is cut off first: it was never reported. A write that fails leaves the ledger as it was.
 *
 * Nothing is put behind a last line that is not one of ours: LEDGER_CORRUPT. Of the lines before it this knows nothing, so
 * that appending costs the same however long the ledger is; whoever reads all of it (list, revoke, crl) checks all of it.
 */
export function appendLedger(path: string, entries: readonly LedgerEntry[]): void {
  let handle: number | undefined;
  try {
    handle = fs.openSync(path, 'r+');
    const end = endOfLastLine(handle);
    readLastEntry(handle, end, path);
    fs.ftruncateSync(handle, end);
    const bytes = Buffer.from(entries.map((entry) => `${JSON.stringify(entry)}\n`).join(''));
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
function endOfLastLine(handle: number, end = fs.fstatSync(handle).size): number {
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

/** The entry that ends at `end`. Throws LEDGER_CORRUPT when it is not one of ours, or when there is none. */
function readLastEntry(handle: number, end: number, path: string): LedgerEntry {
  if (end === 0) throw withoutEntries(path);
  return readUncounted(readRange(handle, endOfLastLine(handle, end - 1), end - 1).toString('utf8'), path);
}

function readRange(handle: number, start: number, end: number): Buffer {
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
const withoutEntries = (path: string): MtlsError =>
  new MtlsError('LEDGER_CORRUPT', { path, problem: 'expected at least the entry that init writes, found none' });

/** Some 600 entries. */
const LOOK_BACK = 256 * 1024;

/**
 * The last entry that is about the CRL, and so says whether the file is behind; undefined when it is far from the end, and
 * the file is not behind then: whoever appends looks here first, and so what a killed process left undone stands last.
 * Throws LEDGER_CORRUPT when that entry, or the last of all, is not one of ours.
 */
export function lastAboutCrl(path: string): Revoked | CrlSigned | undefined {
  let handle: number | undefined;
  try {
    handle = fs.openSync(path, 'r');
    const end = endOfLastLine(handle);
    readLastEntry(handle, end, path);
    const start = Math.max(0, end - LOOK_BACK);
    const tail = `${start === 0 ? '\n' : ''}${readRange(handle, start, end).toString('latin1')}`;
    const at = Math.max(tail.lastIndexOf('\n{"event":"crl"'), tail.lastIndexOf('\n{"event":"revoked"'));
    const entry = at < 0 ? undefined : readUncounted(tail.slice(at + 1, tail.indexOf('\n', at + 1)), path);
    return entry?.event === 'issued' ? undefined : entry;
  } catch (error) {
    throw readError(path, error);
  } finally {
    if (handle !== undefined) fs.closeSync(handle);
  }
}

/** What is revoked, by serial number: since when at first, and for the reason that was given last. */
export function revocationsIn(ledger: readonly LedgerEntry[]): ReadonlyMap<string, Revoked> {
  const revocations = new Map<string, Revoked>();
  for (const entry of ledger) {
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
  let text: string;
  try {
    text = fs.readFileSync(path, 'utf8');
  } catch (error) {
    throw readError(path, error);
  }
  // what stands behind the last newline was never reported as done
  const lines = text.slice(0, text.lastIndexOf('\n') + 1).split('\n');
  lines.pop();
  if (lines.length === 0) throw withoutEntries(path);
  return lines.map((line, i) => readEntry(line, path, i + 1));
}

function readEntry(line: string, path: string, number?: number): LedgerEntry {
  try {
    const entry = JsonObject.parse(line, 'entry');
    const event = entry.word('event', ['issued', 'revoked', 'crl']);
    if (event === 'crl') return { event, at: entry.instant('at'), number: entry.count('number') };
    const serial = entry.string('serial');
    if (!/^(?:[0-9a-f]{2}){1,21}$/.test(serial))
      throw new MtlsError('VALUE_INVALID', { what: 'serial', found: serial, expected: 'octets in hex' });
    const common = { at: entry.instant('at'), serial };
    if (event === 'revoked') return { event, ...common, reason: entry.word('reason', KNOWN_REASONS) };
    return {
      event,
      ...common,
      name: entry.string('name'),
      namespace: entry.string('namespace'),
      profile: entry.word('profile', PROFILES),
      uri: entry.string('uri'),
      notBefore: entry.instant('notBefore'),
      notAfter: entry.instant('notAfter'),
      sha256: entry.string('sha256'),
    };
  } catch (error) {
    if (!isError(error, 'VALUE_INVALID')) throw error;
    const where = number === undefined ? { path } : { path, line: number };
    throw new MtlsError('LEDGER_CORRUPT', { ...where, problem: error.message }, { cause: error });
  }
}

const KNOWN_REASONS = REASONS.filter((reason) => reason !== undefined);
