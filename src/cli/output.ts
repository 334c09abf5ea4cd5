import { systemCode } from '../errors.js';

/** Data, to stdout. Resolves when it is taken; a reader that went away (`| head`) is no error. */
export function writeOut(text: string): Promise<void> {
  return write(process.stdout, text);
}

/** Talk, to stderr. */
export function writeErr(text: string): Promise<void> {
  return write(process.stderr, text);
}

function write(stream: NodeJS.WriteStream, text: string): Promise<void> {
  if (text === '') return Promise.resolve();
  return new Promise((resolve, reject) => {
    stream.write(text, (error) => {
      if (error === null || error === undefined || systemCode(error) === 'EPIPE') resolve();
      else reject(error);
    });
  });
}

/** Shows on a terminal that something is under way, when it takes longer than a second; says nothing to a pipe. */
export async function withProgress<T>(what: string, work: () => Promise<T>): Promise<T> {
  if (!process.stderr.isTTY) return work();
  let shown = false;
  const timer = setTimeout(() => {
    shown = true;
    process.stderr.write(`${what} …`);
  }, 1000);
  try {
    return await work();
  } finally {
    clearTimeout(timer);
    if (shown) process.stderr.write('\r\x1b[K');
  }
}

/** Writes lines as they come, for what runs long; a reader that went away is no error. */
export const lineWriter =
  (stream: 'stdout' | 'stderr') =>
  (line: string): void =>
    void process[stream].write(`${line}\n`);
