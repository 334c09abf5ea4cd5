import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const DIRECTORY = fileURLToPath(new URL('../../test/fuzz/corpus/', import.meta.url));
/** All of the corpus is in the repository: few and small ones say enough. */
const [COUNT, SIZE] = [50, 400];

/** An input that is kept, by the outcome that it has, or the bug that it found. */
interface Kept {
  readonly holds: string;
  readonly data: Buffer;
}

export function readCorpus(target: string): Kept[] {
  const path = join(DIRECTORY, `${target}.jsonl`);
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
  return lines.map((line) => {
    const { holds, data } = JSON.parse(line) as { holds: string; data: string };
    return { holds, data: Buffer.from(data, 'base64') };
  });
}

/** The small inputs of a campaign, one for each outcome. What is valid is left out: it would be so only until the keys are new. */
export function writeCorpus(target: string, outcomes: ReadonlyMap<string, Uint8Array>): void {
  const found = readCorpus(target).filter(({ holds }) => holds.startsWith('found: '));
  const kept = [...outcomes]
    .filter(([holds, { length }]) => length <= SIZE && !holds.includes(' valid') && !holds.startsWith('finding'))
    .sort(([, a], [, b]) => a.length - b.length)
    .slice(0, COUNT)
    .map(([holds, data]) => ({ holds: holds.slice(0, 120), data: Buffer.from(data) }));
  mkdirSync(DIRECTORY, { recursive: true });
  const lines = [...found, ...kept].map(({ holds, data }) => `${JSON.stringify({ holds, data: data.toString('base64') })}\n`);
  writeFileSync(join(DIRECTORY, `${target}.jsonl`), lines.join(''));
}
