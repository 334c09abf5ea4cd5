// Makes dist/ from src/, and the manifest that lets oclif load the one command that runs.
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, readdirSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

process.chdir(fileURLToPath(new URL('..', import.meta.url)));
const run = (script, ...args) => execFileSync(process.execPath, [script, ...args], { stdio: ['ignore', 'ignore', 'inherit'] });

rmSync('dist', { recursive: true, force: true });
rmSync('oclif.manifest.json', { force: true });
execFileSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', '.'], { stdio: 'inherit' });
if (existsSync('dist/commands') && readdirSync('dist/commands').length > 0) run('node_modules/oclif/bin/run.js', 'manifest');
if (existsSync('bin/run.js')) chmodSync('bin/run.js', 0o755);
