import { toPem } from '../../src/pki/pem.js';
import { type Mutation, mutateBytes, mutateDer } from './mutate-der.js';
import type { Random } from './random.js';

const BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----([A-Za-z0-9+/=\s]+)-----END \1-----/g;

/** Bends what is in a PEM block, or the armour around it. */
export const mutatePem: Mutation = (bytes, random, other) => {
  const text = bytes.toString('latin1');
  if (text.startsWith('{') && random.oneIn(2)) return mutateJsonLines(bytes, random, other);
  const block = [...text.matchAll(BLOCK)].at(random.below(4));
  if (block === undefined || random.oneIn(2)) return mutateText(bytes, random, other);
  const [whole, label, base64] = block as unknown as [string, string, string];
  const otherDer = (): Buffer => {
    const foreign = BLOCK.exec(other().toString('latin1'))?.[2];
    BLOCK.lastIndex = 0;
    return Buffer.from(foreign ?? base64, 'base64');
  };
  const der = random.oneIn(4) ? Buffer.from(base64, 'base64') : mutateDer(Buffer.from(base64, 'base64'), random, otherDer);
  const changed = toPem(random.oneIn(4) ? random.pick(LABELS) : label, der);
  return Buffer.from(text.slice(0, block.index) + changed + text.slice(block.index + whole.length), 'latin1');
};

const LABELS = [
  'CERTIFICATE',
  'X509 CERTIFICATE',
  'TRUSTED CERTIFICATE',
  'X509 CRL',
  'CERTIFICATE REQUEST',
  'NEW CERTIFICATE REQUEST',
  'PKCS12',
]
  .concat([
    'PUBLIC KEY',
    'PRIVATE KEY',
    'ENCRYPTED PRIVATE KEY',
    'EC PRIVATE KEY',
    'RSA PRIVATE KEY',
    'PKCS7',
    'EC PARAMETERS',
    'DH PARAMETERS',
  ])
  .concat(['', ' ', 'A'.repeat(64), 'A'.repeat(65)]);

const PIECES = [
  '-----BEGIN ',
  '-----END ',
  '-----',
  '\n',
  '\r\n',
  '\r',
  '\n\n',
  ' ',
  '\t',
  '\0',
  '=',
  '==',
  '===',
  ':',
  '\ufeff',
  ',',
  '"',
  '{',
  '}',
]
  .concat([
    'Proc-Type: 4,ENCRYPTED\n',
    'DEK-Info: AES-256-CBC,00\n\n',
    'null',
    'true',
    '-1',
    '1e999',
    '0',
    '2147483647',
    '2147483648',
    '[]',
    '{}',
  ])
  .concat([
    '"\\ud800"',
    '"\\u0000"',
    '__proto__',
    '"__proto__":{},',
    '2026-02-30',
    '2026-01-31T12:00:00Z',
    '+275760-09-13T00:00:00Z',
    'é',
    '-----BEGIN A-----',
  ])
  .map((text) => Buffer.from(text));

/** Bends text by lines and pieces. */
const mutateText: Mutation = (bytes, random, other) => {
  if (random.oneIn(3)) return mutateBytes(bytes, random, other);
  const at = random.below(bytes.length + 1);
  if (random.oneIn(2)) return Buffer.concat([bytes.subarray(0, at), random.pick(PIECES), bytes.subarray(at + random.pick([0, 0, 1, 8]))]);
  if (random.oneIn(40)) {
    const [open, close] = random.pick([
      ['[', ']'],
      ['{"a":', '}'],
      ['-----BEGIN A-----\nAAAA\n', ''],
      ['\n', ''],
      ['-', ''],
      [' ', ''],
    ] as const);
    const depth = random.size(15);
    const end = random.oneIn(2) ? 0 : close.length * depth;
    return Buffer.concat([
      bytes.subarray(0, at),
      Buffer.alloc(open.length * depth, open),
      Buffer.alloc(end, close || ' '),
      bytes.subarray(at),
    ]);
  }
  const lines = bytes.toString('latin1').split('\n');
  const index = random.below(lines.length);
  const line = lines[index]!;
  const foreign = random.pick(other().toString('latin1').split('\n'));
  random.pick([
    () => lines.splice(index, 1),
    () => lines.splice(index, 0, ...Array<string>(random.oneIn(100) ? random.size(12) : 1).fill(line)),
    () => lines.splice(index, 0, foreign),
    () => lines.splice(index, 1, lines[random.below(lines.length)]!),
  ])();
  const changed = Buffer.from(lines.join('\n'), 'latin1');
  return changed.length <= 1_000_000 ? changed : bytes;
};

/** Bends a field of a line of JSON, or the text of it. */
export const mutateJsonLines: Mutation = (bytes, random, other) => {
  const lines = bytes.toString('utf8').split('\n');
  const index = random.below(lines.length);
  const fields = random.oneIn(3) ? undefined : fieldsOf(lines[index]!);
  if (random.oneIn(200)) {
    const depth = random.size(17);
    const deep = '['.repeat(depth) + ']'.repeat(depth);
    return Buffer.from(random.oneIn(2) ? `${deep}\n` : `{"id":"a","event":${deep}}\n`);
  }
  if (fields === undefined || fields.length === 0) return mutateText(bytes, random, other);
  const at = random.below(fields.length);
  const [key, value] = fields[at]!;
  random.pick([
    () => fields.splice(at, 1),
    () => fields.splice(at, 0, [key, value]),
    () => (fields[at] = [random.pick(['__proto__', 'constructor', '', key.toUpperCase(), 'toString']), value]),
    () => (fields[at] = [key, random.pick(fields)[1]]),
    () => (fields[at] = [key, JSON.stringify(random.pick(VALUES))]),
    () => (fields[at] = [key, mutateText(Buffer.from(value), random, other).toString('utf8')]),
  ])();
  lines[index] = `{${fields.map(([name, text]) => `${JSON.stringify(name)}:${text}`).join(',')}}`;
  const changed = Buffer.from(lines.join('\n'));
  return changed.length <= 1_000_000 ? changed : bytes;
};

const VALUES: readonly unknown[] = [
  ...[null, true, false, 0, -1, 0.5, 1e21, 2 ** 31, 2 ** 53, '', ' ', '\0', '\ud800', [], {}, [[]], 'issued', 'revoked', 'crl'],
  ...['00', 'ff'.repeat(21), 'ff'.repeat(22), 'FF', 'f', 'server', 'client', 'peer', 'keyCompromise', 'unspecified', 'a'.repeat(10_000)],
  ...['2026-01-31T12:00:00Z', '2026-02-31T12:00:00Z', '0000-01-01', '9999-12-31T23:59:59.999999999+23:59', 8.64e15, -8.64e15, 8.64e15 + 1],
];

function fieldsOf(line: string): (readonly [key: string, value: string])[] | undefined {
  try {
    return Object.entries(JSON.parse(line) as object).map(([key, value]) => [key, JSON.stringify(value)] as const);
  } catch {
    return undefined;
  }
}

/** How often an input is bent before it is tried. */
export const timesOf = (random: Random): number => (random.oneIn(3) ? random.size(4) : 1);
