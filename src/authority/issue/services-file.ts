import { dirname, extname, resolve } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { type CsvRow, readCsv } from '../../base/csv.js';
import { DAY, parseDuration } from '../../base/duration.js';
import { FILE_LIMIT, readFileBounded } from '../../base/files.js';
import { given } from '../../base/given.js';
import type { Json } from '../../base/json.js';
import { type Located, locatedJson } from '../../base/located.js';
import { MtlsError } from '../../errors.js';
import type { Csr } from '../../pki/csr.js';
import { KEY_TYPES, type KeyType } from '../../pki/key.js';
import { csrIn } from '../../pki/material.js';
import { Fields, type Problem, unknownField } from './fields.js';
import { asDnsName, asIpAddress, asLabel, asUri } from '../names.js';
import type { IssueRequest } from './plan.js';
import { readServicesYaml } from './services-yaml.js';

/** In what a list of services may be written. JSON is YAML. */
export type ServicesFormat = 'yaml' | 'csv' | 'jsonl';

/** A request, and the line of the file that it stands on. */
interface ServiceRequest {
  readonly line: number;
  readonly request: IssueRequest;
}

/** What a file asks for, in its order; who has problems decides whether the rest is worth anything. */
export interface ServicesReading {
  readonly requests: readonly ServiceRequest[];
  readonly problems: readonly Problem[];
}

export interface ServicesOptions {
  /** Reads a certification request that an entry names. Throws what is wrong with it. */
  readonly readCsr?: (path: string) => Csr;
  readonly signal?: AbortSignal;
}

export const SERVICES_LIMIT = FILE_LIMIT;
const ENTRIES_LIMIT = 1_000_000;
/** Whoever has so many is told of these, and the rest is not read. */
const PROBLEMS_LIMIT = 1_000;
const LINE_LIMIT = 65_536;
const MAX_DAYS = 36_500;

const KEYS = [
  ...(['name', 'namespace', 'profile', 'for', 'dns', 'ip', 'uri'] as const),
  ...(['localhost', 'valid', 'days', 'key-type', 'csr'] as const),
] as const;
type Key = (typeof KEYS)[number];

const FORMATS: Readonly<Record<string, ServicesFormat>> = {
  '.yaml': 'yaml',
  '.yml': 'yaml',
  '.json': 'yaml',
  '.csv': 'csv',
  '.jsonl': 'jsonl',
  '.ndjson': 'jsonl',
};

/** By the end of its name. Throws VALUE_INVALID. */
export function servicesFormatOf(path: string): ServicesFormat {
  const format = FORMATS[extname(path).toLowerCase()];
  if (format !== undefined) return format;
  throw new MtlsError('VALUE_INVALID', {
    what: 'list of services',
    found: path,
    expected: `a name that ends in ${Object.keys(FORMATS).join(', ')}`,
  });
}

/**
 * Reads a list of services strictly: every problem is named with its line and its field. A certification request is looked
 * for from the file's directory. Throws FILE_TOO_LARGE above SERVICES_LIMIT, and INTERRUPTED.
 */
export async function readServicesFile(
  text: string,
  path: string,
  format: ServicesFormat,
  options: ServicesOptions = {},
): Promise<ServicesReading> {
  const size = Buffer.byteLength(text);
  if (size > SERVICES_LIMIT) throw new MtlsError('FILE_TOO_LARGE', { path, size, limit: SERVICES_LIMIT });
  const reading = new Reading(dirname(path), options);
  await READERS[format](text.replace(/^\ufeff/, ''), reading);
  if (reading.requests.length === 0 && reading.problems.length === 0) reading.problem(1, 'FIELD_MISSING', 'expected at least one service');
  return { requests: reading.requests, problems: reading.problems };
}

const READERS: Readonly<Record<ServicesFormat, (text: string, reading: Reading) => Promise<void>>> = {
  yaml: readYamlEntries,
  csv: readCsvEntries,
  jsonl: readJsonLines,
};

async function readYamlEntries(text: string, reading: Reading): Promise<void> {
  for await (const { entries, faults } of readServicesYaml(text)) {
    for (const { line, problem } of faults) reading.problem(line, 'SYNTAX', problem);
    for (const { name, located } of entries) {
      // a name alone is a service with nothing special about it
      const isName = name === undefined && typeof located.value === 'string';
      if (!(isName ? reading.add(emptyMap(located.line), located.value) : reading.add(nullAsEmpty(located, name), name))) return;
    }
    if (reading.isFull) return;
    await reading.turn();
  }
}

const emptyMap = (line: number): Located => ({ line, value: new Map() });
const nullAsEmpty = (located: Located, name: string | undefined): Located =>
  name !== undefined && located.value === null ? emptyMap(located.line) : located;

async function readJsonLines(text: string, reading: Reading): Promise<void> {
  let line = 0;
  for (let start = 0; start < text.length;) {
    const newline = text.indexOf('\n', start);
    const end = newline < 0 ? text.length : newline;
    line++;
    if (!(end - start > LINE_LIMIT ? tooLong(reading, line) : readJsonLine(text.slice(start, end), line, reading))) return;
    start = end + 1;
    if (line % 10_000 === 0) await reading.turn();
  }
}

const tooLong = (reading: Reading, line: number): boolean =>
  reading.problem(line, 'TOO_LARGE', `a line of more than ${LINE_LIMIT} characters`);

function readJsonLine(text: string, line: number, reading: Reading): boolean {
  if (text.trim() === '') return true;
  let value: Json;
  try {
    value = JSON.parse(text) as Json;
  } catch {
    return reading.problem(line, 'SYNTAX', 'not JSON, expected one object a line');
  }
  const located = locatedJson(value, line);
  if (!(located.value instanceof Map)) return reading.add(located);
  const fields = located.value as ReadonlyMap<string, Located>;
  // JSON.parse keeps the last of two
  if (membersOf(text) !== fields.size) return reading.problem(line, 'SYNTAX', 'the same key a second time');
  // who writes null means absent
  return reading.add({ line, value: new Map([...fields].filter(([, field]) => field.value !== null)) });
}

/** How many members the object has that a text of JSON is: colons outside of strings, at the first level. */
function membersOf(text: string): number {
  let depth = 0;
  let members = 0;
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"|[{}[\]:]/g)) {
    if (token === '{' || token === '[') depth++;
    else if (token === '}' || token === ']') depth--;
    else if (token === ':' && depth === 1) members++;
  }
  return members;
}

/** Columns of several values, between spaces or semicolons. */
const LISTS: readonly string[] = ['dns', 'ip'];

async function readCsvEntries(text: string, reading: Reading): Promise<void> {
  let header: readonly string[] | undefined;
  const fault = await readCsv(
    text,
    (row) => {
      if (header !== undefined) return addRow(header, row, reading);
      header = row.cells.map((cell) => cell.trim());
      return checkHeader(header, row.line, reading);
    },
    () => reading.turn(),
  );
  if (fault !== undefined) reading.problem(fault.line, 'SYNTAX', fault.problem);
}

/** The rows below a header that is wrong say nothing. */
function checkHeader(header: readonly string[], line: number, reading: Reading): boolean {
  const before = reading.problems.length;
  for (const [i, column] of header.entries()) {
    if (!(KEYS as readonly string[]).includes(column))
      reading.problem(line, 'FIELD_UNKNOWN', `column ${unknownField(column, column, KEYS)}`);
    else if (header.indexOf(column) < i) reading.problem(line, 'FIELD_CONFLICT', `column ${column} a second time`);
  }
  if (!header.includes('name')) reading.problem(line, 'FIELD_MISSING', 'expected a header with a column name');
  return reading.problems.length === before;
}

function addRow(header: readonly string[], { line, cells }: CsvRow, reading: Reading): boolean {
  if (cells.length !== header.length)
    return reading.problem(line, 'SYNTAX', `expected ${header.length} cells, as the header has, found ${cells.length}`);
  const fields = new Map<string, Located>();
  for (const [i, cell] of cells.entries()) {
    const value = cell.trim();
    if (value !== '') fields.set(header[i]!, { line, value: valueOfCell(header[i]!, value, line) });
  }
  return reading.add({ line, value: fields });
}

function valueOfCell(column: string, text: string, line: number): Located['value'] {
  if (LISTS.includes(column))
    return text
      .split(/[\s;]+/)
      .filter((each) => each !== '')
      .map((value) => ({ line, value }));
  return column === 'localhost' && /^(?:true|false)$/.test(text) ? text === 'true' : text;
}

/** What has been read of a file. Each step says whether to go on. */
class Reading {
  readonly requests: ServiceRequest[] = [];
  readonly problems: Problem[] = [];
  readonly #lines = new Map<string, number>();
  readonly #directory: string;
  readonly #readCsr: (path: string) => Csr;
  readonly #signal: AbortSignal | undefined;

  constructor(directory: string, { readCsr = csrAt, signal }: ServicesOptions) {
    this.#directory = directory;
    this.#readCsr = readCsr;
    this.#signal = signal;
  }

  get isFull(): boolean {
    return this.problems.length >= PROBLEMS_LIMIT;
  }

  /** Signals and timers have their turn. */
  async turn(): Promise<void> {
    await setImmediate();
    if (this.#signal?.aborted === true) throw new MtlsError('INTERRUPTED', {});
  }

  problem(line: number, code: Problem['code'], message: string): boolean {
    this.problems.push({ line, code, message });
    return this.#mayGoOn(line);
  }

  add(entry: Located, name?: string): boolean {
    const { line } = entry;
    const before = this.problems.length;
    const fields = Fields.of<Key>(entry, KEYS, { problems: this.problems, what: 'a service' });
    const request = fields === undefined ? undefined : this.#requestOf(fields, name);
    if (this.problems.length > before || request === undefined) {
      this.problems.push(...this.problems.splice(before).sort((a, b) => a.line - b.line));
      return this.#mayGoOn(line);
    }
    if (this.requests.length >= ENTRIES_LIMIT) {
      this.problem(line, 'TOO_MANY', `expected at most ${ENTRIES_LIMIT} services`);
      return false;
    }
    this.requests.push({ line, request });
    return true;
  }

  #mayGoOn(line: number): boolean {
    if (!this.isFull) return true;
    this.problems.length = PROBLEMS_LIMIT;
    this.problems.push({ line, code: 'TOO_MANY', message: `${PROBLEMS_LIMIT} problems: what comes behind was not read` });
    return false;
  }

  #requestOf(fields: Fields<Key>, key: string | undefined): IssueRequest | undefined {
    const name = key === undefined ? fields.one('name', 'a name', asLabel) : this.#nameOf(fields, key);
    const profile = alternative(fields, 'profile', 'for', 'a profile', (text) => asLabel(text, 'profile'));
    const life = alternative(fields, 'valid', 'days', 'a duration such as 90d', (text, field) =>
      field === 'days' ? asDays(text) : parseDuration(text),
    );
    const csr = fields.one('csr', 'a file', (file) => this.#csrIn(resolve(this.#directory, file)));
    if (csr !== undefined && fields.has('key-type')) fields.fail('key-type', 'FIELD_CONFLICT', 'the key is that of the csr');
    const localhost = fields.flag('localhost');
    const request = given({
      namespace: fields.one('namespace', 'a namespace', (text) => asLabel(text, 'namespace')),
      profile,
      dns: fields.many('dns', 'DNS names', asDnsName),
      ip: fields.many('ip', 'addresses', asIpAddress),
      uri: fields.one('uri', 'a URI', asUri),
      withoutLocalhost: localhost === undefined ? undefined : !localhost,
      validity: life,
      keyType: fields.one('key-type', 'a key type', asKeyType),
      csr,
    });
    if (!fields.has('name') && key === undefined) return fields.fail('name', 'FIELD_MISSING', 'expected the name of a service');
    if (name === undefined) return undefined;
    const first = this.#lines.get(name);
    if (first !== undefined) return fields.fail('name', 'NAME_TWICE', `${name} is at line ${first} already`);
    this.#lines.set(name, fields.line);
    return { name, ...request };
  }

  #nameOf(fields: Fields<Key>, key: string): string | undefined {
    if (fields.has('name'))
      return fields.fail('name', 'FIELD_CONFLICT', `expected none: the service is called ${JSON.stringify(key.slice(0, 63))}`);
    return fields.read('name', () => asLabel(key));
  }

  #csrIn(path: string): NonNullable<IssueRequest['csr']> {
    return { path, request: this.#readCsr(path) };
  }
}

const csrAt = (path: string): Csr => csrIn(readFileBounded(path, FILE_LIMIT, 'a certification request (PEM or DER)'), path);

/** One of two fields that mean the same; both are a problem. */
function alternative<T>(
  fields: Fields<Key>,
  field: Key,
  other: Key,
  expected: string,
  read: (text: string, field: Key) => T,
): T | undefined {
  if (fields.has(field) && fields.has(other)) return fields.fail(other, 'FIELD_CONFLICT', `expected this or ${field}, found both`);
  const which = fields.has(other) ? other : field;
  return fields.one(which, expected, (text) => read(text, which));
}

function asDays(text: string): number {
  const days = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (days >= 1 && days <= MAX_DAYS) return days * DAY;
  throw new MtlsError('VALUE_INVALID', { what: 'days', found: text, expected: `a whole number from 1 to ${MAX_DAYS}` });
}

function asKeyType(text: string): KeyType {
  if ((KEY_TYPES as readonly string[]).includes(text)) return text as KeyType;
  throw new MtlsError('VALUE_INVALID', { what: 'key-type', found: text, expected: `one of ${KEY_TYPES.join(', ')}` });
}
