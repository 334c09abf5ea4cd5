import type { DoctorCheck, DoctorFinding, DoctorReport, DoctorSeverity } from '../authority/doctor/index.js';
import { inOneLine } from './formats/characters.js';
import { mark, style } from './style.js';

const MARKS: Readonly<Record<DoctorSeverity, string>> = { error: mark.bad, warning: mark.warn, notice: mark.none };
const COLOURS: Readonly<Record<DoctorSeverity, (text: string) => string>> = { error: style.bad, warning: style.warn, notice: style.dim };

/** Each part that was looked at, what is wrong there, and below each finding what mends it; then how many. */
export const renderDoctor = ({ workspace, checks, counts }: DoctorReport): string =>
  [inOneLine(workspace), ...checks.flatMap(renderCheck), summary(counts)].join('\n');

function renderCheck({ name, good, findings }: DoctorCheck): string[] {
  const isError = findings.some(({ severity }) => severity === 'error');
  return [`${good ? mark.good : isError ? mark.bad : mark.warn} ${style.strong(inOneLine(name))}`, ...findings.flatMap(renderFinding)];
}

const renderFinding = ({ code, severity, message, remedy }: DoctorFinding): string[] => [
  `  ${MARKS[severity]} ${COLOURS[severity](code)}  ${inOneLine(message)}`,
  ...(remedy === null ? [] : [`    ${mark.hint} ${inOneLine(remedy)}`]),
];

const summary = ({ error, warning, notice }: DoctorReport['counts']): string =>
  error + warning + notice === 0
    ? 'nothing found'
    : [counted(error, 'error'), counted(warning, 'warning'), counted(notice, 'notice')].join(', ');

const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`;
