import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '../base/clock.js';
import { MtlsError, isError } from '../errors.js';

const FIRST_BACKOFF = 1_000;
const LONGEST_BACKOFF = 5 * 60_000;
/** A clock may jump, and files may come from elsewhere: it is looked again so often. */
const LONGEST_SLEEP = 60_000;

/** How long to wait after so many failures in a row. */
export const backoff = (failures: number): number => Math.min(FIRST_BACKOFF * 2 ** (failures - 1), LONGEST_BACKOFF);

interface Trouble {
  readonly failures: number;
  readonly next: number;
}

/** What is tried round by round, by name: what failed is told and tried again, later each time, and stops nothing else. */
export class Attempts {
  readonly #clock: Clock;
  readonly #tell: (name: string, error: MtlsError) => void;
  readonly #troubles = new Map<string, Trouble>();
  #failures = 0;

  constructor(clock: Clock, tell: (name: string, error: MtlsError) => void) {
    this.#clock = clock;
    this.#tell = tell;
  }

  get isTroubled(): boolean {
    return this.#troubles.size > 0;
  }

  /** How often anything failed. */
  get failures(): number {
    return this.#failures;
  }

  /** When what failed is tried again. */
  get nexts(): readonly number[] {
    return [...this.#troubles.values()].map(({ next }) => next);
  }

  /** When that is tried again; 0 when it did not fail. */
  nextOf(name: string): number {
    return this.#troubles.get(name)?.next ?? 0;
  }

  isToTry(name: string): boolean {
    return this.nextOf(name) <= this.#clock().getTime();
  }

  /** Does it, unless its time has not come again. Throws nothing but INTERRUPTED, and bugs. */
  async attempt(name: string, act: () => Promise<void>): Promise<void> {
    if (!this.isToTry(name)) return;
    try {
      await act();
      this.#troubles.delete(name);
    } catch (error) {
      if (isError(error, 'INTERRUPTED')) throw error;
      this.failed(name, error);
    }
  }

  failed(name: string, error: unknown): void {
    if (!(error instanceof MtlsError)) throw error;
    this.#failures++;
    const failures = 1 + (this.#troubles.get(name)?.failures ?? 0);
    this.#troubles.set(name, { failures, next: this.#clock().getTime() + backoff(failures) });
    this.#tell(name, error);
  }

  /** It is in trouble no more. */
  forget(name: string): void {
    this.#troubles.delete(name);
  }
}

/** Rounds until the signal: each when something is due by `dues`, and once a minute. */
export async function inRounds(
  round: () => Promise<void>,
  dues: () => readonly number[],
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  try {
    while (!signal.aborted) {
      await round();
      const now = clock().getTime();
      // what is due and was passed over waits for the next look
      const waits = dues().flatMap((due) => (due > now ? [due - now] : []));
      await sleep(Math.min(LONGEST_SLEEP, ...waits), undefined, { signal });
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
