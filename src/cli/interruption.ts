/**
 * Ctrl-C and SIGTERM. A command that runs long asks for the signal and stops on its own; any other ends at once with 130.
 * A second Ctrl-C ends even the patient ones.
 */
class Interruption {
  readonly #controller = new AbortController();
  #isAwaited = false;
  #by: NodeJS.Signals | undefined;

  /** `end` ends the process, there and then. */
  listen(end: () => void): void {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => this.#interrupt(signal, end));
  }

  /** Aborted at the first Ctrl-C or SIGTERM. Whoever asks promises to come to an end then. */
  get signal(): AbortSignal {
    this.#isAwaited = true;
    return this.#controller.signal;
  }

  /** What it was that came first. To stop at SIGTERM is to do as told; Ctrl-C leaves undone what was to be done. */
  get by(): NodeJS.Signals | undefined {
    return this.#by;
  }

  /** Stops what runs long, as a signal does. */
  stop(): void {
    this.#controller.abort();
  }

  #interrupt(signal: NodeJS.Signals, end: () => void): void {
    if (!this.#isAwaited || this.#by !== undefined) return end();
    this.#by = signal;
    this.#controller.abort();
  }
}

export const interruption = new Interruption();
