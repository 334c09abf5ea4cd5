import { spawnSync } from 'node:child_process';
import type { Context } from 'mocha';

/** Programs of others that a test asked for and this machine lacks. */
export const missing = new Set<string>();

/**
 * For a `before` hook: leaves the suite out where one of these programs is not installed, which the last line of the tests
 * tells. Where nothing may be left out (MTLS_LEAVE_NOTHING_OUT=1, as .ci/run has it) the suite fails.
 */
export function needs(...names: readonly string[]): (this: Context) => void {
  return function (this: Context): void {
    const lacking = names.filter((name) => findProgram(name) === undefined);
    if (lacking.length === 0) return;
    if (process.env['MTLS_LEAVE_NOTHING_OUT'] === '1') throw new Error(`not installed, and nothing may be left out: ${lacking.join(', ')}`);
    for (const name of lacking) missing.add(name);
    this.test!.parent!.title += ` (left out: no ${lacking.join(', ')})`;
    this.skip();
  };
}

/** Where a program is; undefined when it is not installed. */
export function findProgram(name: string): string | undefined {
  const found = spawnSync('/bin/sh', ['-c', `PATH="$PATH:/usr/sbin:/sbin" command -v ${name}`], { encoding: 'utf8' });
  if (found.status !== 0) return undefined;
  const path = found.stdout.trim();
  // LibreSSL and OpenSSL 1 go by the same name, and print and take other things
  if (name === 'openssl' && !/^OpenSSL [3-9]/.test(spawnSync(path, ['version'], { encoding: 'utf8' }).stdout)) return undefined;
  // what macOS ships under these names only says where to get the real one
  if (name === 'keytool' && spawnSync(path, ['-help'], { stdio: 'ignore' }).status !== 0) return undefined;
  return path;
}
