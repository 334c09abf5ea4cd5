import { MtlsError } from '../errors.js';

/** What a JSON value may be after parsing, before anybody looked at it. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** A JSON object with fields of the types that are asked for. Every reader throws VALUE_INVALID with the field's name. */
export class JsonObject {
  readonly #fields: Readonly<Record<string, Json>>;
  readonly #what: string;

  private constructor(fields: Readonly<Record<string, Json>>, what: string) {
    this.#fields = fields;
    this.#what = what;
  }

  /** Parses text that must be one JSON object; `what` names it in errors. */
  static parse(text: string, what: string): JsonObject {
    let value: Json;
    try {
      value = JSON.parse(text) as Json;
    } catch {
      throw new MtlsError('VALUE_INVALID', { what, found: text.slice(0, 40), expected: 'one JSON object' });
    }
    return JsonObject.of(value, what);
  }

  static of(value: Json, what: string): JsonObject {
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw new MtlsError('VALUE_INVALID', { what, found: shown(value), expected: 'a JSON object' });
    return new JsonObject(value as Readonly<Record<string, Json>>, what);
  }

  has(field: string): boolean {
    return this.#get(field) !== undefined;
  }

  string(field: string): string {
    return this.optionalString(field) ?? this.#fail(field, 'a string');
  }

  optionalString(field: string): string | undefined {
    const value = this.#get(field);
    return value === undefined || typeof value === 'string' ? value : this.#fail(field, 'a string');
  }

  strings(field: string): readonly string[] {
    const value = this.#get(field) ?? [];
    const all = Array.isArray(value) && value.every((item) => typeof item === 'string');
    return all ? value : this.#fail(field, 'a list of strings');
  }

  /** A whole number from 0 to 2^31 - 1. */
  optionalCount(field: string): number | undefined {
    const value = this.#get(field);
    const fits = typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 0x7fffffff;
    return value === undefined || fits ? value : this.#fail(field, 'a whole number');
  }

  count(field: string): number {
    return this.optionalCount(field) ?? this.#fail(field, 'a whole number');
  }

  optionalBoolean(field: string): boolean | undefined {
    const value = this.#get(field);
    return value === undefined || typeof value === 'boolean' ? value : this.#fail(field, 'true or false');
  }

  optionalObject(field: string): JsonObject | undefined {
    const value = this.#get(field);
    return value === undefined ? undefined : JsonObject.of(value, `${this.#what} ${field}`);
  }

  /** One of a closed list of words. */
  optionalWord<Word extends string>(field: string, words: readonly Word[]): Word | undefined {
    const value = this.optionalString(field);
    return value === undefined || words.includes(value as Word) ? (value as Word | undefined) : this.#fail(field, words.join(' or '));
  }

  word<Word extends string>(field: string, words: readonly Word[]): Word {
    return this.optionalWord(field, words) ?? this.#fail(field, words.join(' or '));
  }

  /** An instant in ISO 8601, or milliseconds since 1970. */
  optionalInstant(field: string): Date | undefined {
    const value = this.#get(field);
    if (value === undefined) return undefined;
    const date = typeof value === 'string' ? parseInstant(value) : typeof value === 'number' ? instantAt(value) : undefined;
    return date === undefined ? this.#fail(field, 'an instant such as 2026-01-31T12:00:00Z') : date;
  }

  instant(field: string): Date {
    return this.optionalInstant(field) ?? this.#fail(field, 'an instant such as 2026-01-31T12:00:00Z');
  }

  #get(field: string): Json | undefined {
    // null is absent; what Object.prototype has is no field
    return Object.hasOwn(this.#fields, field) ? (this.#fields[field] ?? undefined) : undefined;
  }

  #fail(field: string, expected: string): never {
    const value = this.#get(field);
    throw new MtlsError('VALUE_INVALID', {
      what: `${this.#what} ${field}`,
      found: value === undefined ? 'nothing' : shown(value),
      expected,
    });
  }
}

/** An instant by its number, of the years that ISO 8601 writes in four digits. */
function instantAt(milliseconds: number): Date | undefined {
  const date = new Date(milliseconds);
  const year = date.getUTCFullYear();
  return year >= 0 && year <= 9999 ? date : undefined;
}

/** A value in a few words: what is deep or long may not be written out whole. */
function shown(value: Json): string {
  if (typeof value === 'string') return value.slice(0, 60);
  if (typeof value !== 'object' || value === null) return String(value);
  return Array.isArray(value) ? `a list of ${value.length}` : 'an object';
}

/** An instant of ISO 8601 with a zone (`2026-01-31T12:00:00Z`), or a day (its first instant, UTC); undefined for anything else. */
export function parseInstant(text: string): Date | undefined {
  const usual = usualInstant(text);
  if (usual !== undefined) return new Date(usual);
  if (!/^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:?\d\d))?$/.test(text)) return undefined;
  const date = new Date(text);
  // every month has these days
  if (text.slice(8, 10) <= '28') return Number.isNaN(date.getTime()) ? undefined : date;
  // Date takes a 31st of February for the 3rd of March
  const day = new Date(`${text.slice(0, 10)}T00:00:00Z`);
  const exact = !Number.isNaN(day.getTime()) && day.toISOString().startsWith(text.slice(0, 10));
  return exact && !Number.isNaN(date.getTime()) ? date : undefined;
}

/**
 * What `toISOString` writes, by its digits, since Date.parse costs ten times as much and a ledger has millions; undefined for
 * all that is written differently, and for days that not every month has.
 */
function usualInstant(text: string): number | undefined {
  if (text.length !== 24 || !isPunctuated(text)) return undefined;
  const [century, year, month, day] = [twoDigits(text, 0), twoDigits(text, 2), twoDigits(text, 5), twoDigits(text, 8)];
  const [hour, minute, second] = [twoDigits(text, 11), twoDigits(text, 14), twoDigits(text, 17)];
  const [tens, ones] = [twoDigits(text, 20), text.charCodeAt(22) - 48];
  const isDay = century >= 10 && year >= 0 && month >= 1 && month <= 12 && day >= 1 && day <= 28;
  const isTime = hour >= 0 && hour < 24 && minute >= 0 && minute < 60 && second >= 0 && second < 60;
  if (!isDay || !isTime || !(tens >= 0) || !(ones >= 0 && ones <= 9)) return undefined;
  return Date.UTC(century * 100 + year, month - 1, day, hour, minute, second, tens * 10 + ones);
}

const isPunctuated = (text: string): boolean =>
  text[4] === '-' && text[7] === '-' && text[10] === 'T' && text[13] === ':' && text[16] === ':' && text[19] === '.' && text[23] === 'Z';

/** NaN for anything but two digits. */
function twoDigits(text: string, at: number): number {
  const [tens, ones] = [text.charCodeAt(at) - 48, text.charCodeAt(at + 1) - 48];
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : NaN;
}
