#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import * as module from 'node:module';

// the answer to the one question that needs nothing loaded
if (process.argv.length === 3 && process.argv[2] === '--version') {
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  process.stdout.write(`mtls/${version} ${process.platform}-${process.arch} node-${process.version}\n`);
} else {
  // Node 22.1 and newer keep compiled code between runs
  module.enableCompileCache?.();
  // the bundle that scripts/build.js makes; import() would read all of it once more, for the names that it exports
  const { run } = module.createRequire(import.meta.url)('../dist/mtls.cjs');
  await run(process.argv.slice(2), import.meta.url);
}
