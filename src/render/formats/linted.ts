import type { LintReport, Severity } from '../../validate/lint/index.js';
import { placeOf } from './paths.js';
import type { Report } from './report.js';

interface Linted extends Pick<LintReport, 'files'> {
  readonly errors?: readonly { readonly file: string; readonly code: string; readonly message: string }[];
}

interface LintedBy {
  readonly rules: readonly { readonly id: string; readonly title: string; readonly source: string }[];
  /** Is something of that severity bad? */
  readonly isBad: (severity: Severity) => boolean;
}

/** Each certificate, chain and CRL a check, and each file that could not be read; files are named from `directory`. */
export function lintedReport({ files, errors = [] }: Linted, { rules, isBad }: LintedBy, directory: string): Report {
  const called = (file: string): string => placeOf(file, directory).path;
  const texts = new Map(rules.map(({ id, title, source }) => [id, { text: title, source }]));
  return {
    tool: { command: 'lint', document: 'docs/lint.md', ruleOf: (code) => texts.get(code) ?? { text: code } },
    checks: [
      ...files.flatMap(({ file, items }) =>
        items.map(({ label, findings }) => ({
          name: `${called(file)}: ${label}`,
          file,
          good: !findings.some(({ severity }) => isBad(severity)),
          findings: findings.map(({ code, severity, message }) => ({ code, severity, message: `${label}: ${message}` })),
        })),
      ),
      ...errors.map(({ file, code, message }) => ({ name: called(file), file, good: false, findings: [], error: { code, message } })),
    ],
  };
}
