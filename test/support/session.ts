import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The built program. */
export const MTLS = fileURLToPath(new URL('../../bin/run.js', import.meta.url));

/** How a command ended. */
interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The environment of a user who has set nothing up. */
export const plainEnvironment = (): NodeJS.ProcessEnv => {
  const { MTLS_WORKSPACE: _w, NODE_OPTIONS: _o, NODE_EXTRA_CA_CERTS: _c, FORCE_COLOR: _f, ...rest } = process.env;
  return { ...rest, LC_ALL: 'C.UTF-8', NO_COLOR: '1', COLUMNS: '100' };
};

/** Runs the built program as a user does. */
export function mtls(
  args: readonly string[],
  options: { readonly cwd: string; readonly input?: string; readonly env?: NodeJS.ProcessEnv },
): Promise<Ended> {
  return run(process.execPath, [MTLS, ...args], options);
}

function run(
  program: string,
  args: readonly string[],
  { cwd, input = '', env = {} }: { cwd: string; input?: string; env?: NodeJS.ProcessEnv },
): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd, env: { ...plainEnvironment(), ...env } });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    child.on('error', reject).on('close', (code) => resolve({ code, stdout, stderr }));
    // a program that does not read is no fault of the test
    child.stdin.on('error', () => {});
    child.stdin.end(input);
  });
}

/**
 * Runs a session: lines that begin with `$ ` are typed into a shell in `directory`, and what comes back is written below
 * each: stdout as it is, stderr behind `2> `, an exit code other than 0 as `[exit N]`. What differs from run to run is
 * replaced by its kind. Comments (`#`) stay, a blank line before them.
 */
export async function replay(script: string, directory: string): Promise<string> {
  const bin = join(directory, '.bin');
  mkdirSync(bin);
  writeFileSync(join(bin, 'mtls'), `#!/bin/sh\nexec '${process.execPath}' '${MTLS}' "$@"\n`);
  chmodSync(join(bin, 'mtls'), 0o755);
  const path = `${bin}:${process.env['PATH'] ?? ''}`;
  const said: string[] = [];
  for (const line of script.split('\n')) {
    if (line.startsWith('#')) said.push(...(said.length === 0 || said.at(-1)!.startsWith('#') ? [] : ['']), line);
    if (!line.startsWith('$ ')) continue;
    const { code, stdout, stderr } = await run('bash', ['-c', line.slice(2)], { cwd: directory, env: { PATH: path } });
    const errors = stderr === '' ? '' : stderr.replace(/\n$/, '').replace(/^/gm, '2> ');
    said.push(
      line,
      ...[stdout.replace(/\n$/, ''), errors, code === 0 ? '' : `[exit ${code}]`]
        .filter((part) => part !== '')
        .map((part) => neutral(part, directory)),
    );
  }
  return `${said.join('\n').replace(/\n*$/, '')}\n`;
}

/** What differs from run to run, by its kind. */
function neutral(text: string, directory: string): string {
  return text
    .replaceAll(realpathSync(directory), 'HERE')
    .replaceAll(directory, 'HERE')
    .replace(/mtls\/\S+ \S+ node-v\S+/g, 'mtls/VERSION')
    .replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g, 'TIME')
    .replace(/\d{4}-\d\d-\d\d/g, 'DATE')
    .replace(/\b[0-9a-f]{64}\b/g, 'SHA256')
    .replace(/\b[0-9a-f]{40}\b/g, 'KEYID')
    .replace(/\b[0-9a-f]{30,34}\b/g, 'SERIAL')
    .replace(/root CA [0-9a-f]{8}/g, 'root CA XXXXXXXX')
    .replace(/ *\b\d+ ms/g, ' N ms')
    .replace(/"ms":\d+/g, '"ms":0');
}
