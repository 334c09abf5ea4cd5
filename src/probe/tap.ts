import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { systemCode } from '../errors.js';

/** Who sent something. */
export type Party = 'client' | 'server';

/** Bytes that one side sent in one piece; `at` is milliseconds since the tape began. */
export interface Chunk {
  readonly from: Party;
  readonly bytes: Buffer;
  readonly at: number;
}

/** How the server ended the connection, and when. */
export interface Ending {
  readonly how: 'closed' | 'reset';
  readonly at: number;
}

/** Octets of one connection that are kept; a handshake has some thousand. What comes after is passed on and not kept. */
const TAPE_LIMIT = 1_048_576;

/** All that went over a connection, both ways, in order. */
export class Tape {
  readonly #began = performance.now();
  readonly #chunks: Chunk[] = [];
  #size = 0;
  #ending: Ending | undefined;

  get chunks(): readonly Chunk[] {
    return this.#chunks;
  }

  /** undefined while the server has not ended the connection. */
  get ending(): Ending | undefined {
    return this.#ending;
  }

  /** Milliseconds since the tape began. */
  now(): number {
    return performance.now() - this.#began;
  }

  record(from: Party, bytes: Buffer): void {
    if (this.#size >= TAPE_LIMIT) return;
    this.#size += bytes.length;
    // copied: a pool may hand the same memory out again
    this.#chunks.push({ from, bytes: Buffer.from(bytes), at: this.now() });
  }

  end(how: Ending['how']): void {
    this.#ending ??= { how, at: this.now() };
  }
}

/** A stream over a socket that writes everything onto a tape: TLS runs above it and notices nothing. */
export class Tap extends Duplex {
  readonly #socket: Socket;
  readonly #tape: Tape;

  constructor(socket: Socket, tape: Tape) {
    super({ allowHalfOpen: true });
    this.#socket = socket;
    this.#tape = tape;
    socket.on('data', (bytes: Buffer) => {
      tape.record('server', bytes);
      if (!this.push(bytes)) socket.pause();
    });
    socket.on('end', () => {
      tape.end('closed');
      this.push(null);
    });
    socket.on('error', (error) => {
      // EPIPE says the same: the other end is gone
      tape.end('reset');
      if (systemCode(error) !== undefined) this.destroy(error);
    });
    socket.on('close', () => this.destroy());
  }

  override _read(): void {
    this.#socket.resume();
  }

  override _write(bytes: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#tape.record('client', bytes);
    this.#socket.write(bytes, done);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#socket.end(done);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#socket.destroy();
    done(error);
  }
}
