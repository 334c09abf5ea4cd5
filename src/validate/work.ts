/**
 * What a verdict may cost, in units of about 50 µs: hostile input is answered within a second, whatever it holds, and
 * the same input is answered the same on every machine.
 */
const UNITS = 14_000;

/** Thrown when the work is used up; nobody above `verify` sees it. */
export class WorkExceeded extends Error {
  override readonly name = 'WorkExceeded';
}

/** Counts what was done for one verdict. */
export class Work {
  #left: number;

  constructor(units = UNITS) {
    this.#left = units;
  }

  /** Throws WorkExceeded when there is no more. */
  spend(units: number): void {
    this.#left -= units;
    if (this.#left < 0) throw new WorkExceeded();
  }
}
