import { createReadStream, existsSync, statSync } from 'node:fs';
import { readError } from '../base/files.js';
import { type Block, lineTooLong, linesIn, readBlocks } from '../base/lines.js';
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

/** Octets of a batch that are answered by the process that reads it: most have no more, and are answered before others have started. */
const ALONE = 500_000;

/** Answers each line of `source` (`-` is stdin) by one line on stdout, as they come. Nothing else may be on the command line. */
export async function runBatch(source: string, words: readonly unknown[], batch: Batch): Promise<undefined> {
  if (words.length > 0) throw new MtlsError('USAGE', { problem: `--batch takes no further arguments, found ${String(words[0])}` });
  try {
    const others = batch.others !== undefined && existsSync(batch.others.module) ? batch.others : undefined;
    const isLong = others !== undefined && source !== '-' && statSync(source).size > ALONE;
    const blocks = readBlocks(source === '-' ? process.stdin : createReadStream(source));
    if (isLong || !(await answerAlone(blocks, batch, others === undefined ? Infinity : ALONE)))
      await answerTogether(blocks, batch, others!);
  } catch (error) {
    throw readError(source, error);
  }
  return undefined;
}

const lineOf = (answer: object): string => `${JSON.stringify(answer)}\n`;
const tooLong = ({ refusal }: Batch): string => lineOf(refusal(lineTooLong()));

/** true: all of it is answered. Whoever waits for an answer before the next question gets it at once. */
async function answerAlone(blocks: AsyncIterator<Block>, batch: Batch, limit: number): Promise<boolean> {
  let answered = 0;
  while (answered <= limit) {
    const { done, value: block } = await blocks.next();
    if (done === true) return true;
    if ('tooLong' in block) {
      await writeOut(tooLong(batch));
      continue;
    }
    const answers = linesIn(block.bytes).map((line) => lineOf(batch.answer(line)));
    await writeOut(answers.join(''));
    answered += block.bytes.length;
  }
  return false;
}

/** In several processes, what is answered written in the order of what was asked. Memory stays flat: no more is read than is worked on. */
async function answerTogether(blocks: AsyncIterator<Block>, batch: Batch, { module, data }: NonNullable<Batch['others']>): Promise<void> {
  const processes = new BatchProcesses(module, data);
  const written: Promise<void>[] = [];
  let last: Promise<void> = Promise.resolve();
  try {
    for (let next = await blocks.next(); next.done !== true; next = await blocks.next()) {
      const block = next.value;
      const answers = 'tooLong' in block ? Promise.resolve(tooLong(batch)) : processes.answer(block.bytes);
      // an answer that fails is told when its turn comes
      answers.catch(() => {});
      last = last.then(async () => writeOut(await answers));
      last.catch(() => {});
      written.push(last);
      while (written.length >= processes.capacity) await written.shift();
    }
    await last;
  } finally {
    processes.close();
  }
}
