import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';

/** More than this, and the one thread that reads and writes does not keep up. */
const WORKERS = Math.min(8, availableParallelism());

interface Job {
  readonly id: number;
  readonly lines: readonly string[];
}

interface Waiting {
  readonly resolve: (answers: string) => void;
  readonly reject: (error: Error) => void;
}

/** Threads that answer lines of a batch: each loads `module`, gets `{ id, lines }` and posts `{ id, answers }`. */
export class BatchWorkers {
  readonly #workers: readonly Worker[];
  readonly #waiting = new Map<number, Waiting>();
  #next = 0;

  constructor(module: string, workerData: unknown) {
    this.#workers = Array.from({ length: WORKERS }, () => new Worker(module, { workerData }));
    for (const worker of this.#workers) {
      worker.on('message', ({ id, answers }: { id: number; answers: string }) => {
        this.#waiting.get(id)?.resolve(answers);
        this.#waiting.delete(id);
      });
      worker.on('error', (error) => this.#fail(error));
    }
  }

  /** Chunks that may be under way without anybody waiting for work. */
  get capacity(): number {
    return WORKERS * 3;
  }

  /** The answers to `lines`, a line each. */
  answer(lines: readonly string[]): Promise<string> {
    const id = this.#next++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#workers[id % WORKERS]!.postMessage({ id, lines } satisfies Job);
    });
  }

  async close(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
  }

  #fail(error: Error): void {
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}
