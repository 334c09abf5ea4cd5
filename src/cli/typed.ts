import { shellWord } from '../errors.js';

/** What the user typed, so that a hint can say it again and right. */
export interface Typed {
  /** The command, in one word or two; undefined when there was none, or none of that name. */
  readonly command: string | undefined;
  /** Behind it, as it was typed. */
  readonly words: readonly string[];
  /** The flags that the command has, by name. */
  readonly flags: readonly string[];
}

/** The same again with other words, to be pasted. */
export const typedAgain = (command: string, words: readonly string[]): string =>
  [`mtls ${command}`, ...words.filter((word) => word !== '--json').map(shellWord)].join(' ');

/** The value of a flag, as `--flag value` or `--flag=value`. */
export function flagValue(words: readonly string[], flag: string): string | undefined {
  const at = words.findIndex((word) => word === `--${flag}` || word.startsWith(`--${flag}=`));
  if (at < 0) return undefined;
  return words[at]!.includes('=') ? words[at]!.slice(flag.length + 3) : words[at + 1];
}

/** The words without a flag and its value. */
export function withoutFlag(words: readonly string[], flag: string): readonly string[] {
  return words.filter((word, i) => word !== `--${flag}` && !word.startsWith(`--${flag}=`) && words[i - 1] !== `--${flag}`);
}

/** The one of `known` that was likely meant; undefined when none is near. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  const [best] = known.map((each) => ({ each, far: distance(word, each) })).sort((a, b) => a.far - b.far);
  return best !== undefined && best.far <= Math.max(1, Math.floor(best.each.length / 3)) ? best.each : undefined;
}

/** How many letters must be added, left out, changed or swapped with the next one. */
function distance(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      row.push(Math.min(rows[i - 1]![j]! + 1, row[j - 1]! + 1, rows[i - 1]![j - 1]! + same));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) row[j] = Math.min(row[j]!, rows[i - 2]![j - 2]! + 1);
    }
    rows.push(row);
  }
  return rows[a.length]![b.length]!;
}
