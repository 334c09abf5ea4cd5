import { Chalk } from 'chalk';

// stdout decides: what is piped stays plain, stderr goes with it (https://no-color.org, https://force-color.org)
const isForced = !['', '0', undefined].includes(process.env['FORCE_COLOR']);
const isPlain = !process.stdout.isTTY || (process.env['NO_COLOR'] ?? '') !== '' || process.env['TERM'] === 'dumb';
// where nothing is painted it is not even loaded
const chalk = isPlain && !isForced ? undefined : new Chalk();
const plain = (text: string): string => text;
const locale = process.env['LC_ALL'] ?? process.env['LC_CTYPE'] ?? process.env['LANG'] ?? '';
const isUtf8 = process.platform === 'win32' || /utf-?8/i.test(locale);

/** Colours by what they mean. */
export const style = {
  good: chalk?.green ?? plain,
  warn: chalk?.yellow ?? plain,
  bad: chalk?.red ?? plain,
  dim: chalk?.dim ?? plain,
  strong: chalk?.bold ?? plain,
};

/** Marks and arrows, in ASCII where the locale has no better. */
export const mark = {
  good: style.good(isUtf8 ? '✓' : 'ok'),
  warn: style.warn('!'),
  bad: style.bad(isUtf8 ? '✗' : 'x'),
  none: style.dim(isUtf8 ? '·' : '-'),
  hint: style.dim(isUtf8 ? '→' : '->'),
  from: isUtf8 ? '←' : '<-',
};

/** What trees are drawn with. */
export const branch = isUtf8 ? { bar: '│', corner: '└─' } : { bar: '|', corner: '`-' };
