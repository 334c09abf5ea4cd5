import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readError, removeQuietly, sweepTemporary, writeError } from '../base/files.js';
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
 * another host is never, because nobody here can tell. Throws WORKSPACE_LOCKED after `patience` milliseconds of waiting.
 */
export async function withLock<T>(path: string, work: () => Promise<T>, patience = PATIENCE): Promise<T> {
  await acquire(path, patience);
  try {
    sweep(path);
    return await work();
  } finally {
    // what was done is done: a lock that stays is taken over when this process is gone
    removeQuietly(path);
  }
}

async function acquire(path: string, patience: number): Promise<void> {
  const started = performance.now();
  while (!tryCreate(path)) {
    if (isStale(path) && breakLock(path)) continue;
    const waitedMs = performance.now() - started;
    if (waitedMs > patience) {
      const holder = readHolder(path);
      const who = holder === undefined ? 'an unknown process' : `process ${holder.pid} on ${holder.host}`;
      throw new MtlsError('WORKSPACE_LOCKED', { path, holder: who, waitedMs });
    }
    await sleep(POLL + Math.random() * POLL);
  }
}

/** The lock file comes into being with its content, by link(2): a reader never finds it half-written. */
function tryCreate(path: string): boolean {
  const own = join(dirname(path), `.mtls-${randomBytes(6).toString('hex')}.tmp`);
  try {
    fs.writeFileSync(own, JSON.stringify({ pid: process.pid, host: hostname() } satisfies Holder), { mode: 0o600, flag: 'wx' });
    return link(own, path);
  } catch (error) {
    throw writeError(path, error);
  } finally {
    removeQuietly(own);
  }
}

function link(own: string, path: string): boolean {
  try {
    fs.linkSync(own, path);
    return true;
  } catch (error) {
    // ENOENT: whoever holds the lock swept our file away
    if (systemCode(error) === 'EEXIST' || systemCode(error) === 'ENOENT') return false;
    throw error;
  }
}

/** Is it there, and the process gone that made it? */
function isStale(path: string): boolean {
  const holder = readHolder(path);
  return holder !== undefined && isGone(holder);
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
 * Removes the lock of a dead process; false when another process is at it. Two may see the same dead one: whoever holds
 * the guard removes the lock, after a second look, else the slower would remove the lock of the faster. The guard is a
 * lock as well: whoever dies with it leaves it to be broken in the same way.
 */
function breakLock(path: string): boolean {
  const guard = guardOf(path);
  if (!tryCreate(guard)) return isStale(guard) && breakLock(guard);
  try {
    if (isStale(path)) fs.rmSync(path, { force: true });
    return true;
  } catch (error) {
    throw writeError(path, error);
  } finally {
    removeQuietly(guard);
  }
}

/** Removes what killed processes left: their temporary files, and guards. Only whoever holds the lock may. */
function sweep(path: string): void {
  const directory = dirname(path);
  sweepTemporary(directory);
  for (const name of fs.readdirSync(directory)) {
    const guard = join(directory, name);
    if (guard.startsWith(guardOf(path)) && isStale(guard)) breakLock(guard);
  }
}

const guardOf = (path: string): string => `${path}.break`;
