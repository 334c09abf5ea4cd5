/** What each octet stands for in base64 (RFC 4648 §4). */
const [BLANK, PADDING, FOREIGN] = [64, 65, 66];
const DIGITS = new Uint8Array(256).fill(FOREIGN);
[...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'].forEach((digit, i) => (DIGITS[digit.charCodeAt(0)] = i));
for (const blank of ' \t\n\v\f\r') DIGITS[blank.charCodeAt(0)] = BLANK;
DIGITS['='.charCodeAt(0)] = PADDING;

/** How much was taken of what was given, and how many octets were made of it. */
interface Decoded {
  readonly read: number;
  readonly written: number;
}

/** Decodes base64 between blanks strictly, in as many pieces as it comes, each octet looked at once: a CRL has 60 MB of it. */
export class Base64Decoder {
  #digits = 0;
  #padding = 0;
  #bits = 0;

  /** Decodes `base64` into `octets` from `at` on, until its end, an octet that cannot stand there, or no room for three. */
  decode(base64: Buffer, octets: Buffer, at = 0): Decoded {
    const end = base64.length;
    const room = octets.length - 3;
    let [digits, bits] = [this.#digits, this.#bits];
    let [i, to] = [0, at];
    while (i < end && to <= room) {
      if ((digits & 3) === 0) {
        // groups of four, as nearly all of it is
        for (; i + 4 <= end && to <= room; i += 4, to += 3, digits += 4) {
          const [a, b, c, d] = [DIGITS[base64[i]!]!, DIGITS[base64[i + 1]!]!, DIGITS[base64[i + 2]!]!, DIGITS[base64[i + 3]!]!];
          if ((a | b | c | d) >= BLANK) break;
          octets[to] = (a << 2) | (b >> 4);
          octets[to + 1] = (b << 4) | (c >> 2);
          octets[to + 2] = (c << 6) | d;
        }
        if (i === end || to > room) break;
      }
      const digit = DIGITS[base64[i]!]!;
      if (digit === FOREIGN || (digit < BLANK && this.#padding > 0)) break;
      i++;
      if (digit === PADDING) this.#padding++;
      if (digit >= BLANK) continue;
      bits = ((bits << 6) | digit) & 0xffffff;
      if ((++digits & 3) !== 0) continue;
      octets[to++] = bits >> 16;
      octets[to++] = bits >> 8;
      octets[to++] = bits;
    }
    [this.#digits, this.#bits] = [digits, bits];
    return { read: i, written: to - at };
  }

  /** Writes what is still due, up to two octets, and answers how many; undefined when it was not whole, or nothing. */
  end(octets: Buffer, at: number): number | undefined {
    const [padding, bits] = [this.#padding, this.#bits];
    if (this.#digits === 0 || padding > 2 || (this.#digits + padding) % 4 !== 0) return undefined;
    if (padding > 0) octets[at] = bits >> (padding === 1 ? 10 : 4);
    if (padding === 1) octets[at + 1] = bits >> 2;
    return padding === 0 ? 0 : 3 - padding;
  }
}
