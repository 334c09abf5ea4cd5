import * as fs from 'node:fs';
import { systemCode } from '../errors.js';

/** Writes the octets that come next into `bytes` from `at` on, where there is room for four at least, and answers how many; 0 at the end. */
export type Source = (bytes: Buffer, at: number) => number;

/** What an element that is needed whole may weigh, where the window is smaller. */
const LARGEST_NEED = 256 * 1024;
const ROOM = 4;

/** A part of a long row of octets, `bytes` from `at` to `end`, which moves along it. No more is held than this part. */
export class Window {
  bytes: Buffer;
  at = 0;
  end = 0;
  readonly #source: Source;
  /** How many octets lie before `bytes`. */
  #before = 0;

  constructor(source: Source, size: number) {
    this.#source = source;
    this.bytes = Buffer.allocUnsafe(size + ROOM);
  }

  /** How many octets lie before `at`. */
  get offset(): number {
    return this.#before + this.at;
  }

  /**
   * Are there `count` octets from `at` on? They are within the window then, which may have moved. False at the end of the
   * row, and for more than is held at once.
   */
  need(count: number): boolean {
    if (this.end - this.at >= count) return true;
    if (count + ROOM > Math.max(this.bytes.length, LARGEST_NEED + ROOM)) return false;
    this.#move(count);
    while (this.end < count) {
      const read = this.#source(this.bytes, this.end);
      if (read === 0) return false;
      this.end += read;
    }
    return true;
  }

  /** A copy of the next `count` octets, which lie before `at` then; undefined where `need` says no. */
  take(count: number): Buffer | undefined {
    if (!this.need(count)) return undefined;
    this.at += count;
    return Buffer.from(this.bytes.subarray(this.at - count, this.at));
  }

  /** Goes on by `count` octets, of any number; false when there are not so many. */
  skip(count: number): boolean {
    let left = count;
    while (left > this.end - this.at) {
      left -= this.end - this.at;
      this.at = this.end;
      if (!this.need(1)) return false;
    }
    this.at += left;
    return true;
  }

  /** What is still needed goes to the front, of a larger window if it must. */
  #move(count: number): void {
    const bytes = count + ROOM > this.bytes.length ? Buffer.allocUnsafe(count + ROOM) : this.bytes;
    this.bytes.copy(bytes, 0, this.at, this.end);
    this.#before += this.at;
    [this.bytes, this.end, this.at] = [bytes, this.end - this.at, 0];
  }
}

/**
 * Reads a file of at most `limit` octets through a window of `size`. Undefined when it cannot be read so, or not twice,
 * as pipes are; `readFileBounded` says what is wrong with it, or reads it whole.
 */
export function inWindows<T>(path: string, { limit, size }: { limit: number; size: number }, read: (window: Window) => T): T | undefined {
  // standard input goes on where whoever gave it to us has stopped
  if (path === '/dev/stdin') return undefined;
  let handle: number | undefined;
  try {
    handle = fs.openSync(path, fs.constants.O_RDONLY | (fs.constants.O_NONBLOCK ?? 0));
    const stat = fs.fstatSync(handle);
    if (!stat.isFile() || stat.size > limit) return undefined;
    return read(new Window(sourceOf(handle, stat.size), Math.min(size, stat.size)));
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return undefined;
  } finally {
    if (handle !== undefined) fs.closeSync(handle);
  }
}

/** The file as long as it was when it was opened. */
function sourceOf(handle: number, size: number): Source {
  let position = 0;
  return (bytes, at) => {
    const read = fs.readSync(handle, bytes, at, Math.min(bytes.length - at, size - position), position);
    position += read;
    return read;
  };
}
