import { TAG } from '../../src/pki/der.js';
import { type Node, element, embed, oid, toDer } from '../../src/pki/encode.js';

/** What a hostile file may weigh. */
export const MEGABYTE = 1_000_000;

/** As many items as fit into so many octets, one after the other. */
export function fill(octets: number, item: (i: number) => Buffer): Buffer {
  const items: Buffer[] = [];
  for (let length = 0, i = 0; ; i++) {
    const next = item(i);
    length += next.length;
    if (length > octets) return Buffer.concat(items);
    items.push(next);
  }
}

/** An extension whose value is a SEQUENCE of as many items as fit. */
export const crowded = (dotted: string, octets: number, item: (i: number) => Buffer): Node =>
  extensionAround(dotted, element(TAG.sequence, [fill(octets, item)]));

/** An extension around a value that is DER already: as values of node-forge so many would take long. */
export const extensionAround = (dotted: string, value: Buffer): Node =>
  embed(element(TAG.sequence, [toDer(oid(dotted)), element(TAG.octetString, [value])]));

/** An object identifier of its own for each number up to a million: 1.2, and two arcs. */
export const numberedOid = (i: number): Buffer =>
  Buffer.from([TAG.oid, 4, 0x2a, 0x81 + ((i >> 14) & 0x3f), 0x80 | ((i >> 7) & 0x7f), i & 0x7f]);

/** An extension that nobody knows, with an empty value. */
export const unknownExtension = (i: number, critical: boolean): Buffer =>
  element(TAG.sequence, [numberedOid(i), Buffer.from(critical ? '0101ff0400' : '0400', 'hex')]);

/** One element within so many others. */
export const inside = (bytes: Buffer, ...tags: readonly number[]): Buffer =>
  tags.reduceRight((content, tag) => element(tag, [content]), bytes);
