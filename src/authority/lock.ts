import * as fs from 'node:fs';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { readError, writeError } from '../base/files.js';
import { MtlsError, systemCode } from '../errors.js';

/** How long a command waits for another one to finish. */
const PATIENCE = 15_000;
const POLL = 20;

interface Holder {
  readonly pid: number;
  readonly host: string;
}

/**
 * Runs `work` while this process alone holds the lock file. A lock whose process is gone is taken over; one from
 * another host is never, because nobody here can tell. Throws WORKSPACE_LOCKED after 15 s of waiting.
 */
export async function withLock<T>(path: string, work: () => Promise<T>): Promise<T> {
  await acquire(path);
  try {
    return await work();
  } finally {
    fs.rmSync(path, { force: true });
  }
}

async function acquire(path: string): Promise<void> {
  const started = performance.now();
  while (!tryCreate(path)) {
    const holder = readHolder(path);
    if (holder !== undefined && isGone(holder) && breakLock(path, holder)) continue;
    const waitedMs = performance.now() - started;
    if (waitedMs > PATIENCE) {
      const who = holder === undefined ? 'an unknown process' : `process ${holder.pid} on ${holder.host}`;
      throw new MtlsError('WORKSPACE_LOCKED', { path, holder: who, waitedMs });
    }
    await sleep(POLL + Math.random() * POLL);
  }
  // left by a process that died while it broke a lock; whoever holds the lock may remove it
  fs.rmSync(guardOf(path), { force: true });
}

/** The lock file comes into being with its content, by link(2): a reader never finds it half-written. */
function tryCreate(path: string): boolean {
  const own = `${path}.${process.pid}`;
  try {
    fs.writeFileSync(own, JSON.stringify({ pid: process.pid, host: hostname() } satisfies Holder), { mode: 0o600 });
    fs.linkSync(own, path);
    return true;
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return false;
    throw writeError(path, error);
  } finally {
    fs.rmSync(own, { force: true });
  }
}

/** Undefined when the lock is gone already, or is not ours to understand. */
function readHolder(path: string): Holder | undefined {
  try {
    const { pid, host } = JSON.parse(fs.readFileSync(path, 'utf8')) as Partial<Holder>;
    return Number.isInteger(pid) && typeof host === 'string' ? { pid: pid!, host } : undefined;
  } catch (error) {
    if (error instanceof SyntaxError || systemCode(error) === 'ENOENT') return undefined;
    throw readError(path, error);
  }
}

function isGone({ pid, host }: Holder): boolean {
  if (host !== hostname()) return false;
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return systemCode(error) === 'ESRCH';
  }
}

/**
 * Removes the lock of a dead process; false when another process is at it. Two may see the same dead one: whoever makes
 * the guard file removes the lock, after a second look, else the slower would remove the lock of the faster.
 */
function breakLock(path: string, dead: Holder): boolean {
  try {
    fs.closeSync(fs.openSync(guardOf(path), 'wx', 0o600));
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return false;
    throw writeError(path, error);
  }
  try {
    const holder = readHolder(path);
    if (holder?.pid === dead.pid && holder.host === dead.host) fs.rmSync(path, { force: true });
    return true;
  } finally {
    fs.rmSync(guardOf(path), { force: true });
  }
}

const guardOf = (path: string): string => `${path}.break`;
