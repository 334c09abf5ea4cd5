import * as fs from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { readError, readFileBounded } from '../base/files.js';
import { MtlsError, systemCode } from '../errors.js';

/** Where a passphrase comes from when nobody types it. Nothing that is read here is ever printed. */

/** No passphrase is longer. */
const LIMIT = 65_536;

const firstLine = (text: Buffer): string => text.toString('utf8').split(/\r?\n/, 1)[0]!;

/** Throws what reading a file throws. */
export const firstLineOfFile = (path: string): string => firstLine(readFileBounded(path, LIMIT, 'a passphrase'));

/** Throws VALUE_INVALID for a variable that is not set. */
export function valueOfVariable(name: string): string {
  const value = process.env[name];
  if (value !== undefined) return value;
  throw new MtlsError('VALUE_INVALID', { what: 'variable of a passphrase', found: name, expected: 'the name of a variable that is set' });
}

/**
 * The next line of a file descriptor that this process was given, octet by octet: what stands behind it is for somebody
 * else. Throws FILE_NOT_READABLE, FILE_EMPTY or FILE_TOO_LARGE.
 */
export async function firstLineOfDescriptor(descriptor: number): Promise<string> {
  const path = `/dev/fd/${descriptor}`;
  const octets: number[] = [];
  let handle = descriptor;
  try {
    handle = interruptible(descriptor, path);
    for (let octet = await nextOctet(handle); octet !== undefined && octet !== NEWLINE; octet = await nextOctet(handle)) {
      if (octets.push(octet) > LIMIT) throw new MtlsError('FILE_TOO_LARGE', { path, size: octets.length, limit: LIMIT });
    }
  } catch (error) {
    throw readError(path, error);
  } finally {
    if (handle !== descriptor) fs.closeSync(handle);
  }
  if (octets.length === 0) throw new MtlsError('FILE_EMPTY', { path, expected: 'a passphrase' });
  return firstLine(Buffer.from(octets));
}

const NEWLINE = 0x0a;

/**
 * The same pipe or terminal, opened once more so that reading it does not block: a process that waits in read(2) hears no
 * Ctrl-C. What cannot be opened again (a socket, a pipe of another user) is read as it is, and so is a file, which has its
 * place in it and never makes anybody wait.
 */
function interruptible(descriptor: number, path: string): number {
  if (fs.fstatSync(descriptor).isFile()) return descriptor;
  try {
    return fs.openSync(path, fs.constants.O_RDONLY | (fs.constants.O_NONBLOCK ?? 0));
  } catch {
    return descriptor;
  }
}

/** Undefined at the end. */
async function nextOctet(handle: number): Promise<number | undefined> {
  const octet = Buffer.alloc(1);
  for (;;) {
    try {
      return fs.readSync(handle, octet, 0, 1, null) === 0 ? undefined : octet[0];
    } catch (error) {
      if (systemCode(error) === 'EOF') return undefined; // how Windows ends a pipe
      if (systemCode(error) !== 'EAGAIN') throw error;
      await sleep(10);
    }
  }
}

/**
 * The first line that a shell command prints. It may talk to whoever sits there: stdin and stderr are ours. Throws
 * PASSPHRASE_COMMAND_FAILED, which does not tell what it printed, and INTERRUPTED.
 */
export async function firstLineOfCommand(command: string): Promise<string> {
  const { printed, how } = await runCommand(command);
  const line = firstLine(printed);
  const problem = how ?? (line === '' ? 'printed nothing' : undefined);
  if (problem !== undefined) throw new MtlsError('PASSPHRASE_COMMAND_FAILED', { command, problem });
  return line;
}

/** What it printed, and how it failed; undefined when it did not. */
async function runCommand(command: string): Promise<{ readonly printed: Buffer; readonly how: string | undefined }> {
  const { spawn } = await import('node:child_process');
  return new Promise((resolve, reject) => {
    const child = spawn(command, { shell: true, stdio: ['inherit', 'pipe', 'inherit'] });
    const end = (): void => void child.kill();
    process.once('exit', end);
    const chunks: Buffer[] = [];
    let size = 0;
    child.stdout.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= LIMIT) return void chunks.push(chunk);
      // what the shell started may go on: nobody hears it any more
      child.stdout.destroy();
      end();
    });
    child.once('error', (error) =>
      reject(new MtlsError('PASSPHRASE_COMMAND_FAILED', { command, problem: 'cannot be run' }, { cause: error })),
    );
    child.once('close', (status, signal) => {
      process.off('exit', end);
      if (signal === 'SIGINT') return reject(new MtlsError('INTERRUPTED', {}));
      const ended = signal === null ? (status === 0 ? undefined : `exited with ${status}`) : `was ended by ${signal}`;
      resolve({ printed: Buffer.concat(chunks), how: size > LIMIT ? `printed more than ${LIMIT} bytes` : ended });
    });
  });
}
