import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { temporaryDirectory } from './material.js';
import { MTLS, mtls, plainEnvironment } from './session.js';

/** For a suite: a workspace with api and web, and programs in it that run until they are stopped, or the test is over. */
export function runningInWorkspace(...init: readonly string[]) {
  const directory = temporaryDirectory();
  const cwd = directory.path;
  const children: ChildProcess[] = [];
  before(async () => {
    assert.equal((await mtls(['init', '--yes', ...init], { cwd })).code, 0);
    assert.equal((await mtls(['issue', 'api', 'web'], { cwd })).code, 0);
  });
  afterEach(() => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
  });
  after(directory.remove);
  const start = (...args: readonly string[]) => {
    const child = spawn(process.execPath, [MTLS, ...args], { cwd, env: plainEnvironment() });
    children.push(child);
    const heard = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const) child[name].setEncoding('utf8').on('data', (text: string) => (heard[name] += text));
    return { child, heard, ended: once(child, 'close').then(([code]) => code as number | null) };
  };
  return { directory, cwd, start };
}
