import { parseInstant } from '../base/json.js';
import { MtlsError } from '../errors.js';

/** An instant from the command line. Throws VALUE_INVALID. */
export function instantOf(text: string, flag: string): Date {
  const instant = parseInstant(text);
  if (instant !== undefined) return instant;
  throw new MtlsError('VALUE_INVALID', { what: flag, found: text, expected: 'an instant such as 2027-01-31T12:00:00Z, or a day' });
}
