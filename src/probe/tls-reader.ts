import { MtlsError } from '../errors.js';

/**
 * Walks the presentation language of TLS (RFC 8446 §3) in place: big-endian numbers, and vectors with their length in
 * front. A reader of a vector cannot see past its end. Every rejection is TLS_MALFORMED with what was being read.
 */
export class TlsReader {
  readonly #bytes: Buffer;
  readonly #what: string;
  #at = 0;

  constructor(bytes: Buffer, what: string) {
    this.#bytes = bytes;
    this.#what = what;
  }

  get atEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  /** An unsigned number of 1 to 3 octets. */
  number(octets: 1 | 2 | 3): number {
    return this.take(octets).readUIntBE(0, octets);
  }

  /** The next `length` octets. */
  take(length: number): Buffer {
    if (length > this.#bytes.length - this.#at) this.refuse('truncated');
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  /** The content of a vector whose length has that many octets. */
  vector(octets: 1 | 2 | 3): Buffer {
    return this.take(this.number(octets));
  }

  /** A reader inside of a vector; this one goes on behind it. */
  enter(octets: 1 | 2 | 3, what = this.#what): TlsReader {
    return new TlsReader(this.vector(octets), what);
  }

  /** All numbers up to the end. */
  numbers(octets: 1 | 2 | 3): number[] {
    const numbers: number[] = [];
    while (!this.atEnd) numbers.push(this.number(octets));
    return numbers;
  }

  /** Throws unless all was read. */
  end(): void {
    if (!this.atEnd) this.refuse('trailing bytes');
  }

  refuse(problem: string): never {
    throw new MtlsError('TLS_MALFORMED', { what: this.#what, problem, offset: this.#at });
  }
}
