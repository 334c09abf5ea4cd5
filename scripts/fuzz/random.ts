/** A seeded source of numbers (sfc32 by Chris Doty-Humphrey): the same seed gives the same campaign. */
export class Random {
  readonly #state: Uint32Array;

  constructor(seed: number) {
    this.#state = Uint32Array.of(0x9e3779b9, 0x243f6a88, seed >>> 0, 1);
    for (let i = 0; i < 12; i++) this.#next();
  }

  /** A whole number from 0 to `limit - 1`. */
  below(limit: number): number {
    return Math.floor((this.#next() / 0x1_0000_0000) * limit);
  }

  /** True once in `n` times. */
  oneIn(n: number): boolean {
    return this.below(n) === 0;
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)]!;
  }

  /** Small numbers mostly, a large one now and then: 1 to 2^`bits`. */
  size(bits: number): number {
    return 1 + this.below(2 ** (1 + this.below(bits)));
  }

  bytes(length: number): Buffer {
    const bytes = Buffer.alloc(length);
    for (let i = 0; i < length; i++) bytes[i] = this.below(256);
    return bytes;
  }

  #next(): number {
    const [a, b, c, d] = this.#state as unknown as [number, number, number, number];
    const sum = (a + b + d) >>> 0;
    this.#state.set([b ^ (b >>> 9), (c + (c << 3)) >>> 0, (((c << 21) | (c >>> 11)) + sum) >>> 0, d + 1]);
    return sum;
  }
}
