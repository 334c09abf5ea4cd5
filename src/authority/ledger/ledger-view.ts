import * as fs from 'node:fs';
import { readError, writeFileAtomic } from '../../base/files.js';
import { MtlsError, isError } from '../../errors.js';
import { type IssuedLine, type OtherEntry, readLine } from './issued-line.js';
import { IndexWriter, type KeyKind, LedgerIndex } from './ledger-index.js';
import {
  type Issued,
  type LedgerEntry,
  endOfLastLine,
  lineHash,
  readEntry,
  readLedger,
  readRange,
  wholeBlocks,
  wholeLines,
  withoutEntries,
} from './ledger.js';
import type { WorkspacePaths } from '../workspace.js';

/** What is asked of a ledger by those who need little of it. */
export interface LedgerView {
  /** All entries that are about no certificate of a service, in order: CAs, their keys, revocations and CRLs. */
  readonly others: readonly OtherEntry[];
  /** The certificates of services that have this name, serial number or fingerprint in lower-case hex, or that renew that one; in order. */
  readonly issued: (by: KeyKind, value: string) => readonly Issued[];
}

/** A shorter ledger is read as a whole: it takes no longer, and there is no index to write. */
export const SMALL = 1024 * 1024;
/** Nor is an index written again before so much was appended, and such a share of the whole. */
const LEAST_TAIL = 256 * 1024;
const TAIL_SHARE = 1 / 1024;
/** Longer than any entry. */
const LINE_LIMIT = 1024 * 1024;
const WINDOW = 32 * 1024;
const NEWLINE = 0x0a;

/**
 * Opens a ledger. A long one is looked up by its index, so that this costs what is asked for, not what was ever issued: an
 * index that does not fit is made anew of the whole, and written where one may write. Throws LEDGER_CORRUPT with the line that
 * is not one of ours, among those that were read.
 */
export function viewLedger({ ledger, ledgerIndex }: Pick<WorkspacePaths, 'ledger' | 'ledgerIndex'>): LedgerView {
  return sizeOf(ledger) < SMALL ? wholeView(readLedger(ledger)) : new IndexedView(ledger, ledgerIndex);
}

/** A view of entries that are all in memory. */
export function wholeView(entries: readonly LedgerEntry[]): LedgerView {
  return {
    others: entries.filter((entry) => entry.event !== 'issued'),
    issued: (by, value) => issuedIn(entries, by, value),
  };
}

function issuedIn(entries: readonly LedgerEntry[], by: KeyKind, value: string): readonly Issued[] {
  const wanted = normalized(by, value);
  const isWanted = (found: string | undefined): boolean => found?.endsWith(wanted) === true && normalized(by, found) === wanted;
  return entries.filter((entry): entry is Issued => entry.event === 'issued' && isWanted(entry[by]));
}

/** Serial numbers are numbers: how many zeros come first makes no difference. */
const normalized = (by: KeyKind, value: string): string => (by === 'serial' || by === 'renews' ? value.replace(/^0+/, '') : value);

/** The index of a long ledger, and what was appended since. */
class IndexedView implements LedgerView {
  readonly #ledger: string;
  readonly #path: string;
  #index: LedgerIndex;
  #tail: readonly LedgerEntry[];
  #others: readonly OtherEntry[] | undefined;

  constructor(ledger: string, path: string) {
    this.#ledger = ledger;
    this.#path = path;
    const index = LedgerIndex.open(path);
    const tail = index && tailBehind(index, ledger);
    this.#tail = Array.isArray(tail) ? tail : [];
    this.#index = index !== undefined && Array.isArray(tail) ? index : this.#made(tail === 'long' ? index : undefined);
  }

  get others(): readonly OtherEntry[] {
    return (this.#others ??= [...this.#found(() => this.#othersCovered()), ...this.#tail.filter((entry) => entry.event !== 'issued')]);
  }

  issued(by: KeyKind, value: string): readonly Issued[] {
    return [...this.#found((isNew) => this.#issuedCovered(by, value, isNew)), ...issuedIn(this.#tail, by, value)];
  }

  /** What `look` finds by the index. Where that misleads, it is not of this ledger: another one is made, of the whole. */
  #found<T>(look: (isNew: boolean) => readonly T[] | undefined): readonly T[] {
    const found = look(false);
    if (found !== undefined) return found;
    this.#index = this.#made();
    this.#tail = [];
    this.#others = undefined;
    const again = look(true);
    if (again !== undefined) return again;
    throw new MtlsError('LEDGER_CORRUPT', { path: this.#ledger, problem: 'it was changed while it was read' });
  }

  /** Undefined where a line does not have the key; in an index that is new, it has one of the same hash. */
  #issuedCovered(by: KeyKind, value: string, isNew: boolean): readonly Issued[] | undefined {
    const offsets = this.#index.offsetsOf(by, normalized(by, value));
    const entries = offsets && this.#entriesAt(offsets);
    const found = entries && issuedIn(entries, by, value);
    return found?.length === entries?.length || isNew ? found : undefined;
  }

  #othersCovered(): readonly OtherEntry[] | undefined {
    const entries = this.#entriesAt(this.#index.others);
    return entries?.every((entry) => entry.event !== 'issued') === true ? entries : undefined;
  }

  /** The entries of the lines that begin there; undefined when one of them is not one of ours. */
  #entriesAt(offsets: readonly number[]): readonly LedgerEntry[] | undefined {
    try {
      return reading(this.#ledger, (handle) =>
        Array.from(linesAt(handle, offsets, this.#index.covered), (line) => readEntry(line, this.#ledger)),
      );
    } catch (error) {
      if (isError(error, 'LEDGER_CORRUPT')) return undefined;
      throw error;
    }
  }

  /** An index of the whole as it is now, which goes on from `before` where there is one; it is written as well. */
  #made(before?: LedgerIndex): LedgerIndex {
    const bytes = indexOf(this.#ledger, before);
    try {
      writeFileAtomic(this.#path, bytes, 0o600);
    } catch (error) {
      // who may not write, or has no space, has it in memory
      if (!(error instanceof MtlsError)) throw error;
    }
    return LedgerIndex.in(bytes);
  }
}

/**
 * The entries behind what an index covers: `long` when these are so many that another one is better made. Undefined when the
 * index is of another ledger, of one that was cut off since, or of one that was another after that.
 */
function tailBehind({ covered, last, lines }: LedgerIndex, path: string): readonly LedgerEntry[] | 'long' | undefined {
  const size = reading(path, (handle) => {
    const { size } = fs.fstatSync(handle);
    if (size < covered || readRange(handle, covered - 1, covered)[0] !== NEWLINE) return undefined;
    const start = endOfLastLine(handle, covered - 1);
    const isOfThis = covered - start <= LINE_LIMIT && lineHash(readRange(handle, start, covered - 1)) === last;
    return isOfThis ? size : undefined;
  });
  if (size === undefined) return undefined;
  if (size - covered > Math.max(LEAST_TAIL, covered * TAIL_SHARE)) return 'long';
  return [...wholeLines(path, covered)].map((line, i) => readEntry(line, path, lines + i + 1));
}

/** Reads each line that is not in `before`, strictly. */
function indexOf(path: string, before: LedgerIndex | undefined): Buffer {
  const rows = before?.rows();
  const known = before !== undefined && rows !== undefined ? before : { covered: 0, lines: 0, others: [] };
  const writer = new IndexWriter(rows, known.others);
  let { covered, lines } = known;
  let last = '';
  for (const block of wholeBlocks(path, covered)) {
    let start = 0;
    for (let end = block.indexOf(NEWLINE); end >= 0; end = block.indexOf(NEWLINE, start)) {
      note(writer, readLine(block.toString('utf8', start, end), path, ++lines), covered + start);
      if (end === block.length - 1) last = lineHash(block.subarray(start, end));
      start = end + 1;
    }
    covered += block.length;
  }
  if (lines === 0) throw withoutEntries(path);
  return writer.finish({ covered, lines, last });
}

function note(writer: IndexWriter, entry: IssuedLine | OtherEntry, offset: number): void {
  if (entry.event !== 'issued') return writer.addOther(offset);
  writer.add('name', entry.name, offset);
  writer.add('serial', normalized('serial', entry.serial), offset);
  writer.add('sha256', entry.sha256, offset);
  if (entry.renews !== undefined) writer.add('renews', normalized('renews', entry.renews), offset);
}

/** The lines that begin at `offsets`, which are read together where they lie together. Empty where there is none. */
function* linesAt(handle: number, offsets: readonly number[], covered: number): Generator<string> {
  let [window, start]: [Buffer, number] = [Buffer.alloc(0), 0];
  for (const offset of offsets) {
    let end = offset < start ? -1 : window.indexOf(NEWLINE, offset - start);
    for (let size = WINDOW; end < 0 && size <= LINE_LIMIT && offset < covered; size *= 4) {
      [window, start] = [readRange(handle, offset, Math.min(offset + size, covered)), offset];
      end = window.indexOf(NEWLINE);
    }
    yield end < 0 ? '' : window.toString('utf8', offset - start, end);
  }
}

function reading<T>(path: string, read: (handle: number) => T): T {
  let handle: number | undefined;
  try {
    handle = fs.openSync(path, 'r');
    return read(handle);
  } catch (error) {
    throw readError(path, error);
  } finally {
    if (handle !== undefined) fs.closeSync(handle);
  }
}

const sizeOf = (path: string): number => reading(path, (handle) => fs.fstatSync(handle).size);
