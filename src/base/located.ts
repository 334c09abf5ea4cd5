import type { Json } from './json.js';

/**
 * A value of a document, and the line that it (or the key before it) stands on. Scalars are text as it is written, but for
 * true, false and null: `007` and `no` are names here, not a number and not an answer.
 */
export interface Located {
  readonly line: number;
  readonly value: null | boolean | string | readonly Located[] | ReadonlyMap<string, Located>;
}

/** Something in a text that cannot be read, or is not read here. */
export interface TextFault {
  readonly line: number;
  readonly problem: string;
}

/** Deeper than anything that we ask for. */
export const DEPTH = 8;

/** A value that JSON.parse made: all of it stands on `line`, numbers are the text of their digits. Null where it is too deep. */
export function locatedJson(value: Json, line: number, depth = 0): Located {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return { line, value };
  if (typeof value === 'number') return { line, value: String(value) };
  if (depth >= DEPTH) return { line, value: null };
  if (Array.isArray(value)) return { line, value: (value as readonly Json[]).map((item) => locatedJson(item, line, depth + 1)) };
  return { line, value: new Map(Object.entries(value).map(([key, item]) => [key, locatedJson(item, line, depth + 1)])) };
}

/** In a few words, for people. */
export function shownLocated({ value }: Located): string {
  if (value === null) return 'nothing';
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 60));
  if (typeof value === 'boolean') return String(value);
  return Array.isArray(value) ? `a list of ${value.length}` : 'a map';
}
