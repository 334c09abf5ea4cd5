import * as fs from 'node:fs';
import { JsonObject } from '../base/json.js';
import { readError, writeError } from '../base/files.js';
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

/** A certificate is no longer to be trusted. Written before the CRL that says so. */
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
 */
export function appendLedger(path: string, entries: readonly LedgerEntry[]): void {
  let handle: number | undefined;
  try {
    handle = fs.openSync(path, 'r+');
    const end = endOfLastLine(handle);
    fs.ftruncateSync(handle, end);
    const bytes = Buffer.from(entries.map((entry) => `${JSON.stringify(entry)}\n`).join(''));
    try {
      for (let written = 0; written < bytes.length;) written += fs.writeSync(handle, bytes, written, bytes.length - written, end + written);
      fs.fsyncSync(handle);
    } catch (error) {
      fs.ftruncateSync(handle, end);
      throw error;
    }
  } catch (error) {
    // a ledger that is lost is not begun anew: numbers would be used twice
    throw systemCode(error) === 'ENOENT' ? readError(path, error) : writeError(path, error);
  } finally {
    if (handle !== undefined) fs.closeSync(handle);
  }
}

/** Looks back from the end of the file, so that appending costs the same however long the ledger is. */
function endOfLastLine(handle: number): number {
  const block = Buffer.alloc(4096);
  let end = fs.fstatSync(handle).size;
  while (end > 0) {
    const start = Math.max(0, end - block.length);
    const read = fs.readSync(handle, block, 0, end - start, start);
    const newline = block.subarray(0, read).lastIndexOf(10);
    if (newline >= 0) return start + newline + 1;
    end = start;
  }
  return 0;
}

/** All entries in the order in which they were written. Throws LEDGER_CORRUPT with the line that is not one of ours. */
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
  return lines.map((line, i) => readEntry(line, path, i + 1));
}

function readEntry(line: string, path: string, number: number): LedgerEntry {
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
    throw new MtlsError('LEDGER_CORRUPT', { path, line: number, problem: error.message }, { cause: error });
  }
}

const KNOWN_REASONS = REASONS.filter((reason) => reason !== undefined);
