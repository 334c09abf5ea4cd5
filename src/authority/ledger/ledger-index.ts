import { createHash } from 'node:crypto';
import * as fs from 'node:fs';

/*
 * An index of a ledger says where the lines are that have a key. It is derived from the ledger and never believed over it:
 * whoever finds a line by it looks whether that line has the key. Numbers are little endian.
 *
 *   head        magic[16]  covered u48  lines u48  others u32  rows u32  bits u8  0[3]  last[32]  check[32]
 *   directory   2^bits times: end u32 (of the bucket, in rows)  check u32 (of its octets)
 *   others      offset u48 of each line that is about no certificate of a service, ascending
 *   table       rows: hash[8] of a key  offset u48 of its line; in buckets, by the first bits of the hash
 *
 * `covered` octets of the ledger are in it, and `last` is the SHA-256 of the last line there, which through the chain stands
 * for all lines before it. `check` is the SHA-256 of all before the table but itself.
 */

const MAGIC = Buffer.from('mtls ledger idx1', 'latin1');
const HEAD = 104;
/** What of the head is checked, and where its check is. */
const CHECKED = 72;
const SLOT = 8;
const OFFSET = 6;
const ROW = 14;
const MOST_BITS = 20;
/** Octets before the table that are read: some forty million revocations. */
const MOST_FRONT = 256 * 1024 * 1024;
/** Rows of a bucket, about. */
const USUAL_ROWS = 64;

/** What a line may be asked for by. */
export type KeyKind = 'name' | 'serial' | 'sha256' | 'renews';

/** Two numbers of 32 bits. */
type Hash = readonly [number, number];

/** What an index says of the ledger that it is of. */
interface Covered {
  /** Octets, to the end of a line. */
  readonly covered: number;
  readonly lines: number;
  /** The hash of the last of them. */
  readonly last: string;
}

/** An index that is whole. The table is read where it is asked, a bucket at a time. */
export class LedgerIndex implements Covered {
  readonly covered: number;
  readonly lines: number;
  readonly last: string;
  /** Where the lines are that are about no certificate of a service. */
  readonly others: readonly number[];
  readonly #directory: Buffer;
  readonly #bits: number;
  readonly #table: (start: number, end: number) => Buffer;

  private constructor(front: Buffer, table: (start: number, end: number) => Buffer) {
    const { covered, lines, others, bits } = readHead(front);
    this.covered = covered;
    this.lines = lines;
    this.last = front.toString('hex', 40, CHECKED);
    this.#bits = bits;
    this.#directory = front.subarray(HEAD, HEAD + SLOT * 2 ** bits);
    const start = HEAD + this.#directory.length;
    this.others = Array.from({ length: others }, (_, i) => front.readUIntLE(start + i * OFFSET, OFFSET));
    this.#table = table;
  }

  /** The index in a file; undefined when there is none, or when it is torn, changed, or of another version. */
  static open(path: string): LedgerIndex | undefined {
    const front = readingFrom(path, (handle) => {
      const size = fs.fstatSync(handle).size;
      const head = readAt(handle, 0, HEAD);
      if (head.length < HEAD || !head.subarray(0, MAGIC.length).equals(MAGIC)) return undefined;
      const length = frontLength(head);
      if (length === undefined || length + readHead(head).rows * ROW !== size) return undefined;
      return readAt(handle, 0, length);
    });
    if (front === undefined || !isWhole(front)) return undefined;
    const table = (start: number, end: number): Buffer =>
      readingFrom(path, (handle) => readAt(handle, front.length + start, end - start)) ?? Buffer.alloc(0);
    return new LedgerIndex(front, table);
  }

  /** The index that was written into `bytes`. */
  static in(bytes: Buffer): LedgerIndex {
    const front = bytes.subarray(0, frontLength(bytes));
    return new LedgerIndex(front, (start, end) => bytes.subarray(front.length + start, front.length + end));
  }

  /** Where the lines are that have a key, in order; undefined when this part of the index is not what was written. */
  offsetsOf(kind: KeyKind, value: string): readonly number[] | undefined {
    const [first, second] = hashOf(kind, value);
    const slot = bucketOf(first, this.#bits) * SLOT;
    const [start, end] = [slot === 0 ? 0 : this.#directory.readUInt32LE(slot - SLOT), this.#directory.readUInt32LE(slot)];
    const rows = this.#table(start * ROW, end * ROW);
    if (rows.length !== (end - start) * ROW || checkOf(rows) !== this.#directory.readUInt32LE(slot + 4)) return undefined;
    const offsets: number[] = [];
    for (let at = 0; at < rows.length; at += ROW)
      if (rows.readUInt32LE(at) === first && rows.readUInt32LE(at + 4) === second) offsets.push(rows.readUIntLE(at + 8, OFFSET));
    return offsets;
  }

  /** All rows, for an index that begins with this one; undefined when one of them is not what was written. */
  rows(): Buffer | undefined {
    const rows = this.#table(0, this.#directory.readUInt32LE(this.#directory.length - SLOT) * ROW);
    let start = 0;
    for (let slot = 0; slot < this.#directory.length; slot += SLOT) {
      const end = this.#directory.readUInt32LE(slot) * ROW;
      if (end > rows.length || checkOf(rows.subarray(start, end)) !== this.#directory.readUInt32LE(slot + 4)) return undefined;
      start = end;
    }
    return rows;
  }
}

function readHead(head: Buffer) {
  const [covered, lines] = [head.readUIntLE(16, OFFSET), head.readUIntLE(22, OFFSET)];
  return { covered, lines, others: head.readUInt32LE(28), rows: head.readUInt32LE(32), bits: head.readUInt8(36) };
}

/** The octets before the table; undefined when these are more than any index has. */
function frontLength(head: Buffer): number | undefined {
  const { others, bits } = readHead(head);
  const length = HEAD + SLOT * 2 ** bits + others * OFFSET;
  return bits > MOST_BITS || length > MOST_FRONT ? undefined : length;
}

/** Is the part before the table what was written? */
function isWhole(front: Buffer): boolean {
  if (front.length !== frontLength(front) || !frontCheck(front).equals(front.subarray(CHECKED, HEAD))) return false;
  const { covered, rows, bits } = readHead(front);
  if (covered === 0) return false;
  let last = 0;
  for (let slot = HEAD; slot < HEAD + SLOT * 2 ** bits; slot += SLOT) {
    const end = front.readUInt32LE(slot);
    if (end < last) return false;
    last = end;
  }
  return last === rows;
}

const frontCheck = (front: Buffer): Buffer => createHash('sha256').update(front.subarray(0, CHECKED)).update(front.subarray(HEAD)).digest();

const checkOf = (rows: Buffer): number => createHash('sha256').update(rows).digest().readUInt32LE(0);

const bucketOf = (first: number, bits: number): number => (bits === 0 ? 0 : first >>> (32 - bits));

/**
 * Spreads keys over the buckets. It is no cryptographic hash, as it need not be: two keys of one hash are told apart by their
 * lines, so that whoever finds some makes a search longer and no answer wrong.
 */
function hashOf(kind: KeyKind, value: string): Hash {
  const kinds = { name: 1, serial: 2, sha256: 3, renews: 4 };
  let [a, b] = [0xdeadbeef ^ kinds[kind], 0x41c6ce57 ^ kinds[kind]];
  for (let i = 0; i < value.length; i++) {
    const code = value.charCodeAt(i);
    a = Math.imul(a ^ code, 0x9e3779b1);
    b = Math.imul(b ^ code, 0x5f356495);
  }
  a = Math.imul(a ^ (a >>> 16), 0x85ebca6b) ^ Math.imul(b ^ (b >>> 13), 0xc2b2ae35);
  b = Math.imul(b ^ (b >>> 16), 0x85ebca6b) ^ Math.imul(a ^ (a >>> 13), 0xc2b2ae35);
  return [a >>> 0, b >>> 0];
}

/** Gathers where the lines are, and puts it in the form of an index. */
export class IndexWriter {
  readonly #others: number[];
  readonly #full: Buffer[];
  #open = Buffer.alloc(ROW << 12);
  #used = 0;

  /** Goes on from the rows and the others of an index that covers what comes before. */
  constructor(rows: Buffer = Buffer.alloc(0), others: readonly number[] = []) {
    this.#full = [rows];
    this.#others = [...others];
  }

  addOther(offset: number): void {
    this.#others.push(offset);
  }

  /** The line at `offset` has this key. */
  add(kind: KeyKind, value: string, offset: number): void {
    if (this.#used === this.#open.length) {
      this.#full.push(this.#open);
      this.#open = Buffer.alloc(Math.min(this.#open.length * 2, ROW << 18));
      this.#used = 0;
    }
    const [first, second] = hashOf(kind, value);
    this.#open.writeUInt32LE(first, this.#used);
    this.#open.writeUInt32LE(second, this.#used + 4);
    this.#used = this.#open.writeUIntLE(offset, this.#used + 8, OFFSET);
  }

  /** The whole index. */
  finish({ covered, lines, last }: Covered): Buffer {
    const parts = [...this.#full, this.#open.subarray(0, this.#used)];
    const rows = parts.reduce((sum, part) => sum + part.length, 0) / ROW;
    const bits = Math.min(MOST_BITS, Math.max(0, Math.ceil(Math.log2(rows / USUAL_ROWS))));
    const others = HEAD + SLOT * 2 ** bits;
    const front = others + this.#others.length * OFFSET;
    const bytes = Buffer.alloc(front + rows * ROW);
    MAGIC.copy(bytes);
    bytes.writeUIntLE(covered, 16, OFFSET);
    bytes.writeUIntLE(lines, 22, OFFSET);
    bytes.writeUInt32LE(this.#others.length, 28);
    bytes.writeUInt32LE(rows, 32);
    bytes.writeUInt8(bits, 36);
    bytes.write(last, 40, 'hex');
    for (const [i, offset] of this.#others.entries()) bytes.writeUIntLE(offset, others + i * OFFSET, OFFSET);
    fillTable(parts, bits, { directory: bytes.subarray(HEAD, others), table: bytes.subarray(front) });
    frontCheck(bytes.subarray(0, front)).copy(bytes, CHECKED);
    return bytes;
  }
}

interface Table {
  readonly directory: Buffer;
  readonly table: Buffer;
}

/** Counts what goes into each bucket, then puts it there: the rows of a key stay in their order. */
function fillTable(parts: readonly Buffer[], bits: number, { directory, table }: Table): void {
  const ends = new Uint32Array(2 ** bits);
  for (const part of parts) for (let at = 0; at < part.length; at += ROW) ends[bucketOf(part.readUInt32LE(at), bits)]!++;
  let start = 0;
  for (const [bucket, count] of ends.entries()) {
    ends[bucket] = start;
    start += count;
  }
  for (const part of parts)
    for (let at = 0; at < part.length; at += ROW) {
      const bucket = bucketOf(part.readUInt32LE(at), bits);
      part.copy(table, ends[bucket]!++ * ROW, at, at + ROW);
    }
  start = 0;
  for (const [bucket, end] of ends.entries()) {
    directory.writeUInt32LE(end, bucket * SLOT);
    directory.writeUInt32LE(checkOf(table.subarray(start * ROW, end * ROW)), bucket * SLOT + 4);
    start = end;
  }
}

/** What `read` makes of a file; undefined when that cannot be read. */
function readingFrom<T>(path: string, read: (handle: number) => T): T | undefined {
  let handle: number | undefined;
  try {
    handle = fs.openSync(path, fs.constants.O_RDONLY | (fs.constants.O_NONBLOCK ?? 0));
    return read(handle);
  } catch {
    return undefined;
  } finally {
    if (handle !== undefined) fs.closeSync(handle);
  }
}

function readAt(handle: number, start: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  return bytes.subarray(0, fs.readSync(handle, bytes, 0, length, start));
}
