import * as Flags from '@oclif/core/flags';
import { MtlsError } from '../errors.js';
import type { Setting } from '../render/formats/report.js';
import type { Outcome } from './outcome.js';

const FORMATS = ['text', 'json', 'junit', 'sarif', 'tap', 'github'] as const;
export type Format = (typeof FORMATS)[number];

/** For commands whose outcome has a report. */
export const formatFlag = Flags.option({ options: FORMATS, summary: 'how to print what was found [default: text]', helpGroup: 'GLOBAL' })();

/** The format that was asked for; `--json` is short for `--format json`. Throws USAGE when both ask for something else. */
export function formatOf({ json = false, format }: { readonly json?: boolean | undefined; readonly format?: Format | undefined }): Format {
  if (json && format !== undefined && format !== 'json')
    throw new MtlsError('USAGE', { problem: `--json is --format json, and cannot be given with --format ${format}` });
  return json ? 'json' : (format ?? 'text');
}

/** Is JSON asked for? Asked of bare words: an error is printed by it also when it is about the words themselves. */
export const asksForJson = (words: readonly string[]): boolean =>
  words.some((word, i) => word === '--json' || word === '--format=json' || (word === '--format' && words[i + 1] === 'json'));

/** An outcome, printed. */
export async function inFormat(format: Format, { result, text, report }: Outcome, setting: Setting): Promise<string> {
  if (format === 'json') return `${JSON.stringify(result)}\n`;
  if (format === 'text') return ensureNewline(await text());
  if (report === undefined) throw new Error(`an outcome without a report cannot be printed as ${format}`);
  const { REPORT_FORMATS } = await import('../render/formats/index.js');
  return REPORT_FORMATS[format](report(), setting);
}

const ensureNewline = (text: string): string => (text === '' || text.endsWith('\n') ? text : `${text}\n`);
