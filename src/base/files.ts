import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import { basename, dirname, isAbsolute, join, relative, sep } from 'node:path';
import { type Done, MtlsError, isError, systemCode } from '../errors.js';

/** What a certificate, key, chain or bundle may weigh. CRLs are asked for with a limit of their own. */
export const FILE_LIMIT = 16 * 1024 * 1024;
/** A CRL of a million entries has about 40 MB. */
export const CRL_FILE_LIMIT = 256 * 1024 * 1024;

/** Temporary files of ours, to be swept when a process died in the middle of a write. */
export const TEMPORARY = /^\.mtls-[0-9a-f]{12}\.tmp$/;

/**
 * The bytes of a file of at most `limit` bytes. Throws FILE_NOT_FOUND, FILE_NOT_READABLE, FILE_TOO_LARGE or FILE_EMPTY.
 * `/dev/stdin` is read up to the limit as well, and what a shell makes of `<(…)`. Any other pipe or device is refused: it
 * may never end, and whoever waits for it cannot be interrupted.
 */
export function readFileBounded(path: string, limit: number = FILE_LIMIT, expected?: string): Buffer {
  let handle: number | undefined;
  try {
    // a parent that is Node gives its child a socket, which cannot be opened by name
    handle = path === '/dev/stdin' ? STDIN : open(path);
    const stat = fs.fstatSync(handle);
    if (stat.isDirectory()) throw new MtlsError('FILE_NOT_READABLE', { path, reason: 'it is a directory' });
    if (!stat.isFile() && !OWN_HANDLE.test(path)) throw new MtlsError('FILE_NOT_READABLE', { path, reason: 'it is no file' });
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
    if (size === 0) throw new MtlsError('FILE_EMPTY', { path, ...(expected === undefined ? {} : { expected }) });
    return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, size);
  } catch (error) {
    throw readError(path, error);
  } finally {
    if (handle !== undefined && handle !== STDIN) fs.closeSync(handle);
  }
}

const STDIN = 0;

/**
 * Which bytes stand in a file, as far as the file system tells. Looked at again and again, not watched: a rename, the switch
 * of a link far above, a network file system, all change this, and no event is lost.
 */
export function fileState(path: string): string {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = fs.statSync(path, { bigint: true });
    return `${dev} ${ino} ${size} ${mtimeNs} ${ctimeNs}`;
  } catch (error) {
    return systemCode(error) ?? 'unknown';
  }
}

/** Handles that this process was given: there is somebody at the other end. */
const OWN_HANDLE = /^\/(?:dev\/(?:stdin$|fd\/\d+$)|proc\/self\/fd\/\d+$)/;

/** A pipe without a writer would keep us in open(2) for ever; how the others are opened makes no difference to them. */
const open = (path: string): number =>
  OWN_HANDLE.test(path) ? fs.openSync(path, 'r') : fs.openSync(path, fs.constants.O_RDONLY | (fs.constants.O_NONBLOCK ?? 0));

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
  // what a pipe holds is read once, by whoever has its other end
  if ((stat.mode & 0o077) === 0 || !(stat.isFile() || stat.isDirectory())) return;
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
    throw writeError(path, isReadOnly(path, error) ? Object.assign(new Error('EROFS', { cause: error }), { code: 'EROFS' }) : error);
  }
}

/** Node's recursive mkdir says ENOENT where mkdir(2) says EROFS. */
function isReadOnly(path: string, error: unknown): boolean {
  if (systemCode(error) !== 'ENOENT') return false;
  try {
    const existing = ancestorOf(path);
    fs.accessSync(existing, fs.constants.W_OK);
    return false;
  } catch (reason) {
    return systemCode(reason) === 'EROFS';
  }
}

/** The nearest directory above that is there. */
function ancestorOf(path: string): string {
  const parent = dirname(path);
  return parent === path || fs.existsSync(parent) ? parent : ancestorOf(parent);
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
export function writeError(path: string, error: unknown, where: { readonly stream?: true } = {}): unknown {
  const code = systemCode(error);
  if (error instanceof MtlsError || code === undefined) return error;
  const facts = { path: withoutTemporary(path), ...where };
  if (code === 'ENOSPC' || code === 'EDQUOT') return new MtlsError('DISK_FULL', facts, { cause: error });
  return new MtlsError('FILE_NOT_WRITABLE', { ...facts, reason: reasonOf(code, path) }, { cause: error });
}

/** Does `act` when something is done already: if a write fails now, its error says that, instead of "nothing was changed". */
export function havingDone<T>(done: Done, act: () => T): T {
  try {
    return act();
  } catch (error) {
    if (isError(error, 'DISK_FULL')) throw new MtlsError('DISK_FULL', { ...error.facts, ...done }, { cause: error });
    if (isError(error, 'FILE_NOT_WRITABLE')) throw new MtlsError('FILE_NOT_WRITABLE', { ...error.facts, ...done }, { cause: error });
    throw error;
  }
}

/** Is `path` the directory, or below it, whatever links lead there? What is not there yet is where its directory is. */
export function isWithin(directory: string, path: string): boolean {
  const from = relative(real(directory), real(path));
  return from === '' || (from !== '..' && !from.startsWith(`..${sep}`) && !isAbsolute(from));
}

function real(path: string): string {
  try {
    return fs.realpathSync(path);
  } catch {
    const parent = dirname(path);
    return parent === path ? path : join(real(parent), basename(path));
  }
}

/** What the user knows: not the name that a file has, or a directory above it, until all is done. */
function withoutTemporary(path: string): string {
  const parts = path.split('/');
  const at = parts.findIndex((part) => TEMPORARY.test(part));
  return (at < 0 ? parts : parts.slice(0, at)).filter((part) => !VERSION.test(part)).join('/') || '/';
}

/** What a service's files are in until they are shown. */
const VERSION = /^\.\.[0-9a-f]{12}$/;

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
  EBADF: 'it is not open for that',
};

const reasonOf = (code: string, path: string): string => REASONS[code] ?? `${code} (${basename(path)})`;
