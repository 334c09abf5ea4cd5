import * as Flags from '@oclif/core/flags';
import { DAY, parseDuration } from '../base/duration.js';

/** `--days` and `--valid`: two ways to say one thing. */
export const validityFlags = (what: string, defaultDays: number) => ({
  days: Flags.integer({ summary: `${what} in days [default: ${defaultDays}]`, min: 1, max: 36_500, exclusive: ['valid'] }),
  valid: Flags.string({ summary: 'the same as a duration', helpValue: `${defaultDays}d` }),
});

/** Milliseconds; undefined when neither was given. Throws VALUE_INVALID. */
export function validityOf({
  days,
  valid,
}: {
  readonly days?: number | undefined;
  readonly valid?: string | undefined;
}): number | undefined {
  if (valid !== undefined) return parseDuration(valid, '--valid');
  return days === undefined ? undefined : days * DAY;
}
