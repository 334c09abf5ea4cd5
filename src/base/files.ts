import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { MtlsError, systemCode } from '../errors.js';

/** What a certificate, key, chain or bundle may weigh. CRLs are asked for with a limit of their own. */
export const FILE_LIMIT = 16 * 1024 * 1024;
/** A CRL of a million entries has about 40 MB. */
export const CRL_FILE_LIMIT = 256 * 1024 * 1024;

/** Temporary files of ours, to be swept when a process died in the middle of a write. */
export const TEMPORARY = /^\.mtls-[0-9a-f]{12}\.tmp$/;

/**
 * The bytes of a file of at most `limit` bytes. Throws FILE_NOT_FOUND, FILE_NOT_READABLE, FILE_TOO_LARGE or FILE_EMPTY.
 * A pipe or `/dev/stdin` is read up to the limit as well.
 */
export function readFileBounded(path: string, limit: number = FILE_LIMIT): Buffer {
  let handle: number | undefined;
  try {
    // a parent that is Node gives its child a socket, which cannot be opened by name
    handle = path === '/dev/stdin' ? STDIN : fs.openSync(path, 'r');
    const stat = fs.fstatSync(handle);
    if (stat.isDirectory()) throw new MtlsError('FILE_NOT_READABLE', { path, reason: 'it is a directory' });
    if (stat.size > limit) throw new MtlsError('FILE_TOO_LARGE', { path, size: stat.size, limit });
    const chunks: Buffer[] = [];
    let size = 0;
    for (;;) {
      const chunk = Buffer.allocUnsafe(Math.max(stat.size + 1 - size, 65_536));
      const read = readSome(handle, chunk);
      if (read === 0) break;
      size += read;
      if (size > limit) throw new MtlsError('FILE_TOO_LARGE', { path, size, limit });
      chunks.push(chunk.subarray(0, read));
    }
    if (size === 0) throw new MtlsError('FILE_EMPTY', { path });
    return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, size);
  } catch (error) {
    throw readError(path, error);
  } finally {
    if (handle !== undefined && handle !== STDIN) fs.closeSync(handle);
  }
}

const STDIN = 0;

/** Reads what there is, and waits for it where whoever opened the pipe made it non-blocking. */
function readSome(handle: number, chunk: Buffer): number {
  for (;;) {
    try {
      return fs.readSync(handle, chunk, 0, chunk.length, null);
    } catch (error) {
      if (systemCode(error) === 'EOF') return 0; // how Windows ends a pipe
      if (systemCode(error) !== 'EAGAIN') throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
  }
}

/** Refuses a private file that its group or others can read or write: FILE_MODE_TOO_OPEN. A link's target counts. */
export function assertPrivate(path: string): void {
  if (process.platform === 'win32') return; // modes mean nothing there
  let stat: fs.Stats;
  try {
    stat = fs.statSync(path);
  } catch (error) {
    throw readError(path, error);
  }
  if ((stat.mode & 0o077) === 0) return;
  throw new MtlsError('FILE_MODE_TOO_OPEN', { path, mode: stat.mode, expected: stat.isDirectory() ? 0o700 : 0o600 });
}

/**
 * Puts `data` at `path` so that any reader, at any instant and after any crash, finds the old bytes or the new ones:
 * a temporary file beside it, fsync, rename, fsync of the directory. A link at `path` is replaced, not followed.
 * Throws DISK_FULL or FILE_NOT_WRITABLE; nothing is changed then.
 */
export function writeFileAtomic(path: string, data: string | Uint8Array, mode = 0o644): void {
  stageFile(path, data, mode).commit();
}

/** What is on the disk and nobody can see yet: shown at once by `commit`, taken away again by `discard`, which throws nothing. */
export interface Staged {
  readonly commit: () => void;
  readonly discard: () => void;
}

/** The first half of `writeFileAtomic`, for those who have something to note before they show the new bytes. */
export function stageFile(path: string, data: string | Uint8Array, mode = 0o644): Staged {
  const temporary = join(dirname(path), `.mtls-${randomBytes(6).toString('hex')}.tmp`);
  const discard = (): void => removeQuietly(temporary);
  writing(path, () => create(temporary, data, mode), discard);
  const commit = (): void => {
    writing(path, () => fs.renameSync(temporary, path), discard);
    syncDirectory(dirname(path));
  };
  return { commit, discard };
}

function writing(path: string, act: () => void, undo: () => void): void {
  try {
    act();
  } catch (error) {
    undo();
    throw writeError(path, error);
  }
}

/** Writes a file that must not exist yet and brings it to the disk; its directory is the caller's to sync. What fails leaves no file. */
export function writeNew(path: string, data: string | Uint8Array, mode: number): void {
  try {
    create(path, data, mode);
  } catch (error) {
    throw writeError(path, error);
  }
}

function create(path: string, data: string | Uint8Array, mode: number): void {
  const handle = fs.openSync(path, 'wx', mode);
  try {
    fs.writeFileSync(handle, data);
    fs.fsyncSync(handle);
  } catch (error) {
    removeQuietly(path);
    throw error;
  } finally {
    fs.closeSync(handle);
  }
}

/** Removes a file or a tree where nothing depends on it: after a failure, whose reason is the one to tell, or when all is done. */
export function removeQuietly(path: string): void {
  try {
    fs.rmSync(path, { recursive: true, force: true });
  } catch {
    // whoever holds the lock next sweeps it
  }
}

/**
 * Makes the names in a directory survive a crash, as far as the system lets us: Windows opens no directories, some
 * file systems sync none, and one that may be written and not read cannot be opened. The names are there all the same.
 */
export function syncDirectory(path: string): void {
  let handle: number | undefined;
  try {
    handle = fs.openSync(path, 'r');
    fs.fsyncSync(handle);
  } catch (error) {
    if (!['EACCES', 'EPERM', 'EISDIR', 'EINVAL', 'ENOTSUP'].includes(systemCode(error) ?? '')) throw writeError(path, error);
  } finally {
    if (handle !== undefined) fs.closeSync(handle);
  }
}

/** A directory of mode 0700, with its parents; an existing one is left as it is. */
export function makeDirectory(path: string): void {
  try {
    fs.mkdirSync(path, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw writeError(path, error);
  }
}

/** Removes what a killed process left half-written in a directory. Only for whoever holds the lock. */
export function sweepTemporary(directory: string): void {
  try {
    for (const name of fs.readdirSync(directory)) {
      if (TEMPORARY.test(name)) fs.rmSync(join(directory, name), { force: true });
    }
  } catch (error) {
    throw writeError(directory, error);
  }
}

/** A system error of a read as one of ours, with what the system meant in words. Errors of ours pass through. */
export function readError(path: string, error: unknown): unknown {
  const code = systemCode(error);
  if (error instanceof MtlsError || code === undefined) return error;
  if (code === 'ENOENT' || code === 'ENOTDIR') return new MtlsError('FILE_NOT_FOUND', { path }, { cause: error });
  return new MtlsError('FILE_NOT_READABLE', { path, reason: reasonOf(code, path) }, { cause: error });
}

/** A system error of a write as one of ours. Errors of ours pass through. */
export function writeError(path: string, error: unknown): unknown {
  const code = systemCode(error);
  if (error instanceof MtlsError || code === undefined) return error;
  if (code === 'ENOSPC' || code === 'EDQUOT') return new MtlsError('DISK_FULL', { path }, { cause: error });
  return new MtlsError('FILE_NOT_WRITABLE', { path, reason: reasonOf(code, path) }, { cause: error });
}

const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EPERM: 'not permitted',
  EROFS: 'the file system is read-only',
  EISDIR: 'it is a directory',
  EEXIST: 'something of that name is there',
  ENOENT: 'its directory does not exist',
  ENOTDIR: 'a part of the path is no directory',
  EMFILE: 'too many open files',
  ENAMETOOLONG: 'the name is too long',
  ELOOP: 'the links go in a circle',
  EIO: 'the disk reports an error',
};

const reasonOf = (code: string, path: string): string => REASONS[code] ?? `${code} (${basename(path)})`;
