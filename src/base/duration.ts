import { MtlsError } from '../errors.js';

const UNITS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000, y: 365 * 86_400_000 } as const;

export const DAY = UNITS.d;

/** Milliseconds of `30d`, `12h`, `90m`, `5s`, `250ms`, `2w` or `1y` (365 days). Throws VALUE_INVALID for anything else. */
export function parseDuration(text: string, what = 'duration'): number {
  const match = /^(\d{1,9})(ms|s|m|h|d|w|y)$/.exec(text.trim());
  const unit = match?.[2] as keyof typeof UNITS | undefined;
  const milliseconds = unit === undefined ? Number.NaN : Number(match![1]) * UNITS[unit];
  // a Date ends at 8.64e15 ms; a thousand years are enough for anybody
  if (!(milliseconds > 0 && milliseconds <= 1_000 * UNITS.y))
    throw new MtlsError('VALUE_INVALID', { what, found: text, expected: 'a duration such as 90d, 12h, 30m or 10s, at most 1000y' });
  return milliseconds;
}

/** A span, of either sign, in whole numbers of the largest unit that fits: `29 days`, `3 hours`, `45 seconds`; `17 ms` below one. */
export function formatDuration(milliseconds: number): string {
  const span = Math.abs(milliseconds);
  if (span >= 2 * UNITS.y) return count(span / UNITS.y, 'year');
  if (span >= UNITS.d) return count(span / UNITS.d, 'day');
  if (span >= UNITS.h) return count(span / UNITS.h, 'hour');
  if (span >= UNITS.m) return count(span / UNITS.m, 'minute');
  return span >= UNITS.s ? count(span / UNITS.s, 'second') : `${Math.floor(span)} ms`;
}

const count = (value: number, unit: string): string => {
  const whole = Math.floor(value);
  return `${whole} ${unit}${whole === 1 ? '' : 's'}`;
};
