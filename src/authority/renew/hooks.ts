import { spawn } from 'node:child_process';
import { readFileBounded } from '../../base/files.js';
import { MtlsError, systemCode } from '../../errors.js';
import type { ServicePaths } from '../workspace.js';

/** How long a command may take. */
const EXEC_LIMIT = 60_000;
export const HOOK_SIGNALS = ['HUP', 'USR1', 'USR2', 'TERM', 'INT'] as const;

/** What is done when new files are whole and in place. */
export interface Hooks {
  /** For the shell. */
  readonly exec?: string;
  readonly execLimit?: number;
  readonly signal?: { readonly name: (typeof HOOK_SIGNALS)[number]; readonly pidFile: string };
}

/** Throws HOOK_FAILED, or what is wrong with the pid file. */
export async function runHooks({ exec, execLimit, signal }: Hooks, service: string, paths: ServicePaths): Promise<void> {
  if (exec !== undefined) await execute(exec, service, paths, execLimit);
  if (signal !== undefined) sendSignal(signal);
}

/** Its output is talk: all of it goes to stderr. What it started goes with it when it takes too long. */
function execute(command: string, service: string, { certificate, key, ca }: ServicePaths, limit = EXEC_LIMIT): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (problem: string, cause?: unknown): void =>
      reject(new MtlsError('HOOK_FAILED', { hook: command, problem }, cause === undefined ? undefined : { cause }));
    const env = { ...process.env, MTLS_SERVICE: service, MTLS_CERTIFICATE: certificate, MTLS_KEY: key, MTLS_CA: ca };
    const child = spawn(command, { shell: true, detached: true, env, stdio: ['ignore', 2, 2] });
    const end = (): void => void endGroup(child.pid);
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      end();
    }, limit);
    process.once('exit', end);
    const over = (): void => {
      clearTimeout(timer);
      process.off('exit', end);
    };
    child.once('error', (error) => {
      over();
      fail('cannot be run', error);
    });
    child.once('exit', (status, by) => {
      over();
      if (isLate) fail(`took longer than ${limit / 1000} s and was ended`);
      else if (by !== null) fail(`was ended by ${by}`);
      else if (status !== 0) fail(`exited with ${status}`);
      else resolve();
    });
  });
}

function endGroup(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  } catch {
    // it has ended
  }
}

/** A pid file holds one number above 1, and perhaps a newline: 0, 1 and less mean whole groups of processes, or init. */
function readPid(path: string): number {
  const text = readFileBounded(path, 64, 'a process id').toString('latin1');
  const digits = /^([1-9]\d{0,9})\n?$/.exec(text)?.[1];
  const pid = Number(digits ?? 0);
  if (pid > 1 && pid <= 0x7fffffff) return pid;
  throw new MtlsError('FILE_UNRECOGNIZED', { path, expected: 'a pid file', found: JSON.stringify(text) });
}

function sendSignal({ name, pidFile }: NonNullable<Hooks['signal']>): void {
  const pid = readPid(pidFile);
  try {
    process.kill(pid, `SIG${name}`);
  } catch (error) {
    const code = systemCode(error);
    const problem = code === 'ESRCH' ? 'finds no such process' : code === 'EPERM' ? 'is not permitted' : `failed: ${code ?? 'unknown'}`;
    throw new MtlsError('HOOK_FAILED', { hook: `SIG${name} to ${pid} (${pidFile})`, problem }, { cause: error });
  }
}
