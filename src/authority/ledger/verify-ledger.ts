import { createReadStream } from 'node:fs';
import { readError } from '../../base/files.js';
import { readBlocks } from '../../base/lines.js';
import { isError } from '../../errors.js';
import { GENESIS, type LedgerEntry, lineHash, readEntry } from './ledger.js';

/** What `verifyLedger` found. */
export interface LedgerVerdict {
  /** Lines that hang together, from the first one on. */
  readonly lines: number;
  /** The hash of the last of these: kept elsewhere, it proves later that nothing was cut off since. */
  readonly head: string;
  /** The first line that is bad, and why; null when none is. */
  readonly bad: { readonly line: number; readonly problem: string } | null;
}

/** Longer than any entry. */
const LINE_LIMIT = 1_000_000;
const NEWLINE = 0x0a;

/**
 * Proves that no line of a ledger was changed, cut out or put in: each carries the hash of the one before it. That nothing
 * was cut off at the end only somebody can tell who knows a later `head`: it must be the hash of one of the lines. What
 * stands behind the last newline was never reported, and is no line. Memory stays flat. Rejects with the errors of reading.
 */
export async function verifyLedger(path: string, head?: string): Promise<LedgerVerdict> {
  let prev = GENESIS;
  let lines = 0;
  let isHeadFound = head === undefined;
  const bad = (problem: string): LedgerVerdict => ({ lines, head: prev, bad: { line: lines + 1, problem } });
  try {
    for await (const block of readBlocks(createReadStream(path, { highWaterMark: 1 << 20 }), LINE_LIMIT)) {
      if ('tooLong' in block) return bad('it is longer than any entry');
      for (const line of linesOf(block.bytes)) {
        const problem = problemOf(line, prev, path);
        if (problem !== undefined) return bad(problem);
        prev = lineHash(line);
        lines++;
        if (prev === head) isHeadFound = true;
      }
    }
  } catch (error) {
    throw readError(path, error);
  }
  if (lines === 0) return bad('expected the entry that init writes, found nothing');
  return isHeadFound ? { lines, head: prev, bad: null } : bad('the line with the hash that was given is not there: lines were cut off');
}

/** Octet by octet, blank ones too: nothing may stand between two entries. The last one is torn where no newline ends it. */
function* linesOf(bytes: Buffer): Generator<Buffer> {
  let start = 0;
  for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, start)) {
    yield bytes.subarray(start, end);
    start = end + 1;
  }
}

function problemOf(line: Buffer, prev: string, path: string): string | undefined {
  const text = line.toString('utf8');
  let entry: LedgerEntry;
  try {
    entry = readEntry(text, path);
  } catch (error) {
    if (isError(error, 'LEDGER_CORRUPT')) return error.facts.problem;
    throw error;
  }
  const carried = (JSON.parse(text) as { readonly prev?: unknown }).prev;
  if (carried === prev) return undefined;
  return `its ${entry.event} entry carries the hash ${String(carried).slice(0, 12)}…, and the line before it has ${prev.slice(0, 12)}…`;
}
