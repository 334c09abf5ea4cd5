#!/usr/bin/env node
// The program from its sources, without a build; only --help is that of the build.
import { readdirSync } from 'node:fs';
import { register } from 'tsx/esm/api';

register();
const { main } = await import('../src/cli/main.ts');
const files = readdirSync(new URL('../src/commands/', import.meta.url)).filter((name) => name.endsWith('.ts'));
const commands = Object.fromEntries(files.map((name) => [name.slice(0, -3), () => import(`../src/commands/${name}`)]));
await main(process.argv.slice(2), new URL('./run.js', import.meta.url).href, commands);
