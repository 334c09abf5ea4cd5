import { MtlsError } from '../errors.js';

/** One line of what is being streamed: its text, or that it was longer than anybody should send. */
export type Line = { readonly number: number; readonly text: string } | { readonly number: number; readonly tooLong: true };

/** What one line of a batch may weigh. */
const LINE_LIMIT = 32 * 1024 * 1024;

/**
 * The lines of a stream as they come, without holding more than one; blank ones are left out, a line above `limit`
 * octets is skipped and said. Memory stays flat however long the stream is.
 */
export async function* readLines(source: AsyncIterable<Buffer | string>, limit: number = LINE_LIMIT): AsyncGenerator<Line> {
  let parts: Buffer[] = [];
  let size = 0;
  let number = 0;
  const take = (): Line | undefined => {
    number++;
    const tooLong = size > limit;
    const text = tooLong ? '' : Buffer.concat(parts).toString('utf8').replace(/\r$/, '');
    parts = [];
    size = 0;
    if (tooLong) return { number, tooLong };
    return text.trim() === '' ? undefined : { number, text: number === 1 ? text.replace(/^\ufeff/, '') : text };
  };
  for await (const chunk of source) {
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
    let start = 0;
    for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, start)) {
      add(bytes.subarray(start, end));
      start = end + 1;
      const line = take();
      if (line !== undefined) yield line;
    }
    add(bytes.subarray(start));
  }
  const last = size > 0 ? take() : undefined;
  if (last !== undefined) yield last;

  function add(part: Buffer): void {
    size += part.length;
    // past the limit the octets are counted and let go
    if (size <= limit && part.length > 0) parts.push(part);
    else if (size > limit) parts = [];
  }
}

/** The answer to a line that cannot even be looked at. */
export function lineTooLong(limit: number = LINE_LIMIT): MtlsError<'VALUE_INVALID'> {
  return new MtlsError('VALUE_INVALID', { what: 'line', found: 'more', expected: `at most ${limit} octets` });
}
