// Makes dist/ from src/, and the manifest that lets oclif load the one command that runs.
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, rmSync, symlinkSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

process.chdir(fileURLToPath(new URL('..', import.meta.url)));
// its hint at newer majors would be noise here: they need a newer Node
const env = { ...process.env, OCLIF_SKIP_NEW_VERSION_CHECK: 'true' };
const run = (script, ...args) => execFileSync(process.execPath, [script, ...args], { env, stdio: ['ignore', 'ignore', 'inherit'] });

rmSync('dist', { recursive: true, force: true });
rmSync('oclif.manifest.json', { force: true });
execFileSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', '.'], { stdio: 'inherit' });
run('node_modules/oclif/bin/run.js', 'manifest');
chmodSync('bin/run.js', 0o755);

// `npx mtls` in a checkout: npm links the programs of dependencies, not a package's own
const link = 'node_modules/.bin/mtls';
if (process.platform !== 'win32' && !existsSync(link)) {
  rmSync(link, { force: true });
  symlinkSync('../../bin/run.js', link);
}
