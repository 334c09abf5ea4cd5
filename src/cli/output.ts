import { fstatSync, writeSync } from 'node:fs';
import { writeError } from '../base/files.js';
import { MtlsError, systemCode } from '../errors.js';

type StreamName = 'stdout' | 'stderr';

/** Data, to stdout. Resolves when it is taken; a reader that went away (`| head`) is no error. Throws DISK_FULL or FILE_NOT_WRITABLE. */
export function writeOut(data: string | Buffer): Promise<void> {
  return write('stdout', data);
}

/** Talk, to stderr. When that fails there is nobody left to tell. */
export function writeErr(text: string): Promise<void> {
  return write('stderr', text).catch(() => {});
}

let failure: MtlsError | undefined;

/** Why stdout takes nothing any more; undefined while it does. */
export const outputFailure = (): MtlsError | undefined => failure;

/** Calls `failed` when stdout takes nothing any more, whoever was writing. To be called again when oclif is loaded: it listens too, and throws. */
export function watchOutput(failed: (error: MtlsError) => void): void {
  whenFailed = failed;
  process.stdout.removeAllListeners('error').on('error', (error) => fail(error));
  process.stderr.removeAllListeners('error').on('error', () => {});
}

let whenFailed: (error: MtlsError) => void = () => {};

/** The first failure is the one to tell: after it a stream only says that it is closed. */
function fail(error: unknown): unknown {
  if (systemCode(error) === 'EPIPE' || failure !== undefined) return failure;
  const known = writeError('standard output', error, { stream: true });
  if (!(known instanceof MtlsError)) return known;
  failure = known;
  whenFailed(known);
  return known;
}

async function write(name: StreamName, data: string | Buffer): Promise<void> {
  if (data.length === 0) return;
  if (name === 'stdout' && failure !== undefined) throw failure;
  try {
    if (isFile(name)) writeWhole(process[name].fd, typeof data === 'string' ? Buffer.from(data) : data);
    else await taken(process[name], data);
  } catch (error) {
    if (systemCode(error) === 'EPIPE') return;
    throw name === 'stdout' ? fail(error) : error;
  }
}

function taken(stream: NodeJS.WriteStream, data: string | Buffer): Promise<void> {
  return new Promise((resolve, reject) =>
    stream.write(data, (error) => (error === null || error === undefined ? resolve() : reject(error))),
  );
}

/** Node takes a write to a file for done when the disk took a part of it: the rest would be lost, and nobody told. */
function writeWhole(handle: number, bytes: Buffer): void {
  for (let written = 0; written < bytes.length;) written += writeSync(handle, bytes, written);
}

const files = new Map<StreamName, boolean>();

function isFile(name: StreamName): boolean {
  let is = files.get(name);
  if (is === undefined) {
    try {
      is = fstatSync(process[name].fd).isFile();
    } catch {
      is = false; // a stream without a file descriptor
    }
    files.set(name, is);
  }
  return is;
}

/**
 * Shows on a terminal what is under way, and what `tell` says of it, when it takes longer than a second; says nothing of that to
 * a pipe. What `happened` becomes a line, for everybody.
 */
export async function withProgress<T>(what: string, work: (tell: Tell) => Promise<T>): Promise<T> {
  if (!process.stderr.isTTY) return work(tellHappened);
  let [said, shown] = [what, false];
  const draw = (): void => {
    shown = true;
    process.stderr.write(`\r\x1b[K${said} …`);
  };
  const clear = (): void => {
    if (shown) process.stderr.write('\r\x1b[K');
  };
  const tell: Tell = (now, happened) => {
    if (happened !== undefined) {
      clear();
      process.stderr.write(`${now}\n`);
      if (shown) draw();
      return;
    }
    const isNews = now !== said;
    said = now;
    if (shown && isNews) draw();
  };
  const timer = setTimeout(draw, 1000);
  try {
    return await work(tell);
  } finally {
    clearTimeout(timer);
    clear();
  }
}

type Tell = (what: string, happened?: 'happened') => void;

/** Says what happened, and nothing of what is under way. */
export const tellHappened: Tell = (what, happened) => {
  if (happened !== undefined) void writeErr(`${what}\n`);
};

/** Writes lines as they come, for what runs long; a reader that went away is no error, and what is told of others stops the command. */
export const lineWriter =
  (stream: StreamName) =>
  (line: string): void =>
    void write(stream, `${line}\n`).catch(() => {});
