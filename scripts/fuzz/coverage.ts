import { Session } from 'node:inspector';

interface PreciseCoverage {
  readonly result: readonly {
    readonly scriptId: string;
    readonly url: string;
    readonly functions: readonly {
      readonly ranges: readonly { readonly startOffset: number; readonly endOffset: number; readonly count: number }[];
    }[];
  }[];
}

/**
 * Which blocks of our source ran, as V8 counts them. Only what is loaded after this was started is counted by blocks;
 * and what is taken here is gone for whoever else counts, so that tests under c8 go without.
 */
export class Coverage {
  readonly #session = new Session();
  readonly #sources: RegExp;
  readonly #known = new Set<string>();

  constructor(sources: RegExp) {
    this.#sources = sources;
    this.#session.connect();
    this.#session.post('Profiler.enable');
    this.#session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  }

  get size(): number {
    return this.#known.size;
  }

  /** The blocks that ran since the last time, and that were not `add`ed before. */
  take(): string[] {
    let found: PreciseCoverage['result'] = [];
    // a session on the own thread answers before `post` returns
    this.#session.post('Profiler.takePreciseCoverage', (error, answer) => {
      if (error !== null) throw error;
      found = (answer as PreciseCoverage).result;
    });
    const fresh: string[] = [];
    for (const { scriptId, url, functions } of found) {
      if (!this.#sources.test(url)) continue;
      for (const { ranges } of functions) {
        for (const { startOffset, endOffset, count } of ranges) {
          const block = `${scriptId}:${startOffset}:${endOffset}`;
          if (count > 0 && !this.#known.has(block)) fresh.push(block);
        }
      }
    }
    return fresh;
  }

  add(blocks: readonly string[]): void {
    for (const block of blocks) this.#known.add(block);
  }
}
