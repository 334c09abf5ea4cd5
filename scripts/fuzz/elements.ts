import { TAG } from '../../src/pki/der.js';
import { element } from '../../src/pki/encode.js';

/** DER as a tree that may be bent. What is inside of an OCTET STRING or BIT STRING is taken apart too, when it is DER. */
export interface Item {
  tag: number;
  /** The octet of unused bits before the items in a BIT STRING. */
  lead?: Buffer;
  content: Buffer | Item[];
  /** Written in place of all of it: for lengths that lie. */
  verbatim?: Buffer;
}

/** An item and where it stands. */
export interface Place {
  readonly item: Item;
  readonly siblings: Item[];
  readonly index: number;
}

const DEPTH_LIMIT = 40;

/** The items of which `bytes` consist, or undefined when they are not elements from the first octet to the last. */
export function parseItems(bytes: Buffer, depth = 0): Item[] | undefined {
  const items: Item[] = [];
  for (let at = 0; at < bytes.length;) {
    const tag = bytes[at]!;
    let length = bytes[at + 1];
    if (length === undefined || (tag & 0x1f) === 0x1f) return undefined;
    let start = at + 2;
    if (length >= 0x80) {
      const octets = length & 0x7f;
      if (octets === 0 || octets > 4 || start + octets > bytes.length) return undefined;
      length = bytes.readUIntBE(start, octets);
      start += octets;
    }
    if (start + length > bytes.length) return undefined;
    items.push(itemOf(tag, bytes.subarray(start, start + length), depth));
    at = start + length;
  }
  return items;
}

function itemOf(tag: number, content: Buffer, depth: number): Item {
  if (depth >= DEPTH_LIMIT || content.length < 2) return { tag, content };
  if ((tag & 0x20) !== 0) return { tag, content: parseItems(content, depth + 1) ?? content };
  if (tag === TAG.octetString) return { tag, content: parseItems(content, depth + 1) ?? content };
  if (tag !== TAG.bitString || content[0] !== 0) return { tag, content };
  const inner = parseItems(content.subarray(1), depth + 1);
  return inner === undefined ? { tag, content } : { tag, lead: content.subarray(0, 1), content: inner };
}

export function encodeItems(items: readonly Item[]): Buffer {
  return Buffer.concat(items.map(encodeItem));
}

export function encodeItem(item: Item): Buffer {
  if (item.verbatim !== undefined) return item.verbatim;
  const content = Buffer.isBuffer(item.content) ? item.content : encodeItems(item.content);
  return element(item.tag, item.lead === undefined ? [content] : [item.lead, content]);
}

/** Every item of a tree with its place, each before what is in it. */
export function placesIn(items: Item[], found: Place[] = []): Place[] {
  for (const [index, item] of items.entries()) {
    found.push({ item, siblings: items, index });
    if (!Buffer.isBuffer(item.content)) placesIn(item.content, found);
  }
  return found;
}
