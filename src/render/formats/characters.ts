// Control characters, line separators, what turns the direction of writing, halves of surrogate pairs, and the two code
// points that XML 1.0 §2.2 leaves out: none is text, each breaks some format or forges a line of it.
const UNPRINTABLE = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}\ufffe\uffff]/gu;

/** `text` with what cannot be printed made visible; lines and tabs stay. */
export const printable = (text: string): string =>
  text.replace(UNPRINTABLE, (character) => ('\n\r\t'.includes(character) ? character : visible(character)));

/** The same in one line, whatever it holds. */
export const inOneLine = (text: string): string => text.replace(UNPRINTABLE, visible);

const visible = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
