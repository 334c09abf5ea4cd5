import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { uptime } from '../base/clock.js';
import { readError, removeQuietly, sweepTemporary, writeError, writeNew } from '../base/files.js';
import { MtlsError, systemCode } from '../errors.js';

/** How long a command waits for another one to finish. */
const PATIENCE = 15_000;
/** How often it looks, in milliseconds. */
const POLL = 20;

/** Whoever waits for what takes long: may interrupt it, and is told what is under way. */
export interface Watcher {
  readonly signal?: AbortSignal;
  /** `happened` is of what must be said even where nobody watches. */
  readonly tell?: (what: string, happened?: 'happened') => void;
}

interface LockOptions extends Watcher {
  /** Milliseconds. */
  readonly patience?: number;
}

/** `started` tells a process from a later one of the same number. */
interface Holder {
  readonly pid: number;
  readonly host: string;
  readonly started?: string;
}

/**
 * Runs `work` while this process alone holds the lock file. A lock whose process is gone is taken over; so is one that
 * was never written whole, when it is older than `patience`: `tell` is told. One from another host is never, because nobody
 * here can tell. Throws WORKSPACE_LOCKED after `patience` milliseconds of waiting, INTERRUPTED when that is cut short.
 */
export async function withLock<T>(path: string, work: () => Promise<T>, options: LockOptions = {}): Promise<T> {
  await acquire(path, options);
  try {
    sweep(path);
    return await work();
  } finally {
    release(path);
  }
}

/** Locks that this process could not remove when it had done its work. */
const leftBehind = new Set<string>();

/** What was done is done: a lock that stays is taken over when this process is gone, or when it wants it again. */
function release(path: string): void {
  removeQuietly(path);
  if (fs.existsSync(path)) leftBehind.add(path);
}

async function acquire(path: string, { patience = PATIENCE, signal, tell }: LockOptions): Promise<void> {
  const started = uptime();
  while (!tryCreate(path)) {
    const waitedMs = uptime() - started;
    if (isStale(path, patience) && breakLock(path, patience, tell)) continue;
    const holder = describe(readHolder(path));
    if (waitedMs > patience) throw new MtlsError('WORKSPACE_LOCKED', { path, holder, waitedMs });
    tell?.(`waiting for ${holder}`);
    // who has waited longer looks more often: nobody waits in vain while others come and go
    await sleep((POLL + Math.random() * POLL) * Math.max(1 - waitedMs / patience, 0.1));
    if (signal?.aborted === true) throw new MtlsError('INTERRUPTED', {});
  }
  leftBehind.delete(path);
}

const describe = (holder: Holder | 'torn' | undefined): string =>
  typeof holder === 'object' ? `process ${holder.pid} on ${holder.host}` : 'an unknown process';

/** The lock file comes into being with its content, which is on the disk, by link(2): a reader never finds it half-written. */
function tryCreate(path: string): boolean {
  if (fs.existsSync(path)) return false;
  const own = temporaryBeside(path);
  const started = startOf(process.pid);
  const holder: Holder = { pid: process.pid, host: hostname(), ...(started === undefined ? {} : { started }) };
  try {
    writeNew(own, JSON.stringify(holder), 0o600);
    return link(own, path);
  } catch (error) {
    throw writeError(path, error);
  } finally {
    removeQuietly(own);
  }
}

const temporaryBeside = (path: string): string => join(dirname(path), `.mtls-${randomBytes(6).toString('hex')}.tmp`);

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

/** Is it there, and the process gone that made it, or done with it? */
function isStale(path: string, patience: number): boolean {
  const holder = readHolder(path);
  // the clock of a file system goes in steps of up to 10 ms
  if (holder === 'torn') return ageOf(path) + POLL > patience;
  return holder !== undefined && (isGone(holder) || (isOwn(holder) && leftBehind.has(path)));
}

/** Whose lock stands at `path` although the process is gone; undefined when there is none, or nobody here can tell. */
export function abandonedBy(path: string): string | undefined {
  const holder = readHolder(path);
  return typeof holder === 'object' && isGone(holder) ? describe(holder) : undefined;
}

/** `torn` is what a disk that lost the content left; undefined when the lock is gone already, or is not ours to understand. */
function readHolder(path: string): Holder | 'torn' | undefined {
  try {
    const { pid, host, started } = JSON.parse(fs.readFileSync(path, 'utf8')) as Partial<Holder>;
    if (!Number.isInteger(pid) || typeof host !== 'string') return undefined;
    return { pid: pid!, host, ...(typeof started === 'string' ? { started } : {}) };
  } catch (error) {
    if (error instanceof SyntaxError) return 'torn';
    if (systemCode(error) === 'ENOENT') return undefined;
    throw readError(path, error);
  }
}

/** Milliseconds, by the clock of the file system that wrote it: on a share, clocks differ. */
function ageOf(path: string): number {
  const own = temporaryBeside(path);
  let handle: number | undefined;
  try {
    handle = fs.openSync(own, 'wx', 0o600);
    const made = fs.statSync(path, { throwIfNoEntry: false })?.mtimeMs;
    return made === undefined ? 0 : fs.fstatSync(handle).mtimeMs - made;
  } catch (error) {
    throw writeError(path, error);
  } finally {
    if (handle !== undefined) fs.closeSync(handle);
    removeQuietly(own);
  }
}

const isOwn = ({ pid, host }: Holder): boolean => pid === process.pid && host === hostname();

function isGone({ pid, host, started }: Holder): boolean {
  if (host !== hostname()) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    return systemCode(error) === 'ESRCH';
  }
  const living = startOf(pid);
  return started !== undefined && living !== undefined && started !== living;
}

/** When a process began, in ticks since the system did (proc(5), field 22 of stat); undefined where the system does not tell. */
function startOf(pid: number): string | undefined {
  try {
    const stat = fs.readFileSync(`/proc/${pid}/stat`, 'latin1');
    // field 2 is the name of the program in brackets, which may hold brackets and spaces
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[22 - 3];
  } catch {
    return undefined;
  }
}

/**
 * Removes the lock of a dead process; false when another process is at it. Two may see the same dead one: whoever holds
 * the guard removes the lock, after a second look, else the slower would remove the lock of the faster. The guard is a
 * lock as well: whoever dies with it leaves it to be broken in the same way.
 */
function breakLock(path: string, patience: number, tell?: Watcher['tell']): boolean {
  const guard = guardOf(path);
  if (!tryCreate(guard)) return isStale(guard, patience) && breakLock(guard, patience);
  leftBehind.delete(guard);
  try {
    if (isStale(path, patience)) {
      const holder = readHolder(path);
      fs.rmSync(path, { force: true });
      if (typeof holder !== 'object' || !isOwn(holder)) tell?.(`took over the lock of ${describe(holder)}, which is gone`, 'happened');
    }
    return true;
  } catch (error) {
    throw writeError(path, error);
  } finally {
    release(guard);
  }
}

/** Removes what killed processes left: their temporary files, and guards. Only whoever holds the lock may. */
function sweep(path: string): void {
  const directory = dirname(path);
  sweepTemporary(directory);
  for (const name of fs.readdirSync(directory)) {
    const guard = join(directory, name);
    if (guard.startsWith(guardOf(path)) && isStale(guard, PATIENCE)) breakLock(guard, PATIENCE);
  }
}

const guardOf = (path: string): string => `${path}.break`;
