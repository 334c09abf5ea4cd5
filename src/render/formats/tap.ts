import { inOneLine, printable } from './characters.js';
import { placeOf } from './paths.js';
import type { Check, Report, Setting } from './report.js';

/** TAP 14 (https://testanything.org/tap-version-14-specification.html): a test point for each check, its findings as YAML below. */
export function renderTap({ checks }: Report, { directory }: Setting): string {
  // an empty plan is one that was skipped, and wants a reason
  const plan = checks.length === 0 ? '1..0 # nothing to check' : `1..${checks.length}`;
  return ['TAP version 14', plan, ...checks.flatMap((check, i) => testPoint(check, i + 1, directory))].map((line) => `${line}\n`).join('');
}

function testPoint({ name, file, good, findings, error }: Check, number: number, directory: string): string[] {
  const told = error === undefined ? findings : [{ ...error, severity: 'error' }];
  const status = good && error === undefined ? 'ok' : 'not ok';
  const point = `${status} ${number} - ${inOneLine(name).replace(/[\\#]/g, '\\$&')}`;
  if (told.length === 0) return [point];
  const where = file === undefined ? [] : [`file: ${quoted(placeOf(file, directory).path)}`];
  const items = told.flatMap(({ code, severity, message }) => [
    `  - code: ${quoted(code)}`,
    `    severity: ${quoted(severity)}`,
    `    message: ${quoted(message)}`,
  ]);
  return [point, ...['---', ...where, 'findings:', ...items, '...'].map((line) => `  ${line}`)];
}

/** A JSON string is a double-quoted scalar of YAML 1.2 (§1.3), once what YAML does not print is not in it (§5.1). */
const quoted = (text: string): string => JSON.stringify(printable(text));
