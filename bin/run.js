#!/usr/bin/env node
// The answer to the one question that needs nothing loaded; everything else is oclif's.
if (process.argv.length === 3 && process.argv[2] === '--version') {
  const { readFileSync } = await import('node:fs');
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  process.stdout.write(`mtls/${version} ${process.platform}-${process.arch} node-${process.version}\n`);
} else {
  const { enableCompileCache } = await import('node:module');
  // Node 22.1 and newer keep compiled code between runs
  enableCompileCache?.();
  const { main } = await import('../dist/cli/main.js');
  await main(process.argv.slice(2), import.meta.url);
}
