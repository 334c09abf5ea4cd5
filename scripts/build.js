// Makes dist/ from src/, the manifest that tells oclif its commands, and the one file that starts fast.
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import ts from 'typescript';

process.chdir(fileURLToPath(new URL('..', import.meta.url)));
// its hint at newer majors would be noise here: they need a newer Node
const env = { ...process.env, OCLIF_SKIP_NEW_VERSION_CHECK: 'true' };
const run = (script, ...args) => execFileSync(process.execPath, [script, ...args], { env, stdio: ['ignore', 'ignore', 'inherit'] });

rmSync('dist', { recursive: true, force: true });
rmSync('oclif.manifest.json', { force: true });
execFileSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', '.'], { stdio: 'inherit' });
await bundle();
run('node_modules/oclif/bin/run.js', 'manifest');
chmodSync('bin/run.js', 0o755);

// `npx mtls` in a checkout: npm links the programs of dependencies, not a package's own
const link = 'node_modules/.bin/mtls';
if (process.platform !== 'win32' && !existsSync(link)) {
  rmSync(link, { force: true });
  symlinkSync('../../bin/run.js', link);
}

/** Finding two hundred files takes longer than running most commands: they become one, in which each command waits to be called. */
async function bundle() {
  const paths = readdirSync('dist/commands', { recursive: true }).filter((name) => name.endsWith('.js'));
  const commands = paths.map((path) => `'${commandId(path)}': () => import('./dist/commands/${path.replaceAll('\\', '/')}')`).join(', ');
  const { metafile } = await build({
    stdin: {
      contents: `import { main } from './dist/cli/main.js'; export const run = (argv, entry) => main(argv, entry, { ${commands} });`,
      resolveDir: '.',
    },
    ...{ bundle: true, platform: 'node', target: 'node20.19', format: 'cjs', outfile: 'dist/mtls.cjs' },
    plugins: [{ name: 'on demand', setup: onDemand }],
    // what few runs need stays where it is
    external: ['inquirer', 'cli-table3', 'typescript', 'yaml', 'csv-parse'],
    // the names stay, for those who read a stack
    ...{ minifyWhitespace: true, minifySyntax: true, legalComments: 'none', logLevel: 'warning', metafile: true },
  });
  writeFileSync('dist/mtls.cjs', faster(readFileSync('dist/mtls.cjs', 'utf8')));
  const process = 'dist/validate/batch-process.js';
  await build({
    entryPoints: [process],
    outfile: process,
    allowOverwrite: true,
    bundle: true,
    platform: 'node',
    format: 'esm',
    minifyWhitespace: true,
  });
  writeFileSync('dist/THIRD_PARTY_LICENSES.txt', licensesOf(Object.keys(metafile.inputs)));
}

/** `crl/serve.js` is `mtls crl serve`, which oclif calls `crl:serve`. */
function commandId(path) {
  return path.slice(0, -3).replaceAll(/[\\/]/g, ':');
}

/**
 * The modules of oclif load one another when they are first used, not before: what is in one function of a module would
 * otherwise be loaded by every command. Rewritten is what tsc wrote, `const name_1 = require("…")`.
 */
function onDemand({ onLoad, onResolve }) {
  // ours, in a namespace of their own: as files of this package esbuild would take them for ES modules
  onResolve({ filter: /^\.{1,2}\// }, ({ path, resolveDir }) => {
    const file = relative('.', join(resolveDir, path));
    return file.startsWith(`dist${sep}`) ? { path: file, namespace: 'ours' } : undefined;
  });
  onLoad({ filter: /./, namespace: 'ours' }, ({ path }) => ({
    contents: lazy(commonJs(readFileSync(path, 'utf8'))),
    resolveDir: resolve(dirname(path)),
  }));
  onLoad({ filter: /node_modules\/@oclif\/core\/lib\/.*\.js$/ }, ({ path }) => ({ contents: lazy(readFileSync(path, 'utf8')) }));
  // all that oclif asks of it, whenever a command starts; the package itself loads four others
  onLoad({ filter: /node_modules\/wsl-utils\/index\.js$/ }, () => ({
    contents: `import { release } from 'node:os';
export const isWsl = process.platform === 'linux' && release().toLowerCase().includes('microsoft');`,
  }));
  // it looks for a terminal and its colours, for whoever says DEBUG=oclif
  onLoad({ filter: /node_modules\/debug\/src\/index\.js$/ }, () => ({
    contents: `module.exports = process.env.DEBUG ? require('./node.js') : () => Object.assign(() => {}, { enabled: false });`,
  }));
}

/** An ES module of ours as tsc writes it for CommonJS; what it imports late stays so. */
function commonJs(source) {
  const late = source.replaceAll(/\bimport\(/g, 'importLate(');
  const { outputText } = ts.transpileModule(late, {
    compilerOptions: { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2023, esModuleInterop: true },
  });
  return outputText.replaceAll('importLate(', 'import(').replaceAll(/\(0, (\w+\.\w+)\)\(/g, '$1(');
}

/** `source` with its modules loaded by a call; one that is used otherwise than `name_1.something` stays as it is. */
function lazy(source) {
  const REQUIRED = /^const (\w+) = ((?:__importDefault|__importStar)?\(?require\("[^"]+"\)\)?);$/gm;
  return [...source.matchAll(REQUIRED)].reduce((text, [line, name, value]) => {
    const uses = new RegExp(`(?<![.\\w'"])${name}\\b(?=\\.)`, 'g');
    const all = new RegExp(`\\b${name}\\b`, 'g');
    if (text.match(all).length !== (text.match(uses)?.length ?? 0) + 1) return text;
    return text.replace(uses, `(${name}())`).replace(line, () => `let ${name}Loaded; const ${name} = () => (${name}Loaded ??= ${value});`);
  }, source);
}

/**
 * What V8 reads in half the time: one byte a character. The ids of commands, which are ASCII, are sorted without collation
 * tables, and no theme is looked for, as there is none. Node does not import from a script whose compiled code was kept: bin/run.js gives it `importModule`.
 */
function faster(bundle) {
  const sort = '.sort((a,b)=>a.id.localeCompare(b.id))';
  const theme = 'this.theme=await this.loadTheme(),';
  for (const part of [sort, theme]) if (!bundle.includes(part)) throw new Error(`oclif does not say ${part} any more`);
  const script = bundle
    .replace(sort, '.sort((a,b)=>a.id<b.id?-1:1)')
    .replace(theme, '')
    .replace(/(?<![\w$.#])import\((?!\))/g, 'importModule(')
    .replace(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
  return `(function (exports, require, module, importModule) {${script}})\n`;
}

/** What the authors of the packages in the bundle ask to be said with every copy. */
function licensesOf(inputs) {
  const packages = [...new Set(inputs.flatMap((path) => /^(?:.*node_modules\/)(?:@[^/]+\/)?[^/]+/.exec(path)?.[0] ?? []))].sort();
  return packages
    .map((path) => {
      const { name, version, license } = JSON.parse(readFileSync(`${path}/package.json`, 'utf8'));
      const file = readdirSync(path).find((entry) => /^licen[cs]e/i.test(entry));
      return `${name} ${version} (${license})\n\n${file === undefined ? '' : readFileSync(`${path}/${file}`, 'utf8').trim()}\n`;
    })
    .join(`\n${'-'.repeat(80)}\n\n`);
}
