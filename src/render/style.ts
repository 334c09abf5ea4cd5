import { Chalk } from 'chalk';

// stdout decides: what is piped stays plain, stderr goes with it. NO_COLOR and FORCE_COLOR are honoured by the level.
const isPlain = !process.stdout.isTTY || (process.env['NO_COLOR'] ?? '') !== '' || process.env['TERM'] === 'dumb';
const chalk = new Chalk(isPlain && process.env['FORCE_COLOR'] === undefined ? { level: 0 } : {});
const isUtf8 =
  process.platform === 'win32' || /utf-?8/i.test(process.env['LC_ALL'] ?? process.env['LC_CTYPE'] ?? process.env['LANG'] ?? '');

/** Colours by what they mean. */
export const style = {
  good: chalk.green,
  warn: chalk.yellow,
  bad: chalk.red,
  dim: chalk.dim,
  strong: chalk.bold,
};

/** Marks, in ASCII where the locale has no better. */
export const mark = {
  good: style.good(isUtf8 ? '✓' : 'ok'),
  warn: style.warn('!'),
  bad: style.bad(isUtf8 ? '✗' : 'x'),
  none: style.dim(isUtf8 ? '·' : '-'),
};
