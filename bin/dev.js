#!/usr/bin/env -S node --import=tsx
// The same as run.js, from the sources.
const { main } = await import('../src/cli/main.ts');
await main(process.argv.slice(2), import.meta.url);
