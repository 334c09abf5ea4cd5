import { type ErrorCode, MtlsError } from '../../src/errors.js';

/** An answer that is wrong, where nothing threw. */
export class WrongAnswer extends Error {
  override readonly name = 'WrongAnswer';
}

/** What was done with one input, step by step: a promise about time holds for each step, not for all that is tried together. */
export class Trial {
  /** The longest step, in milliseconds: of the clock or of the processor, whichever is less, for others work here too. */
  longest = 0;
  /** What the memory of the process grew by in the greediest step, in megabytes; looked at when `weighed`. */
  greediest = 0;
  readonly #weighed: boolean;

  constructor(options: { readonly weighed: boolean } = { weighed: false }) {
    this.#weighed = options.weighed;
  }

  /** One step. */
  run<T>(step: () => T): T {
    const before = this.#weighed ? process.memoryUsage.rss() : 0;
    const [start, used] = [performance.now(), process.cpuUsage()];
    try {
      return step();
    } finally {
      const { user, system } = process.cpuUsage(used);
      this.longest = Math.max(this.longest, Math.min(performance.now() - start, (user + system) / 1000));
      if (this.#weighed) this.greediest = Math.max(this.greediest, (process.memoryUsage.rss() - before) / 2 ** 20);
    }
  }

  /** A step that may end in one of these errors: its value, or the error in words. */
  attempt<T>(codes: readonly ErrorCode[], step: () => T): { readonly value: T } | { readonly refused: string } {
    try {
      return { value: this.run(step) };
    } catch (error) {
      if (!(error instanceof MtlsError) || !codes.includes(error.code)) throw error;
      // what was found, and a label, are the input's own words
      const message = error.message.replace(/found .*?(?=, in the value of|$)/s, '…').replace(/the .{0,70}? block/s, 'the block');
      return { refused: `${error.code} ${message}` };
    }
  }

  must(holds: boolean, what: string): void {
    if (!holds) throw new WrongAnswer(what);
  }
}
