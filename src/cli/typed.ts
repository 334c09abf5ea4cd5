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
