import { type ChildProcess, fork } from 'node:child_process';
import { availableParallelism } from 'node:os';

/** One for each core; more than this, and the one that reads and writes does not keep up. */
const PROCESSES = Math.min(8, availableParallelism());

interface Waiting {
  readonly resolve: (answers: string) => void;
  readonly reject: (error: Error) => void;
}

/**
 * Processes that answer lines of a batch: each runs `module`, whose first message is `data`, and the next ones
 * `{ id, lines }`, answered by `{ id, answers }`. They are no threads: OpenSSL 3.0 shares locks between these, and two of
 * them verify no more signatures a second than one.
 */
export class BatchProcesses {
  readonly #processes: readonly ChildProcess[];
  readonly #waiting = new Map<number, Waiting>();
  #next = 0;

  constructor(module: string, data: number) {
    this.#processes = Array.from({ length: PROCESSES }, () =>
      fork(module, { serialization: 'advanced', stdio: ['ignore', 'ignore', 'inherit', 'ipc'] }),
    );
    for (const child of this.#processes) {
      child.on('message', (message) => this.#take(message as { readonly id: number; readonly answers: string }));
      child.on('error', (error) => this.#fail(error));
      child.on('exit', (code, signal) => this.#fail(new Error(`a process that answers lines ended with ${signal ?? code}`)));
      child.send(data);
    }
  }

  /** Blocks that may be under way without anybody waiting for work. */
  get capacity(): number {
    return PROCESSES * 3;
  }

  /** The answers to `lines`, a line each. */
  answer(lines: Buffer): Promise<string> {
    const id = this.#next++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#processes[id % PROCESSES]!.send({ id, lines });
    });
  }

  /** They end by themselves when nobody speaks to them any more. */
  close(): void {
    for (const child of this.#processes) if (child.connected) child.disconnect();
  }

  #take({ id, answers }: { readonly id: number; readonly answers: string }): void {
    this.#waiting.get(id)?.resolve(answers);
    this.#waiting.delete(id);
  }

  #fail(error: Error): void {
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}
