import { type Located, shownLocated } from '../../base/located.js';
import { nearest } from '../../base/nearest.js';
import { type ErrorCode, MtlsError, isError } from '../../errors.js';

/** What is wrong with a field of a document, for programs; or the code of the error that its value met. */
export type ProblemCode =
  ErrorCode | 'SYNTAX' | 'FIELD_UNKNOWN' | 'FIELD_MISSING' | 'FIELD_TYPE' | 'FIELD_CONFLICT' | 'NAME_TWICE' | 'TOO_LARGE' | 'TOO_MANY';

/** One thing that is wrong, and where. `message` names the field, what was expected and what was found. */
export interface Problem {
  readonly line: number;
  readonly code: ProblemCode;
  readonly message: string;
}

/** Makes a value of a text, or throws one of our errors. */
type Read<T> = (text: string) => T;

/**
 * A map read strictly: what is not one of `known` is a problem, and so is a value of another kind than was asked for. All
 * problems are gathered; a field that has one reads as absent, so whoever reads looks at `problems` before believing it.
 */
export class Fields<Key extends string> {
  readonly line: number;
  readonly #fields: ReadonlyMap<string, Located>;
  readonly #problems: Problem[];
  readonly #within: string;

  private constructor(line: number, fields: ReadonlyMap<string, Located>, problems: Problem[], within: string) {
    this.line = line;
    this.#fields = fields;
    this.#problems = problems;
    this.#within = within;
  }

  /** The fields of a map; undefined when it is none, which is a problem. `what` says whose they are. */
  static of<Key extends string>(
    located: Located,
    known: readonly Key[],
    { problems, what, within = '' }: { readonly problems: Problem[]; readonly what: string; readonly within?: string },
  ): Fields<Key> | undefined {
    const { line, value } = located;
    if (!(value instanceof Map)) {
      problems.push({
        line,
        code: 'FIELD_TYPE',
        message: `${what}: expected a map with ${known.join(', ')}, found ${shownLocated(located)}`,
      });
      return undefined;
    }
    for (const [key, { line: at }] of value)
      if (!(known as readonly string[]).includes(key))
        problems.push({ line: at, code: 'FIELD_UNKNOWN', message: unknownField(`${within}${key}`, key, known) });
    return new Fields<Key>(line, value as ReadonlyMap<string, Located>, problems, within);
  }

  has(key: Key): boolean {
    return this.#fields.has(key);
  }

  lineOf(key: Key): number {
    return this.#fields.get(key)?.line ?? this.line;
  }

  fail(key: Key, code: ProblemCode, message: string): undefined {
    this.#problems.push({ line: this.lineOf(key), code, message: `${this.#within}${key}: ${message}` });
    return undefined;
  }

  /** A text. */
  one<T>(key: Key, expected: string, read: Read<T>): T | undefined {
    const located = this.#fields.get(key);
    if (located === undefined) return undefined;
    if (typeof located.value !== 'string') return this.#wrongType(key, expected, located);
    return this.read(key, () => read(located.value as string), located.line);
  }

  /** A list of texts, or one. */
  many<T>(key: Key, expected: string, read: Read<T>): readonly T[] | undefined {
    const located = this.#fields.get(key);
    if (located === undefined) return undefined;
    const items = Array.isArray(located.value) ? (located.value as readonly Located[]) : [located];
    const values = items.map((item) =>
      typeof item.value === 'string'
        ? this.read(key, () => read(item.value as string), item.line)
        : this.#wrongType(key, `a list of ${expected}`, item),
    );
    return values.every((value) => value !== undefined) ? values : undefined;
  }

  /** What `read` makes; what it throws of ours is a problem of that field. */
  read<T>(key: Key, read: () => T, line = this.lineOf(key)): T | undefined {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof MtlsError)) throw error;
      this.#problems.push({ line, code: error.code, message: `${this.#within}${key}: ${inWords(error)}` });
      return undefined;
    }
  }

  flag(key: Key): boolean | undefined {
    const located = this.#fields.get(key);
    if (located === undefined || typeof located.value === 'boolean') return located?.value as boolean | undefined;
    return this.#wrongType(key, 'true or false', located);
  }

  /** A map within this one. */
  inner<Inner extends string>(key: Key, known: readonly Inner[]): Fields<Inner> | undefined {
    const located = this.#fields.get(key);
    if (located === undefined) return undefined;
    return Fields.of(located, known, { problems: this.#problems, what: key, within: `${key}.` });
  }

  #wrongType(key: Key, expected: string, located: Located): undefined {
    const message = `${this.#within}${key}: expected ${expected}, found ${shownLocated(located)}`;
    this.#problems.push({ line: located.line, code: 'FIELD_TYPE', message });
    return undefined;
  }
}

/** What a field that nobody knows is called, and what may have been meant. */
export function unknownField(name: string, key: string, known: readonly string[]): string {
  const meant = nearest(key.toLowerCase(), known);
  const rest = meant === undefined ? `expected ${known.join(', ')}` : `did you mean ${meant}?`;
  return `${JSON.stringify(name.slice(0, 60))} is not known here: ${rest}`;
}

/** An error without the flag that it would name on the command line. */
function inWords(error: MtlsError): string {
  if (isError(error, 'VALUE_INVALID')) return `expected ${error.facts.expected}, found ${JSON.stringify(error.facts.found.slice(0, 60))}`;
  if (!isError(error, 'NAME_NOT_DNS_LABEL')) return error.message;
  const { name, suggestion } = error.facts;
  const meant = suggestion === undefined ? '' : `; did you mean ${suggestion}?`;
  return `expected a DNS label, 1 to 63 of a-z 0-9 - (no - at the ends), found ${JSON.stringify(name.slice(0, 60))}${meant}`;
}
