import { placeOf } from './paths.js';
import type { Report, ReportedFinding, Rule, Severity } from './report.js';

interface Verified {
  readonly certificates: readonly {
    readonly file: string;
    readonly valid: boolean;
    readonly errors: readonly Told[];
    readonly warnings: readonly Told[];
    readonly path: readonly string[];
  }[];
}

interface Told {
  readonly code: string;
  readonly message: string;
}

type Findings = Readonly<Record<string, { readonly meaning: string; readonly source: string | null }>>;

/** Each certificate a check, each error and warning a finding; files are named from `directory`. */
export const verifiedReport = ({ certificates }: Verified, findings: Findings, directory: string): Report => ({
  tool: { command: 'verify', document: 'docs/findings.md', ruleOf: (code) => ruleOf(findings[code], code) },
  checks: certificates.map(({ file, valid, errors, warnings, path }) => ({
    name: [placeOf(file, directory).path, ...path.slice(0, 1)].join(': '),
    file,
    good: valid,
    findings: [...errors.map(toldAs('error')), ...warnings.map(toldAs('warning'))],
  })),
});

const toldAs =
  (severity: Severity) =>
  ({ code, message }: Told): ReportedFinding => ({ code, severity, message });

function ruleOf(known: Findings[string] | undefined, code: string): Rule {
  if (known === undefined) return { text: code };
  return { text: known.meaning, ...(known.source === null ? {} : { source: known.source }) };
}
