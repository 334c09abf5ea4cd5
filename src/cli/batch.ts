import { createReadStream, existsSync } from 'node:fs';
import { type Line, lineTooLong, readLines } from '../base/lines.js';
import { readError } from '../base/files.js';
import { MtlsError } from '../errors.js';
import { BatchProcesses } from './batch-processes.js';
import { writeOut } from './output.js';

interface Batch {
  /** Never throws for what a line holds, so a bad one never ends the rest. */
  readonly answer: (line: string) => object;
  /** The answer to a line that cannot even be looked at. */
  readonly refusal: (error: MtlsError) => object;
  /** What answers the same in other processes, for a batch that turns out to be long; left out where that is not worth it. */
  readonly others?: { readonly module: string; readonly data: number };
}

/** A batch is answered by the process that reads it until it is this long: most are over by then. */
const LINES_ALONE = 300;
const LINES_OF_A_CHUNK = 64;
const CHARACTERS_OF_A_CHUNK = 1_000_000;

/** Answers each line of `source` (`-` is stdin) by one line on stdout, as they come. Nothing else may be on the command line. */
export async function runBatch(source: string, words: readonly unknown[], batch: Batch): Promise<undefined> {
  if (words.length > 0) throw new MtlsError('USAGE', { problem: `--batch takes no further arguments, found ${String(words[0])}` });
  const input = source === '-' ? process.stdin : createReadStream(source);
  // whoever waits for an answer before the next question gets it at once; a file waits for nothing
  const isIdle = (): boolean => source === '-' && input.readableLength === 0;
  const lines = readLines(input)[Symbol.asyncIterator]();
  try {
    if (!(await answerAlone(lines, isIdle, batch))) await answerTogether(lines, isIdle, batch);
  } catch (error) {
    throw readError(source, error);
  }
  return undefined;
}

const answerTo = (line: Line, { answer, refusal }: Batch): string =>
  `${JSON.stringify('tooLong' in line ? refusal(lineTooLong()) : answer(line.text))}\n`;

/** true: all of it is answered. */
async function answerAlone(lines: AsyncIterator<Line>, isIdle: () => boolean, batch: Batch): Promise<boolean> {
  const isLong = batch.others !== undefined && existsSync(batch.others.module);
  let pending: string[] = [];
  let size = 0;
  let count = 0;
  const flush = async (): Promise<void> => {
    await writeOut(pending.join(''));
    pending = [];
    size = 0;
  };
  try {
    while (!isLong || count < LINES_ALONE) {
      const next = await lines.next();
      if (next.done === true) return true;
      const text = answerTo(next.value, batch);
      count++;
      pending.push(text);
      size += text.length;
      if (size > 65_536 || isIdle()) await flush();
    }
    return false;
  } finally {
    await flush();
  }
}

/** In several processes, what is answered written in the order of what was asked. Memory stays flat: no more is read than is worked on. */
async function answerTogether(lines: AsyncIterator<Line>, isIdle: () => boolean, batch: Batch): Promise<void> {
  const processes = new BatchProcesses(batch.others!.module, batch.others!.data);
  const written: Promise<void>[] = [];
  let last: Promise<void> = Promise.resolve();
  const write = (answers: Promise<string>): void => {
    // an answer that fails is told when its turn comes
    answers.catch(() => {});
    last = last.then(async () => writeOut(await answers));
    last.catch(() => {});
    written.push(last);
  };
  try {
    let chunk: string[] = [];
    let characters = 0;
    const hand = (): void => {
      if (chunk.length > 0) write(processes.answer(chunk));
      chunk = [];
      characters = 0;
    };
    for (let next = await lines.next(); next.done !== true; next = await lines.next()) {
      if ('tooLong' in next.value) {
        hand();
        write(Promise.resolve(answerTo(next.value, batch)));
        continue;
      }
      chunk.push(next.value.text);
      characters += next.value.text.length;
      if (chunk.length >= LINES_OF_A_CHUNK || characters >= CHARACTERS_OF_A_CHUNK || isIdle()) hand();
      while (written.length >= processes.capacity) await written.shift();
    }
    hand();
    await last;
  } finally {
    processes.close();
  }
}
