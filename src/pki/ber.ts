import { MtlsError } from '../errors.js';
import { type DerFault, TAG, contextConstructed, context } from './der.js';
import { element } from './encode.js';

/** Deeper than any PKCS#12 file is nested. */
const DEPTH_LIMIT = 16;
/** A string in more pieces than this is meant to keep us busy. */
const ELEMENT_LIMIT = 100_000;

const INDEFINITE = 0x80;
const PIECES = TAG.octetString | 0x20;

/** Does it begin with a SEQUENCE of indefinite length? That is BER (X.690 §8.1.3.6), and no DER. */
export const isIndefinite = (bytes: Buffer): boolean => bytes[0] === TAG.sequence && bytes[1] === INDEFINITE;

/**
 * A SEQUENCE of indefinite length as DER has it, for the strict reader: NSS and old Windows write PKCS#12 in that way, to write
 * while they encrypt. Lengths become definite, and octet strings that came in pieces (X.690 §8.7.3) one, that of
 * EncryptedContentInfo (RFC 5652 §6.1) as well; what is in a string is left as it is. Anything else is answered unchanged.
 * Throws DER_MALFORMED.
 */
export function definite(bytes: Buffer): Buffer {
  if (!isIndefinite(bytes)) return bytes;
  const reader = new BerReader(bytes);
  const { tag, contents } = reader.next(bytes.length, DEPTH_LIMIT);
  if (reader.at !== bytes.length) reader.fail('trailing bytes');
  return element(tag, contents);
}

/** One element: what is within it, encoded again; `pieces` where all of that are octet strings. */
interface Read {
  readonly tag: number;
  readonly contents: readonly Buffer[];
  readonly pieces: readonly Buffer[] | undefined;
}

class BerReader {
  readonly #bytes: Buffer;
  #elements = 0;
  at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  fail(fault: DerFault): never {
    throw new MtlsError('DER_MALFORMED', { fault, offset: this.at });
  }

  next(end: number, depth: number): Read {
    if (depth === 0 || ++this.#elements > ELEMENT_LIMIT) this.fail('length too large');
    const tag = this.#octet(end);
    if ((tag & 0x1f) === 0x1f) this.fail('tag number above 30');
    const length = this.#length(end);
    const isConstructed = (tag & 0x20) !== 0;
    if (!isConstructed) {
      if (length === undefined) this.fail('indefinite length');
      this.at += length;
      return { tag, contents: [this.#bytes.subarray(this.at - length, this.at)], pieces: undefined };
    }
    const within = this.#within(end, length, depth - 1);
    if (tag === PIECES) return { tag: TAG.octetString, contents: this.#joined(within), pieces: undefined };
    const pieces = within.length > 0 && within.every((each) => each.tag === TAG.octetString) ? this.#joined(within) : undefined;
    return { tag, contents: within.map((each, i) => encoded(each, tag === TAG.sequence && isEncryptedContent(within, i))), pieces };
  }

  /** What is in a constructed value: up to its length, or to the end-of-contents octets. */
  #within(end: number, length: number | undefined, depth: number): Read[] {
    const found: Read[] = [];
    const last = length === undefined ? end : this.at + length;
    while (length === undefined ? !this.#atEndOfContents(last) : this.at < last) found.push(this.next(last, depth));
    if (length === undefined) this.at += 2;
    return found;
  }

  #atEndOfContents(end: number): boolean {
    if (this.at + 2 > end) this.fail('truncated');
    return this.#bytes[this.at] === 0 && this.#bytes[this.at + 1] === 0;
  }

  #joined(within: readonly Read[]): readonly Buffer[] {
    if (within.some(({ tag }) => tag !== TAG.octetString)) this.fail('malformed string');
    return within.flatMap(({ contents }) => contents);
  }

  #octet(end: number): number {
    if (this.at >= end) this.fail('truncated');
    return this.#bytes[this.at++]!;
  }

  /** Undefined for the indefinite form. */
  #length(end: number): number | undefined {
    const first = this.#octet(end);
    if (first === INDEFINITE) return undefined;
    const octets = first > 0x80 ? first & 0x7f : 0;
    if (octets > 4) this.fail('length too large');
    if (this.at + octets > end) this.fail('truncated');
    const length = octets === 0 ? first : this.#bytes.readUIntBE(this.at, octets);
    this.at += octets;
    if (length > end - this.at) this.fail('truncated');
    return length;
  }
}

/** `EncryptedContentInfo ::= SEQUENCE { type, AlgorithmIdentifier, [0] IMPLICIT OCTET STRING }`: [0] in pieces. */
const isEncryptedContent = (within: readonly Read[], i: number): boolean =>
  i === 2 && within[0]!.tag === TAG.oid && within[1]!.tag === TAG.sequence && within[2]!.tag === contextConstructed(0);

const encoded = ({ tag, contents, pieces }: Read, inPieces: boolean): Buffer =>
  inPieces && pieces !== undefined ? element(context(0), pieces) : element(tag, contents);
