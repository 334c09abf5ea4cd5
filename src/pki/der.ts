import { MtlsError } from '../errors.js';

/** Tag octets of X.690, class and form included. */
export const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  enumerated: 0x0a,
  utf8String: 0x0c,
  numericString: 0x12,
  printableString: 0x13,
  teletexString: 0x14,
  ia5String: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
  visibleString: 0x1a,
  universalString: 0x1c,
  bmpString: 0x1e,
  sequence: 0x30,
  set: 0x31,
} as const;

/** The tag octet of `[n]`: primitive (IMPLICIT of a primitive type) or constructed (EXPLICIT, or IMPLICIT of a SEQUENCE). */
export const context = (n: number): number => 0x80 | n;
export const contextConstructed = (n: number): number => 0xa0 | n;

/** Why bytes are not DER. */
export type DerFault =
  | 'truncated'
  | 'indefinite length'
  | 'length not minimal'
  | 'length too large'
  | 'tag number above 30'
  | 'unexpected tag'
  | 'missing element'
  | 'trailing bytes'
  | 'empty integer'
  | 'integer not minimal'
  | 'negative integer'
  | 'integer too large'
  | 'boolean neither 00 nor FF'
  | 'bad unused bits'
  | 'malformed object identifier'
  | 'malformed null'
  | 'malformed time'
  | 'malformed string'
  | 'default value encoded'
  | 'set not in order';

/** One element: its tag octet, its content, and the whole of it (tag, length and content). */
export interface DerElement {
  readonly tag: number;
  readonly content: Buffer;
  readonly whole: Buffer;
}

/**
 * Walks DER (X.690 §10) in place: no tree, no copy, no recursion. Every rejection is DER_MALFORMED with its fault and
 * the offset from the start of the outermost buffer. A reader stands before the next element of one constructed value;
 * a reader of an inner value cannot see past its end.
 *
 *     tag (1 octet; numbers up to 30) | length (short form, or 0x81..0x84 + that many octets, minimal) | content
 */
export class DerReader {
  readonly #bytes: Buffer;
  readonly #end: number;
  #at: number;
  /** Where the element that was read last begins: what is wrong with its content is said of there. */
  #last: number;
  /** Where the content of that element begins. */
  #content: number;

  constructor(bytes: Uint8Array, start = 0, end = bytes.byteLength) {
    this.#bytes = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#at = start;
    this.#last = start;
    this.#content = start;
    this.#end = end;
  }

  /** Reads bytes that hold exactly one element of `tag` and nothing after it; the reader stands inside of it. */
  static within(bytes: Uint8Array, tag: number = TAG.sequence): DerReader {
    const outer = new DerReader(bytes);
    const inner = outer.enter(tag);
    outer.end();
    return inner;
  }

  get offset(): number {
    return this.#at;
  }

  get atEnd(): boolean {
    return this.#at === this.#end;
  }

  /** Throws `trailing bytes` unless all was read. */
  end(): void {
    if (this.#at !== this.#end) this.fail('trailing bytes');
  }

  /** The tag octet of the next element; undefined at the end. */
  peek(): number | undefined {
    return this.#at < this.#end ? this.#bytes[this.#at] : undefined;
  }

  /** What was read since this reader stood at `start`. */
  since(start: number): Buffer {
    return this.#bytes.subarray(start, this.#at);
  }

  /** The next element, of `tag` if one is given. */
  element(tag?: number): DerElement {
    const found = this.#header(tag);
    return {
      tag: found,
      content: this.#bytes.subarray(this.#content, this.#at),
      whole: this.#bytes.subarray(this.#last, this.#at),
    };
  }

  /** The content of the next element, which must have `tag`. */
  content(tag: number): Buffer {
    this.#header(tag);
    return this.#bytes.subarray(this.#content, this.#at);
  }

  /** A reader inside of the next element, which must have `tag`; this reader goes on behind it. */
  enter(tag: number = TAG.sequence): DerReader {
    this.#header(tag);
    return new DerReader(this.#bytes, this.#content, this.#at);
  }

  /** Like `enter`, when the next element has `tag`; else undefined and nothing is read. */
  enterOptional(tag: number): DerReader | undefined {
    return this.peek() === tag ? this.enter(tag) : undefined;
  }

  boolean(): boolean {
    const content = this.content(TAG.boolean);
    if (content.length !== 1 || (content[0] !== 0x00 && content[0] !== 0xff)) this.refuse('boolean neither 00 nor FF');
    return content[0] === 0xff;
  }

  /** `BOOLEAN DEFAULT FALSE`: an encoded FALSE is not DER (X.690 §11.5). */
  booleanDefaultFalse(): boolean {
    if (this.peek() !== TAG.boolean) return false;
    if (!this.boolean()) this.refuse('default value encoded');
    return true;
  }

  /** The two's-complement content of an INTEGER (or of `tag`, when it is implicitly tagged), minimal as DER wants it. */
  integer(tag: number = TAG.integer): Buffer {
    const content = this.content(tag);
    if (content.length === 0) this.refuse('empty integer');
    const [first, second] = [content[0]!, content[1]];
    if (second !== undefined && ((first === 0x00 && second < 0x80) || (first === 0xff && second >= 0x80)))
      this.refuse('integer not minimal');
    return content;
  }

  /** A non-negative INTEGER below 2^31. */
  smallInteger(tag: number = TAG.integer): number {
    const content = this.integer(tag);
    if (content[0]! >= 0x80) this.refuse('negative integer');
    if (content.length > 4) this.refuse('integer too large');
    return content.readUIntBE(0, content.length);
  }

  /** Dotted decimal. */
  oid(tag: number = TAG.oid): string {
    const content = this.content(tag);
    return oidToText(content) ?? this.refuse('malformed object identifier');
  }

  /** The octets of a BIT STRING that has no unused bits (a key, a signature). */
  bitStringOctets(): Buffer {
    const content = this.content(TAG.bitString);
    if (content[0] !== 0) this.refuse('bad unused bits');
    return content.subarray(1);
  }

  /**
   * The numbers of the bits that are set in a named bit list. Trailing zero bits, which X.690 §11.2.2 forbids, are taken:
   * they change no meaning, and roots that every browser trusts have them.
   */
  namedBits(tag: number = TAG.bitString): number[] {
    const content = this.content(tag);
    const unused = content[0] ?? 8;
    const last = content[content.length - 1]!;
    const empty = content.length === 1;
    if (unused > 7 || (empty ? unused !== 0 : (last & ((1 << unused) - 1)) !== 0)) this.refuse('bad unused bits');
    const bits: number[] = [];
    for (let i = 1; i < content.length; i++) {
      for (let bit = 0; bit < 8; bit++) if (content[i]! & (0x80 >> bit)) bits.push((i - 1) * 8 + bit);
    }
    return bits;
  }

  octetString(tag: number = TAG.octetString): Buffer {
    return this.content(tag);
  }

  null(): void {
    if (this.content(TAG.null).length !== 0) this.refuse('malformed null');
  }

  /** Milliseconds since 1970 of a UTCTime or GeneralizedTime in the one form of RFC 5280 §4.1.2.5: to the second, `Z`. */
  time(): number {
    const tag = this.#header(undefined);
    if (tag !== TAG.utcTime && tag !== TAG.generalizedTime) this.refuse('unexpected tag', 'a UTCTime or GeneralizedTime');
    return timeOf(tag, this.#bytes.subarray(this.#content, this.#at)) ?? this.refuse('malformed time');
  }

  /** Throws DER_MALFORMED at where this reader stands: before an element that is not there, or should not be. */
  fail(fault: DerFault, what?: string): never {
    throw malformed(fault, this.#at, what);
  }

  /** Throws DER_MALFORMED at the element that was read last. */
  refuse(fault: DerFault, what?: string): never {
    throw malformed(fault, this.#last, what);
  }

  /** Goes behind the next element and answers its tag octet. */
  #header(expected: number | undefined): number {
    const bytes = this.#bytes;
    const end = this.#end;
    let at = this.#at;
    if (at >= end) this.fail(expected === undefined ? 'truncated' : 'missing element', expectedTag(expected));
    const found = bytes[at++]!;
    if ((found & 0x1f) === 0x1f) this.fail('tag number above 30');
    if (expected !== undefined && found !== expected) this.fail('unexpected tag', `${expectedTag(expected)}, found 0x${hex(found)}`);
    if (at >= end) this.fail('truncated');
    let length = bytes[at++]!;
    if (length === 0x80) this.fail('indefinite length');
    if (length > 0x80) {
      const octets = length & 0x7f;
      if (octets > 4) this.fail('length too large');
      if (at + octets > end) this.fail('truncated');
      length = bytes.readUIntBE(at, octets);
      if (length < 0x80 || bytes[at] === 0) this.fail('length not minimal');
      at += octets;
    }
    if (length > end - at) this.fail('truncated');
    this.#last = this.#at;
    this.#content = at;
    this.#at = at + length;
    return found;
  }
}

function malformed(fault: DerFault, offset: number, what: string | undefined): MtlsError<'DER_MALFORMED'> {
  return new MtlsError('DER_MALFORMED', { fault, offset, ...(what === undefined ? {} : { what }) });
}

const hex = (octet: number): string => octet.toString(16).padStart(2, '0');
const expectedTag = (tag: number | undefined): string | undefined => (tag === undefined ? undefined : `expected 0x${hex(tag)}`);

const DAYS_IN_MONTH = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
const FOUR_CENTURIES = 146_097 * 86_400_000;

/** `YYMMDDhhmmssZ` or `YYYYMMDDhhmmssZ` in milliseconds since 1970; undefined when it is no instant. */
function timeOf(tag: number, content: Buffer): number | undefined {
  const yearDigits = tag === TAG.utcTime ? 2 : 4;
  if (content.length !== yearDigits + 11 || content[yearDigits + 10] !== 0x5a) return undefined;
  // what is no digit becomes NaN, and NaN passes none of the comparisons below
  const two = (at: number): number => digit(content[at]!) * 10 + digit(content[at + 1]!);
  const short = two(0);
  const year = tag === TAG.utcTime ? (short < 50 ? 2000 + short : 1900 + short) : short * 100 + two(2);
  const [month, day, hour] = [two(yearDigits), two(yearDigits + 2), two(yearDigits + 4)];
  const [minute, second] = [two(yearDigits + 6), two(yearDigits + 8)];
  const leapDay = month === 2 && year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 1 : 0;
  const exact = day >= 1 && day <= (DAYS_IN_MONTH[month - 1] ?? 0) + leapDay && hour < 24 && minute < 60 && second < 60;
  // Date.UTC takes a year below 100 for one of the 20th century; the calendar repeats after 400 years
  return exact && year >= 0 ? Date.UTC(year + 400, month - 1, day, hour, minute, second) - FOUR_CENTURIES : undefined;
}

const digit = (octet: number): number => (octet >= 0x30 && octet <= 0x39 ? octet - 0x30 : Number.NaN);

/** Dotted decimal of the content octets of an OBJECT IDENTIFIER; undefined when they are malformed or too long to be real. */
function oidToText(content: Buffer): string | undefined {
  if (content.length === 0 || content.length > 64 || content[content.length - 1]! >= 0x80) return undefined;
  let text = '';
  let arc = 0;
  let fresh = true;
  for (let i = 0; i < content.length; i++) {
    const octet = content[i]!;
    if (fresh && octet === 0x80) return undefined; // not minimal
    if (arc > LARGEST_EXACT_ARC) return largeOidToText(content);
    arc = arc * 128 + (octet & 0x7f);
    fresh = octet < 0x80;
    if (!fresh) continue;
    // the first two arcs share a subidentifier (X.690 §8.19.4)
    if (text === '') text = arc < 40 ? `0.${arc}` : arc < 80 ? `1.${arc - 40}` : `2.${arc - 80}`;
    else text += `.${arc}`;
    arc = 0;
  }
  return text;
}

/** Seven bits more, and a number could not hold it exactly. */
const LARGEST_EXACT_ARC = Number.MAX_SAFE_INTEGER / 128 - 1;

/** The same for arcs beyond 2^53, as those that are made from UUIDs (X.667) have. */
function largeOidToText(content: Buffer): string | undefined {
  const arcs: bigint[] = [];
  let arc = 0n;
  let fresh = true;
  for (const octet of content) {
    if (fresh && octet === 0x80) return undefined;
    arc = (arc << 7n) | BigInt(octet & 0x7f);
    fresh = octet < 0x80;
    if (!fresh) continue;
    arcs.push(arc);
    arc = 0n;
  }
  const first = arcs[0]!;
  const root = first < 40n ? 0n : first < 80n ? 1n : 2n;
  return [root, first - root * 40n, ...arcs.slice(1)].join('.');
}
