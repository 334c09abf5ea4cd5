import { EXIT, type ExitCode } from '../errors.js';
import type { Report } from '../render/formats/report.js';

/**
 * What a command came to: `result` is what `--json` prints, `text` a view of the same value for people, `report` one for
 * pipelines, where the command has a `--format`.
 */
export interface Outcome {
  readonly result: unknown;
  readonly text: () => string | Promise<string>;
  readonly report?: () => Report;
  readonly exitCode?: ExitCode;
}

/** Good, or examined and found bad. */
export const verdict = (good: boolean): ExitCode => (good ? EXIT.good : EXIT.bad);
