/** What a pipeline is told: a check for each thing that was looked at. Every format is a view of it. */
export interface Report {
  readonly tool: Tool;
  readonly checks: readonly Check[];
}

/** Which command looked, and by which rules. */
export interface Tool {
  readonly command: string;
  /** The page that lists its codes, where they are more than a few. */
  readonly document?: string;
  /** The rule behind a code of a finding. */
  readonly ruleOf: (code: string) => Rule;
}

export interface Rule {
  /** What is wrong, in a line. */
  readonly text: string;
  /** Where it is written, unless `text` says so. */
  readonly source?: string;
}

/** One thing that was looked at. It can be good and have findings all the same: those that are only worth knowing. */
export interface Check {
  /** What people call it; the same at each run, so that a pipeline knows it again. */
  readonly name: string;
  /** The file it is in, as it was given. */
  readonly file?: string;
  readonly good: boolean;
  readonly findings: readonly ReportedFinding[];
  /** Why it could not be looked at. */
  readonly error?: { readonly code: string; readonly message: string };
}

export interface ReportedFinding {
  readonly code: string;
  readonly severity: Severity;
  readonly message: string;
}

/** Worst first. */
export const SEVERITIES = ['error', 'warning', 'notice'] as const;
export type Severity = (typeof SEVERITIES)[number];

/** Who reports, and from where: the paths of a report are relative to `directory`. */
export interface Setting {
  readonly version: string;
  readonly directory: string;
}
