import { MtlsError } from '../errors.js';

/** Some whole lines of what is being streamed, or that one was longer than anybody should send. */
export type Block = { readonly bytes: Buffer } | { readonly tooLong: true };

/** What one line of a batch may weigh. */
const LINE_LIMIT = 32 * 1024 * 1024;
const NEWLINE = 10;
const BYTE_ORDER_MARK = Buffer.from('\ufeff');

/**
 * The lines of a stream, as many at once as have come; a line above `limit` octets is skipped and said. No more is held
 * than that and one chunk of the stream, however long it is.
 */
export async function* readBlocks(source: AsyncIterable<Buffer | string>, limit: number = LINE_LIMIT): AsyncGenerator<Block> {
  let open: Buffer[] = [];
  let size = 0;
  let isFirst = true;
  for await (const chunk of source) {
    for (const bytes of pieces(typeof chunk === 'string' ? Buffer.from(chunk) : chunk, limit)) {
      const first = bytes.indexOf(NEWLINE);
      const last = bytes.lastIndexOf(NEWLINE) + 1;
      add(first < 0 ? bytes : bytes.subarray(0, first));
      if (first < 0) continue;
      yield* take(bytes.subarray(first, last));
      add(bytes.subarray(last));
    }
  }
  if (size > 0) yield* take(Buffer.alloc(0));

  function add(part: Buffer): void {
    size += part.length;
    // past the limit the octets are counted and let go
    if (size <= limit) open.push(part);
    else open = [];
  }

  /** The line that was open ends; what follows it are whole lines. */
  function* take(following: Buffer): Generator<Block> {
    if (size > limit) yield { tooLong: true };
    let bytes = Buffer.concat([...open, following]);
    if (isFirst && bytes.subarray(0, 3).equals(BYTE_ORDER_MARK)) bytes = bytes.subarray(3);
    yield { bytes };
    open = [];
    size = 0;
    isFirst = false;
  }
}

/** Of at most `limit` octets, so that no line within one of them is above it. */
function* pieces(bytes: Buffer, limit: number): Generator<Buffer> {
  for (let start = 0; start < bytes.length; start += limit) yield bytes.subarray(start, start + limit);
}

/** The lines of a block, without their ends; blank ones are left out. */
export function linesIn(bytes: Buffer): readonly string[] {
  return bytes
    .toString('utf8')
    .split(/\r?\n/)
    .filter((line) => line.trim() !== '');
}

/** The answer to a line that cannot even be looked at. */
export function lineTooLong(limit: number = LINE_LIMIT): MtlsError<'VALUE_INVALID'> {
  return new MtlsError('VALUE_INVALID', { what: 'line', found: 'more', expected: `at most ${limit} octets` });
}
