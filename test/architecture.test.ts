import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { importsOf, roomOf, targetOf } from './support/imports.js';

const SRC = fileURLToPath(new URL('../src/', import.meta.url));

/** The rooms from the street to the cellar, and what each may import besides itself. docs/architecture.md draws it. */
const ROOMS: Readonly<Record<string, readonly string[]>> = {
  commands: ['cli', 'render', 'demo', 'authority', 'proxy', 'probe', 'validate', 'pki', 'base', 'errors'],
  cli: ['render', 'authority', 'validate', 'pki', 'base', 'errors'],
  render: ['base', 'errors'],
  demo: ['authority', 'proxy', 'probe', 'validate', 'pki', 'base', 'errors'],
  authority: ['validate', 'pki', 'base', 'errors'],
  proxy: ['validate', 'pki', 'base', 'errors'],
  probe: ['validate', 'pki', 'base', 'errors'],
  validate: ['pki', 'base', 'errors'],
  pki: ['base', 'errors'],
  base: ['errors'],
  errors: [],
};

/** Rooms whose types, and no values, a room may import: what it passes on or prints comes to it as a value. */
const TYPES_OF: Readonly<Record<string, readonly string[]>> = {
  cli: ['proxy', 'probe'],
  render: ['demo', 'authority', 'proxy', 'probe', 'validate', 'pki'],
};

/** Which rooms may import a package. One that is not here is imported by none. */
const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  '@oclif/core': ['commands', 'cli'],
  inquirer: ['cli'],
  chalk: ['render'],
  'cli-table3': ['render'],
  'node-forge': ['pki'],
  yaml: ['base'],
  'csv-parse': ['base'],
};

const LINES_OF_A_FILE = 450;
const LINES_OF_A_COMMAND = 110;

/** What is wrong with the imports of a file, as `path:line: why`. `path` is relative to src. */
function faultsOf(path: string, text: string): string[] {
  const room = roomOf(path);
  return importsOf(path, text).flatMap(({ line, specifier, typeOnly }) => {
    const why = faultOf(room, path, specifier, typeOnly);
    return why === undefined ? [] : [`src/${path}:${line}: ${why}`];
  });
}

function faultOf(room: string, path: string, specifier: string, typeOnly: boolean): string | undefined {
  const target = targetOf(path, specifier);
  if ('builtin' in target) return undefined;
  if ('package' in target) {
    const rooms = PACKAGES[target.package];
    if (rooms === undefined) return `imports ${target.package}, which PACKAGES does not know`;
    return rooms.includes(room) ? undefined : `imports ${target.package}, which only ${rooms.join(' and ')} may`;
  }
  if (target.room === room || ROOMS[room]?.includes(target.room) === true) return undefined;
  const types = TYPES_OF[room]?.includes(target.room) === true;
  if (types && typeOnly) return undefined;
  if (types) return `imports a value of ${target.room} (${specifier}): ${room} may import only its types`;
  return `imports ${target.room} (${specifier}): ${room} may import only ${[room, ...(ROOMS[room] ?? [])].join(', ')}`;
}

const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  .map((path) => path.replaceAll('\\', '/'))
  .filter((path) => path.endsWith('.ts'))
  .sort()
  .map((path) => ({ path, text: readFileSync(join(SRC, path), 'utf8') }));

const lines = (text: string): number => text.split('\n').length - 1;

describe('the house', () => {
  it('has only known rooms', () => {
    const rooms = [...new Set(files.map(({ path }) => roomOf(path)))];
    assert.deepEqual(
      rooms.filter((room) => !(room in ROOMS)),
      [],
    );
  });

  it('has imports that go down only, and packages in their rooms', () => {
    const faults = files.flatMap(({ path, text }) => faultsOf(path, text));
    assert.equal(faults.length, 0, `\n${faults.join('\n')}`);
  });

  it('has a table without a circle', () => {
    const order = Object.keys(ROOMS);
    for (const [room, below] of Object.entries(ROOMS))
      for (const other of below) assert.ok(order.indexOf(other) > order.indexOf(room), `${room} stands above ${other}`);
  });

  it(`has no file longer than ${LINES_OF_A_FILE} lines, and no command longer than ${LINES_OF_A_COMMAND}`, () => {
    const limitOf = (path: string): number => (roomOf(path) === 'commands' ? LINES_OF_A_COMMAND : LINES_OF_A_FILE);
    const long = files.filter(({ path, text }) => lines(text) > limitOf(path));
    assert.deepEqual(
      long.map(({ path, text }) => `src/${path}: ${lines(text)} lines, at most ${limitOf(path)}`),
      [],
    );
  });
});

describe('the import table', () => {
  const CAUGHT: readonly (readonly [title: string, path: string, text: string, fault: RegExp])[] = [
    ['an import that goes up', 'pki/a.ts', "\nimport { x } from '../authority/index.js';", /^src\/pki\/a\.ts:2: imports authority/],
    ['a type that goes up', 'base/a.ts', "import type { x } from '../pki/key.js';", /^src\/base\/a\.ts:1: imports pki/],
    ['a type written inline', 'base/a.ts', "export type X = import('../pki/key.js').X;", /:1: imports pki/],
    ['a neighbour', 'proxy/tls/a.ts', "import { probe } from '../../probe/probe.js';", /^src\/proxy\/tls\/a\.ts:1: imports probe/],
    ['the other neighbour', 'probe/a.ts', "import type { x } from '../proxy/x.js';", /imports proxy/],
    ['authority from the proxy', 'proxy/a.ts', "import { x } from '../authority/ledger.js';", /imports authority/],
    ['an export from above', 'validate/a.ts', "\n\nexport { x } from '../probe/x.js';", /:3: imports probe/],
    ['an export of everything', 'validate/a.ts', "export * from '../probe/x.js';", /imports probe/],
    ['a dynamic import', 'pki/a.ts', "const f = async () => {\n  await import('../cli/main.js');\n};", /:2: imports cli/],
    ['an import for its side effects', 'pki/a.ts', "import '../cli/main.js';", /imports cli/],
    ['a path that is computed', 'pki/a.ts', 'await import(`../${name}/main.js`);', /imports/],
    ['a value in render', 'render/a.ts', "import { fingerprint } from '../pki/certificate.js';", /a value of pki .* only its types/],
    ['a value among types', 'render/a.ts', "import { type A, b } from '../pki/certificate.js';", /a value of pki/],
    ['a whole namespace in render', 'render/a.ts', "import * as pki from '../pki/certificate.js';", /a value of pki/],
    ['a command from the seam', 'cli/a.ts', "import Init from '../commands/init.js';", /imports commands/],
    ['chalk outside of render', 'cli/a.ts', "import chalk from 'chalk';", /imports chalk, which only render may/],
    ['a table outside of render', 'commands/a.ts', "await import('cli-table3');", /imports cli-table3, which only render may/],
    ['prompts outside of cli', 'commands/a.ts', "import inquirer from 'inquirer';", /imports inquirer, which only cli may/],
    ['node-forge outside of pki', 'authority/a.ts', "import x from 'node-forge/lib/asn1.js';", /imports node-forge, which only pki may/],
    [
      'oclif below the seam',
      'render/a.ts',
      "import { Flags } from '@oclif/core/flags';",
      /imports @oclif\/core, which only commands and cli may/,
    ],
    ['an unknown package', 'base/a.ts', "import x from 'left-pad';", /left-pad, which PACKAGES does not know/],
    ['an unknown room', 'pki/a.ts', "import x from '../attic/x.js';", /imports attic/],
  ];
  for (const [title, path, text, fault] of CAUGHT) {
    it(`catches ${title}`, () => {
      const faults = faultsOf(path, text);
      assert.equal(faults.length, 1);
      assert.match(faults[0]!, fault);
    });
  }

  it('lets pass what is allowed', () => {
    const allowed = [
      [
        'pki/a.ts',
        "import { x } from './b.js'; import { y } from '../base/bytes.js'; import { z } from '../errors.js'; import fs from 'node:fs';",
      ],
      [
        'render/a.ts',
        "import type { A } from '../pki/key.js'; import { type B, type C } from '../probe/index.js'; import chalk from 'chalk';",
      ],
      [
        'render/a.ts',
        "export type { A } from '../pki/key.js'; type D = import('../proxy/index.js').D; import { DAY } from '../base/duration.js';",
      ],
      ['probe/rules/a.ts', "import { x } from '../facts.js'; import { y } from '../../validate/index.js';"],
      [
        'commands/a.ts',
        "// import x from 'left-pad'\nconst text = \"import y from 'left-pad'\"; import * as Flags from '@oclif/core/flags';",
      ],
    ] as const;
    for (const [path, text] of allowed) assert.deepEqual(faultsOf(path, text), []);
  });
});
