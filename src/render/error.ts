import type { MtlsError } from '../errors.js';
import { inOneLine } from './formats/characters.js';
import { mark, style } from './style.js';

/** `error: what` and, below it, what to do: a line a hint. */
export function renderError({ message, hints }: Pick<MtlsError, 'message' | 'hints'>): string {
  const lines = [`${style.bad('error:')} ${inOneLine(message)}`, ...hints.map((hint) => `  ${mark.hint} ${hint}`)];
  return `${lines.join('\n')}\n`;
}
