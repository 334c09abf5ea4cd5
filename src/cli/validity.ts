import * as Flags from '@oclif/core/flags';
import { DAY, parseDuration } from '../base/duration.js';
import { MtlsError } from '../errors.js';

const MAX_DAYS = 36_500;

/** `--days` and `--valid`: two ways to say one thing. */
export const validityFlags = (what: string, defaultDays: number) => ({
  days: Flags.string({ summary: `${what} in days [default: ${defaultDays}]`, helpValue: 'DAYS', exclusive: ['valid'] }),
  valid: Flags.string({ summary: 'the same as a duration', helpValue: `${defaultDays}d` }),
});

/** Milliseconds; undefined when neither was given. Throws VALUE_INVALID. */
export function validityOf({
  days,
  valid,
}: {
  readonly days?: string | undefined;
  readonly valid?: string | undefined;
}): number | undefined {
  if (valid !== undefined) return parseDuration(valid, '--valid');
  if (days === undefined) return undefined;
  const count = /^\d{1,5}$/.test(days) ? Number(days) : 0;
  if (count >= 1 && count <= MAX_DAYS) return count * DAY;
  throw new MtlsError('VALUE_INVALID', { what: '--days', found: days, expected: `a whole number from 1 to ${MAX_DAYS}` });
}
