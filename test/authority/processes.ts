import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { temporaryDirectory } from '../support/material.js';
import type { Report, Task } from './child.js';

/** How a process ended: what it reported, or that it was killed before it could. */
export type Ended = { readonly report: Report } | { readonly killed: true };

/** Starts processes of `child.ts`, or of another one. It is bundled first: a process through tsx takes five times as long, and there are many. */
export async function childProcesses<T extends { readonly act: string } = Task>(child = 'child.ts') {
  const directory = temporaryDirectory();
  const script = join(directory.path, 'child.cjs');
  const entry = fileURLToPath(new URL(child, import.meta.url));
  await build({ entryPoints: [entry], outfile: script, bundle: true, platform: 'node', format: 'cjs', target: 'node20' });
  return { run: (task: T) => run(script, task), remove: directory.remove };
}

function run(script: string, task: { readonly act: string }): Promise<Ended> {
  return new Promise((resolve, reject) => {
    // a process that is killed leaves a torn report of what it covered
    const { NODE_EXTRA_CA_CERTS: _slow, ...rest } = process.env;
    const env = { ...rest, NODE_V8_COVERAGE: '' };
    const child = spawn(process.execPath, [script, JSON.stringify(task)], { stdio: ['ignore', 'pipe', 'pipe'], env });
    let [stdout, stderr] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    child.on('error', reject).on('close', (code, signal) => {
      if (signal === 'SIGKILL') resolve({ killed: true });
      else if (code === 0) resolve({ report: JSON.parse(stdout) as Report });
      else reject(new Error(`${task.act}: ${stderr}`));
    });
  });
}

/** `act` of every item, three at a time. */
export async function threeAtATime<T>(items: readonly T[], act: (item: T) => Promise<void>): Promise<void> {
  const left = items.values();
  const worker = async (): Promise<void> => {
    for (const item of left) await act(item);
  };
  await Promise.all([worker(), worker(), worker()]);
}

/** The report of a process that must not have been killed. */
export function reportOf(ended: Ended): Report {
  assert.ok('report' in ended, 'it was killed');
  return ended.report;
}

/** The lock of a process that lives no more. */
export function staleLock(): string {
  const { pid } = spawnSync(process.execPath, ['-e', '']);
  return JSON.stringify({ pid, host: hostname() });
}
