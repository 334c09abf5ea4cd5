import type { Located, TextFault } from '../../base/located.js';
import { readYaml } from '../../base/yaml.js';
import { unknownField } from './fields.js';

/** An entry of the file: with the name that it has as a key, where the services are a map. */
interface YamlEntry {
  readonly name?: string;
  readonly located: Located;
}

/** What was read at once: some entries, and what is wrong. */
export interface YamlPart {
  readonly entries: readonly YamlEntry[];
  readonly faults: readonly TextFault[];
}

/** So many characters are parsed at once: what the parser makes of a text is a hundred times as large. */
const PIECE = 65_536;
const EXPECTED = 'expected a list of services, or services: with a list or with a map by name';

/**
 * The services of a YAML file: a list, or `services:` with a list or with a map by name. A long one is read piece by piece,
 * cut where an entry begins, so that no more is held than one piece. Cutting is by lines: in block style each entry begins
 * with `- `, or with its name, at the indentation of the first, and nothing within one may stand so far to the left (YAML
 * 1.2.2 §8.2). What is written in another style is read when it fits into one piece.
 */
export async function* readServicesYaml(text: string): AsyncGenerator<YamlPart> {
  const layout = layoutOf(text);
  if (layout === undefined) {
    yield text.length > PIECE ? faulty(1, `more than ${PIECE} characters, expected each service to begin a line`) : await whole(text);
    return;
  }
  for (const { from, to, line, isTail } of piecesOf(text, layout)) {
    if (to - from > PIECE) yield faulty(line, `an entry of more than ${PIECE} characters; is a quote not closed?`);
    else yield await (isTail ? tail : part)(text.slice(from, to), line);
  }
}

const faulty = (line: number, problem: string): YamlPart => ({ entries: [], faults: [{ line, problem }] });

async function whole(text: string): Promise<YamlPart> {
  const { root, faults } = await readYaml(text);
  if (faults.length > 0) return { entries: [], faults };
  if (!(root.value instanceof Map)) return Array.isArray(root.value) ? entriesOf(root) : faulty(root.line, EXPECTED);
  const map = root.value as ReadonlyMap<string, Located>;
  const services = map.get('services') ?? { line: root.line, value: null };
  const { entries, faults: more } = entriesOf(services);
  return { entries, faults: [...unknownKeys(map), ...more] };
}

async function part(text: string, line: number): Promise<YamlPart> {
  const { root, faults } = await readYaml(text, line);
  return faults.length > 0 ? { entries: [], faults } : entriesOf(root);
}

/** What comes behind the services can only be what is not known. */
async function tail(text: string, line: number): Promise<YamlPart> {
  const { root, faults } = await readYaml(text, line);
  if (faults.length > 0) return { entries: [], faults };
  if (!(root.value instanceof Map)) return faulty(root.line, EXPECTED);
  const map = root.value as ReadonlyMap<string, Located>;
  const again = map.get('services');
  const twice = again === undefined ? [] : [{ line: again.line, problem: '"services" a second time' }];
  return { entries: [], faults: [...unknownKeys(map), ...twice] };
}

function entriesOf({ line, value }: Located): YamlPart {
  if (Array.isArray(value)) return { entries: (value as readonly Located[]).map((located) => ({ located })), faults: [] };
  if (!(value instanceof Map)) return faulty(line, EXPECTED);
  return { entries: [...(value as ReadonlyMap<string, Located>)].map(([name, located]) => ({ name, located })), faults: [] };
}

const unknownKeys = (map: ReadonlyMap<string, Located>): TextFault[] =>
  [...map].filter(([key]) => key !== 'services').map(([key, { line }]) => ({ line, problem: unknownField(key, key, ['services']) }));

/** Where the entries of a file in block style begin. `isNested`: below `services:`, so that something may come behind them. */
interface Layout {
  readonly kind: 'list' | 'map';
  readonly indent: number;
  readonly isNested: boolean;
  readonly start: number;
  readonly line: number;
}

interface Line {
  readonly start: number;
  readonly number: number;
  readonly indent: number;
  /** Without indentation. */
  readonly text: string;
}

const LIST_ENTRY = /^-(?:\s|$)/;
const MAP_ENTRY = /^[\w"']/;

/** Undefined when it is written in another style. */
function layoutOf(text: string): Layout | undefined {
  const content = contentLines(text);
  const next = (): Line | undefined => content.next().value;
  let first = next();
  if (first !== undefined && first.indent === 0 && /^---(?:\s+#.*)?$/.test(first.text)) first = next();
  if (first === undefined) return undefined;
  const at = ({ indent, start, number }: Line) => ({ indent, start, line: number });
  if (LIST_ENTRY.test(first.text)) return { kind: 'list', isNested: false, ...at(first) };
  if (first.indent !== 0 || !/^services:(?:\s+#.*)?$/.test(first.text)) return undefined;
  const inner = next();
  if (inner === undefined) return undefined;
  if (LIST_ENTRY.test(inner.text)) return { kind: 'list', isNested: true, ...at(inner) };
  return inner.indent > 0 && MAP_ENTRY.test(inner.text) ? { kind: 'map', isNested: true, ...at(inner) } : undefined;
}

/** Lines that are neither blank nor a comment, from `start` on, which is line `number`. */
function* contentLines(text: string, start = 0, number = 1): Generator<Line, undefined> {
  for (let at = start; at < text.length; number++) {
    const newline = text.indexOf('\n', at);
    const end = newline < 0 ? text.length : newline;
    const line = text.slice(at, end).trimEnd();
    const inner = line.replace(/^ +/, '');
    if (inner !== '' && !inner.startsWith('#')) yield { start: at, number, indent: line.length - inner.length, text: inner };
    at = end + 1;
  }
}

interface Piece {
  readonly from: number;
  readonly to: number;
  readonly line: number;
  readonly isTail: boolean;
}

/** As many whole entries as fit, then the next; at last what stands behind the entries. */
function* piecesOf(text: string, { kind, indent, isNested, start, line }: Layout): Generator<Piece> {
  const entry = kind === 'list' ? LIST_ENTRY : MAP_ENTRY;
  let [from, fromLine, last, lastLine] = [start, line, start, line];
  /** Cuts before the entry that began last, where the text up to `to` is too long with it. */
  function* cut(to: number): Generator<Piece> {
    if (to - from <= PIECE || last === from) return;
    yield { from, to: last, line: fromLine, isTail: false };
    [from, fromLine] = [last, lastLine];
  }
  for (const each of contentLines(text, start, line)) {
    const begins = each.indent === indent && entry.test(each.text);
    if (isNested && !begins && each.indent <= indent && !(each.indent === indent && kind === 'map')) {
      yield* cut(each.start);
      yield { from, to: each.start, line: fromLine, isTail: false };
      yield { from: each.start, to: text.length, line: each.number, isTail: true };
      return;
    }
    if (!begins) continue;
    yield* cut(each.start);
    [last, lastLine] = [each.start, each.number];
  }
  yield* cut(text.length);
  yield { from, to: text.length, line: fromLine, isTail: false };
}
