#!/usr/bin/env node
// The program from its sources, without a build; only --help is that of the build.
'use strict';
const { readdirSync } = require('node:fs');
const { join } = require('node:path');

void dev(join(__dirname, '..'));

async function dev(root) {
  const { register } = await import('tsx/esm/api');
  register();
  const { main } = await import('../src/cli/main.ts');
  const files = readdirSync(join(root, 'src', 'commands'), { recursive: true }).filter((name) => name.endsWith('.ts'));
  const idOf = (path) => path.slice(0, -3).replaceAll(/[\\/]/g, ':');
  const commands = Object.fromEntries(files.map((path) => [idOf(path), () => import(`../src/commands/${path}`)]));
  await main(process.argv.slice(2), root, commands);
}
