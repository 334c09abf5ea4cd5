import type { LintReport, Severity } from '../validate/lint/index.js';
import { inOneLine } from './formats/characters.js';
import { mark, style } from './style.js';

interface Linted extends LintReport {
  readonly written?: { readonly file: string; readonly known: number };
  readonly errors?: readonly { readonly file: string; readonly message: string }[];
}

const MARKS: Readonly<Record<Severity, string>> = { error: mark.bad, warning: mark.warn, notice: mark.none };
const COLOURS: Readonly<Record<Severity, (text: string) => string>> = { error: style.bad, warning: style.warn, notice: style.dim };

/** Each file: nothing found, or every finding with what it is about and where its rule is written; then how many. */
export function renderLint({ files, counts, written, errors = [] }: Linted): string {
  return [
    ...files.flatMap(renderFile),
    ...errors.map(({ message }) => `${mark.bad} ${inOneLine(message)}`),
    summary(counts),
    ...(written === undefined ? [] : [`${written.known} written to ${written.file} as known`]),
  ].join('\n');
}

function renderFile({ file, items }: LintReport['files'][number]): string[] {
  const lines = items.flatMap(({ label, findings }) =>
    findings.map(
      ({ code, severity, message, source }) =>
        `  ${MARKS[severity]} ${COLOURS[severity](code)}  ${label}: ${message} ${style.dim(`(${source})`)}`,
    ),
  );
  const worst = (['error', 'warning', 'notice'] as const).find((severity) =>
    items.some(({ findings }) => findings.some((finding) => finding.severity === severity)),
  );
  return [`${worst === undefined || worst === 'notice' ? mark.good : MARKS[worst]} ${style.strong(inOneLine(file))}`, ...lines];
}

const summary = ({ error, warning, notice, known }: LintReport['counts']): string =>
  [
    ...(error + warning + notice === 0
      ? ['nothing found']
      : [counted(error, 'error'), counted(warning, 'warning'), counted(notice, 'notice')]),
    ...(known > 0 ? [`${known} known`] : []),
  ].join(', ');

const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`;

interface LintRule {
  readonly code: string;
  readonly severity: Severity;
  readonly profiles: readonly string[];
  readonly source: string;
  readonly title: string;
}

/** The table of rules. */
export function renderLintRules(rules: readonly LintRule[]): string {
  const widest = (column: (rule: LintRule) => string): number => Math.max(...rules.map((rule) => column(rule).length));
  const [codes, severities, profiles] = [widest(({ code }) => code), 7, widest((rule) => rule.profiles.join(' '))];
  return rules
    .map(({ code, severity, profiles: of, source, title }) =>
      [
        COLOURS[severity](code) + ' '.repeat(codes - code.length),
        severity.padEnd(severities),
        style.dim(of.join(' ').padEnd(profiles)),
        `${title} ${style.dim(`(${source})`)}`,
      ].join('  '),
    )
    .join('\n');
}
