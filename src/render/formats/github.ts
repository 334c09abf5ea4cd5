import { printable } from './characters.js';
import { placeOf } from './paths.js';
import type { Report, Setting } from './report.js';

/** Workflow commands, a line each (https://docs.github.com/actions/reference/workflow-commands-for-github-actions), then how many there are. */
export function renderGithub({ tool, checks }: Report, { directory }: Setting): string {
  const lines = checks.flatMap(({ file, findings, error }) => {
    const told = error === undefined ? findings : [{ ...error, severity: 'error' }];
    return told.map(({ code, severity, message }) => {
      const properties = { ...(file === undefined ? {} : { file: placeOf(file, directory).path }), title: code };
      return `::${severity} ${written(properties)}::${escaped(message)}`;
    });
  });
  const bad = checks.filter(({ good }) => !good).length;
  // of ours alone: nothing in it can be taken for a command
  return [...lines, `mtls ${tool.command}: ${checks.length} checked, ${bad} not good`].map((line) => `${line}\n`).join('');
}

const written = (properties: Readonly<Record<string, string>>): string =>
  Object.entries(properties)
    .map(([name, value]) => `${name}=${escaped(value).replace(/[:,]/g, percent)}`)
    .join(',');

/** As the runner takes it back: https://github.com/actions/toolkit/blob/main/packages/core/src/command.ts */
const escaped = (text: string): string => printable(text).replace(/[%\r\n]/g, percent);

const percent = (character: string): string => `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
