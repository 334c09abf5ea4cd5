import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { systemCode } from '../errors.js';
import type { TextFault } from './located.js';

/** One record, and the line that it begins on. */
export interface CsvRow {
  readonly line: number;
  readonly cells: readonly string[];
}

const NEWLINE = 10;
/** What one record may weigh. */
const ROW_LIMIT = 65_536;

/** What the reader of a package says by its code, in our words. */
const FAULTS: Readonly<Record<string, string>> = {
  INVALID_OPENING_QUOTE: 'a quote within a cell that does not begin with one',
  CSV_INVALID_CLOSING_QUOTE: 'something between a closing quote and the next comma',
  CSV_QUOTE_NOT_CLOSED: 'a quote that is never closed',
  CSV_MAX_RECORD_SIZE: `a record of more than ${ROW_LIMIT} octets; is a quote not closed?`,
};

/** So many octets are read between two turns of the caller. */
const CHUNK = 1 << 18;

/**
 * Gives the records of CSV as RFC 4180 has it, one after the other, until `row` answers false. Lines end with LF or CRLF;
 * blank ones are left out. What is behind the first fault is not read: where a quote is wrong nobody knows what is a cell.
 * In a long text `turn` is awaited from time to time; it may throw.
 */
export async function readCsv(text: string, row: (row: CsvRow) => boolean, turn?: () => Promise<void>): Promise<TextFault | undefined> {
  const { parse } = await import('csv-parse');
  const octets = Buffer.from(text);
  const enough = new Error('enough');
  let line = 1;
  let at = 0;
  const onRecord = (cells: string[], { bytes }: { readonly bytes: number }): null => {
    const isBlank = cells.length === 1 && cells[0]!.trim() === '';
    if (!isBlank && !row({ line, cells })) throw enough;
    // its own count takes a CRLF within quotes for two lines
    line += newlinesIn(octets, at, bytes);
    at = bytes;
    return null;
  };
  try {
    // a record is counted by the octets of its cells: of commas there could be any number
    const long = lineBeyond(text, ROW_LIMIT);
    if (long !== undefined) return { line: long, problem: `a line of more than ${ROW_LIMIT} characters` };
    const parser = parse({ relax_column_count: true, record_delimiter: ['\r\n', '\n'], max_record_size: ROW_LIMIT, on_record: onRecord });
    // nothing comes out of it: onRecord has had it all
    parser.resume();
    await pipeline(Readable.from(chunksOf(octets, turn)), parser);
    return undefined;
  } catch (error) {
    if (error === enough) return undefined;
    const problem = FAULTS[systemCode(error) ?? ''];
    if (problem === undefined) throw error;
    return { line, problem: `not CSV: ${problem}` };
  }
}

async function* chunksOf(octets: Buffer, turn: (() => Promise<void>) | undefined): AsyncGenerator<Buffer> {
  for (let start = 0; start < octets.length; start += CHUNK) {
    yield octets.subarray(start, start + CHUNK);
    await turn?.();
  }
}

function newlinesIn(octets: Buffer, from: number, to: number): number {
  let count = 0;
  for (let at = octets.indexOf(NEWLINE, from); at >= 0 && at < to; at = octets.indexOf(NEWLINE, at + 1)) count++;
  return count;
}

/** The number of the first line of more than `limit` characters. */
function lineBeyond(text: string, limit: number): number | undefined {
  let line = 1;
  for (let start = 0; start < text.length; line++) {
    const end = text.indexOf('\n', start);
    if ((end < 0 ? text.length : end) - start > limit) return line;
    if (end < 0) return undefined;
    start = end + 1;
  }
  return undefined;
}
