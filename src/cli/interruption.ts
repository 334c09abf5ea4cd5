import { EXIT } from '../errors.js';

/**
 * Ctrl-C and SIGTERM. A command that runs long asks for the signal and stops on its own; any other ends at once with 130.
 * A second Ctrl-C ends even the patient ones.
 */
class Interruption {
  readonly #controller = new AbortController();
  #isAwaited = false;

  listen(): void {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => this.#interrupt());
  }

  /** Aborted at the first Ctrl-C or SIGTERM. Whoever asks promises to come to an end then. */
  get signal(): AbortSignal {
    this.#isAwaited = true;
    return this.#controller.signal;
  }

  #interrupt(): void {
    if (this.#isAwaited && !this.#controller.signal.aborted) this.#controller.abort();
    else process.exit(EXIT.interrupted);
  }
}

export const interruption = new Interruption();
