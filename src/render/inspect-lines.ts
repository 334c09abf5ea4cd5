import { formatDuration } from '../base/duration.js';
import { style } from './style.js';

/** One fact behind its name. */
export const row = (name: string, value: string): string => `  ${name.padEnd(10)} ${value}`;

/** How many lines one name gets. */
const LINES = 12;

/** Several facts behind one name, a line each; none for none. */
export function rowOf(name: string, values: readonly string[]): string[] {
  const more = values.length > LINES ? [`and ${values.length - LINES} more`] : [];
  return [...values.slice(0, LINES), ...more].map((value, i) => row(i === 0 ? name : '', value));
}

/** How many values a line gets. */
const IN_A_LINE = 40;

/** Several facts in one line. */
export function listRow(name: string, values: readonly string[]): string[] {
  if (values.length === 0) return [];
  const more = values.length > IN_A_LINE ? ` and ${values.length - IN_A_LINE} more` : '';
  return [row(name, values.slice(0, IN_A_LINE).join(', ') + more)];
}

export const day = (iso: string): string => iso.slice(0, 10);

const DAY = 86_400_000;

/** `2026-01-01 to 2026-04-01`; what lives for days only is told to the second. */
export function period(from: string, until: string | null): string {
  const isShort = until !== null && new Date(until).getTime() - new Date(from).getTime() < 3 * DAY;
  const [start, end] = isShort ? [from, until] : [day(from), until === null ? '?' : day(until)];
  return `${start} to ${end}`;
}

/** What is left until `end`, in the largest unit and, where that is years, in days. */
export function left(end: string, now: Date): string {
  const span = new Date(end).getTime() - now.getTime();
  if (span < 0) return style.bad(`ended ${formatDuration(span)} ago`);
  const days = span >= 730 * DAY ? ` (${Math.floor(span / DAY)} days)` : '';
  return `${formatDuration(span)} left${days}`;
}

/** Octets of hex that a line shows. */
const OCTETS = 24;

/** `04 03 02 …`, and how many there are where not all are shown. */
export function octets(hex: string): string {
  const all = hex.match(/../g) ?? [];
  const start = all.slice(0, OCTETS).join(' ');
  return all.length > OCTETS ? `${start} … (${all.length} octets)` : start || '(empty)';
}
