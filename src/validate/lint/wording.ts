import { type Name, type NameAttribute, labelOf, printable } from '../../pki/name.js';
import { oidName } from '../../pki/oids.js';
import type { Sample } from './sample.js';

const LONGEST = 80;

/** A text of a certificate as a message may carry it: nothing that steers a terminal, and not a page of it. */
export function shown(text: string): string {
  if (text === '') return 'an empty one';
  return printable(text.slice(0, LONGEST)) + rest(text);
}

/** The name of a certificate or CRL, whose characters are fit to be seen, as a label. */
export function labelled(name: Name): string {
  const text = labelOf(name);
  return text.slice(0, LONGEST) + rest(text);
}

const rest = (text: string): string => (text.length > LONGEST ? `… (${text.length} characters)` : '');

/** The first few of a list, and how many there are besides. */
export function listed(items: readonly string[], most = 5): string {
  const first = items.slice(0, most).map(shown).join(', ');
  return items.length > most ? `${first} and ${items.length - most} more` : first || 'none';
}

/** A message for each name in a sample, and one for the rest. */
export function eachOf({ count, first }: Sample, say: (name: string) => string): string[] {
  const more = count - first.length;
  return [...first.map((name) => say(shown(name))), ...(more > 0 ? [`${more} more of the same`] : [])];
}

export const shownAttribute = ({ type, value }: NameAttribute): string => `${oidName(type)} ${shown(value)}`;
