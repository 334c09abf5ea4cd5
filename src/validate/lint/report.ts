import type { Baseline } from './baseline.js';
import { type LintFinding, type LintedFile, type LintedItem, countFindings, isAtLeast } from './lint.js';
import type { Profile, Severity } from './rule.js';

/** What was linted, in JSON. What the baseline knows is left out and counted. */
export interface LintReport {
  readonly good: boolean;
  readonly at: string;
  readonly profile: Profile;
  readonly counts: Readonly<Record<Severity | 'known', number>>;
  readonly files: readonly LintedFile[];
}

interface Linted {
  readonly files: LintReport['files'];
  readonly at: Date;
  readonly profile: Profile;
  readonly baseline: Baseline;
  /** What is as bad as that makes the report bad. */
  readonly limit: Severity;
}

/** Good is: nothing new that is as bad as `limit`. */
export function reportOn({ files, at, profile, baseline, limit }: Linted): LintReport {
  let known = 0;
  const isNew = ({ code }: LintFinding, { sha256 }: LintedItem): boolean => {
    const isKnown = baseline.knows(code, sha256);
    if (isKnown) known++;
    return !isKnown;
  };
  const left = files.map(({ file, items }) => ({
    file,
    items: items.map((item) => ({ ...item, findings: item.findings.filter((finding) => isNew(finding, item)) })),
  }));
  const findings = left.flatMap(({ items }) => items.flatMap((item) => item.findings));
  const good = !findings.some(({ severity }) => isAtLeast(severity, limit));
  return { good, at: at.toISOString(), profile, counts: { ...countFindings(findings), known }, files: left };
}
