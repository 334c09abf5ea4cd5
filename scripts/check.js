// `npm run check`: everything that can be said about the project without running it. Wants a build. Ends with `N passed, N failed`.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';

process.chdir(fileURLToPath(new URL('..', import.meta.url)));

const node = (script, ...args) => [process.execPath, [script, ...args]];
// the slowest first
const CHECKS = {
  'types of the tests': node('node_modules/typescript/bin/tsc', '-p', 'test', '--noEmit'),
  lint: node('node_modules/eslint/bin/eslint.js', '.', '--max-warnings=0'),
  types: node('node_modules/typescript/bin/tsc', '-p', '.', '--noEmit'),
  format: node('node_modules/prettier/bin/prettier.cjs', '--check', '--log-level=warn', '.'),
  'import table': node('node_modules/mocha/bin/mocha.js', '--reporter=dot', 'test/architecture.test.ts'),
  'nothing unused': node('node_modules/knip/bin/knip.js', '--no-progress', '--treat-config-hints-as-errors'),
  'generated files': node('--import=tsx', 'scripts/generate.ts', '--check'),
  'package exports': node('node_modules/publint/src/cli.js', '--strict', '--pack=npm'),
  'package contents': node('scripts/check-package.js'),
  'package used from TypeScript': node('scripts/check-consumer.js'),
};

if (!existsSync('oclif.manifest.json')) console.error('there is no build to check: npm run build');
// `npm pack` must not build dist/ anew under the feet of the other checks
const env = { ...process.env, NO_COLOR: '1', npm_config_ignore_scripts: 'true' };

const failed = [];
const waiting = Object.entries(CHECKS);
const worker = async () => {
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) await report(next[0], await run(...next[1]));
};
await Promise.all(Array.from({ length: Math.min(4, availableParallelism()) }, worker));
console.log(`${Object.keys(CHECKS).length - failed.length} passed, ${failed.length} failed`);
process.exitCode = failed.length > 0 ? 1 : 0;

function report(name, { ok, output, seconds }) {
  console.log(ok ? `✓ ${name} (${seconds.toFixed(1)} s)` : `✗ ${name}\n${output.trimEnd().replace(/^/gm, '  ')}`);
  if (!ok) failed.push(name);
}

/** Runs a program to its end; what it printed on both streams, in order. */
function run(command, args) {
  const start = performance.now();
  return new Promise((resolve) => {
    let output = '';
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], env });
    const end = (ok) => resolve({ ok, output, seconds: (performance.now() - start) / 1000 });
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes) => (output += bytes));
    child.once('error', (error) => {
      output += error.message;
      end(false);
    });
    child.once('close', (status) => end(status === 0));
  });
}
