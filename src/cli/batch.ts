import { createReadStream } from 'node:fs';
import { lineTooLong, readLines } from '../base/lines.js';
import { readError } from '../base/files.js';
import { MtlsError } from '../errors.js';
import { writeOut } from './output.js';

interface Batch {
  /** Never throws for what a line holds, so a bad one never ends the rest. */
  readonly answer: (line: string) => object;
  /** The answer to a line that cannot even be looked at. */
  readonly refusal: (error: MtlsError) => object;
}

/** Answers each line of `source` (`-` is stdin) by one line on stdout, as they come. Nothing else may be on the command line. */
export async function runBatch(source: string, words: readonly unknown[], { answer, refusal }: Batch): Promise<undefined> {
  if (words.length > 0) throw new MtlsError('USAGE', { problem: `--batch takes no further arguments, found ${String(words[0])}` });
  const input = source === '-' ? process.stdin : createReadStream(source);
  let pending: string[] = [];
  let size = 0;
  const flush = async (): Promise<void> => {
    await writeOut(pending.join(''));
    pending = [];
    size = 0;
  };
  try {
    for await (const line of readLines(input)) {
      const text = JSON.stringify('tooLong' in line ? refusal(lineTooLong()) : answer(line.text));
      pending.push(`${text}\n`);
      size += text.length;
      // whoever waits for an answer before the next question gets it at once
      if (size > 65_536 || input.readableLength === 0) await flush();
    }
  } catch (error) {
    throw readError(source, error);
  } finally {
    await flush();
  }
  return undefined;
}
