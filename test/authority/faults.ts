import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

/** What happens at a call: the process is killed before it, or in the middle of it, or the system refuses it. */
export type Fault = 'kill' | 'tear' | 'ENOSPC' | 'EIO' | 'EROFS';

const isReading = (flags: unknown): boolean =>
  flags === 'r' || (typeof flags === 'number' && (flags & (fs.constants.O_WRONLY | fs.constants.O_RDWR)) === 0);

/** All by which a file system is changed here; what only reads is left alone. */
const CALLS = [
  'openSync',
  'writeSync',
  'writeFileSync',
  'fsyncSync',
  'ftruncateSync',
  'renameSync',
  'symlinkSync',
  'linkSync',
  'mkdirSync',
  'rmSync',
] as const;
type Call = (typeof CALLS)[number];

/** Where the fault strikes: at the call of that number, counted from 0, and at all later ones if it lasts. */
export interface Strike {
  readonly fault: Fault;
  readonly at: number;
  readonly lasting?: boolean;
}

/** Patches `node:fs` for whoever imports it. `calls` are the names of those that came; `restore` takes the patch away. */
export function injectFaults(strike?: Strike): { readonly calls: readonly Call[]; readonly restore: () => void } {
  const calls: Call[] = [];
  const originals = CALLS.map((name) => [name, fs[name]] as const);
  for (const [name, original] of originals) {
    const patched = (...args: unknown[]): unknown => {
      const act = (): unknown => (original as (...args: unknown[]) => unknown)(...args);
      if (name === 'openSync' && isReading(args[1])) return act();
      const number = calls.push(name) - 1;
      if (strike === undefined || number < strike.at || (number > strike.at && strike.lasting !== true)) return act();
      return strikeAt(name, args, strike.fault);
    };
    Object.assign(fs, { [name]: patched });
  }
  syncBuiltinESMExports();
  const restore = (): void => {
    Object.assign(fs, Object.fromEntries(originals));
    syncBuiltinESMExports();
  };
  return { calls, restore };

  function strikeAt(name: Call, args: readonly unknown[], fault: Fault): never {
    if (fault === 'kill' || fault === 'tear') {
      if (fault === 'tear') writeHalf(name, args);
      process.kill(process.pid, 'SIGKILL');
    }
    throw Object.assign(new Error(`${fault}: injected, ${name}`), { code: fault });
  }

  /** What is written is on the disk by half. */
  function writeHalf(name: Call, args: readonly unknown[]): void {
    const original = Object.fromEntries(originals) as Pick<typeof fs, Call>;
    if (name === 'writeSync') {
      const [handle, bytes, offset, length, position] = args as [number, Buffer, number, number, number];
      original.writeSync(handle, bytes, offset, Math.floor(length / 2), position);
    } else if (name === 'writeFileSync') {
      const [path, data, options] = args as [string | number, string | Uint8Array, fs.WriteFileOptions | undefined];
      original.writeFileSync(path, data.slice(0, data.length / 2), options);
    }
  }
}
