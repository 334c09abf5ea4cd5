import { TAG, context, contextConstructed } from '../../src/pki/der.js';
import { oid, toDer } from '../../src/pki/encode.js';
import { OID } from '../../src/pki/oids.js';
import { type Item, type Place, encodeItem, encodeItems, parseItems, placesIn } from './elements.js';
import type { Random } from './random.js';

/** Nothing larger is tried: the promise is about a megabyte. */
const SIZE_LIMIT = 1_000_000;

/** Bends the bytes once. `other` gives some other input, to take pieces from. */
export type Mutation = (bytes: Buffer, random: Random, other: () => Buffer) => Buffer;

/** Changes elements of DER and writes them again with lengths that fit, so that what is behind the change is reached. */
export const mutateDer: Mutation = (bytes, random, other) => {
  const items = random.oneIn(8) ? undefined : parseItems(bytes);
  const places = items === undefined ? [] : placesIn(items);
  if (items === undefined || places.length === 0) return mutateBytes(bytes, random, other);
  random.pick(ITEM_MUTATIONS)(random.pick(places), random, () => {
    const foreign = placesIn(parseItems(other()) ?? []);
    return foreign.length === 0 ? { tag: TAG.null, content: Buffer.alloc(0) } : random.pick(foreign).item;
  });
  const changed = encodeItems(items);
  return changed.length <= SIZE_LIMIT ? changed : mutateBytes(bytes, random, other);
};

type ItemMutation = (place: Place, random: Random, foreign: () => Item) => void;

const ITEM_MUTATIONS: readonly ItemMutation[] = [
  changeContent,
  changeContent,
  changeContent,
  ({ siblings, index }) => siblings.splice(index, 1),
  ({ siblings, index, item }, random) => siblings.splice(index, 0, ...Array<Item>(random.oneIn(200) ? random.size(14) : 1).fill(item)),
  ({ siblings, index, item }, random) => {
    const to = random.below(siblings.length);
    [siblings[index], siblings[to]] = [siblings[to]!, item];
  },
  ({ siblings, index }, _random, foreign) => (siblings[index] = foreign()),
  ({ siblings, index }, _random, foreign) => siblings.splice(index, 0, foreign()),
  ({ siblings, index, item }, random) => (siblings[index] = { ...item, tag: tagFor(item.tag, random) }),
  ({ siblings, index, item }, random) => (siblings[index] = { ...item, verbatim: withLyingLength(encodeItem(item), random) }),
  ({ siblings, index, item }, random) => {
    const tag = random.pick([TAG.sequence, TAG.set, TAG.octetString, contextConstructed(random.below(5))]);
    siblings[index] = { tag, content: Buffer.alloc(0), verbatim: nested(encodeItem(item), tag, random.size(random.oneIn(100) ? 16 : 3)) };
  },
  ({ siblings, index, item }) => (Buffer.isBuffer(item.content) ? undefined : siblings.splice(index, 1, ...item.content)),
];

/** `bytes` within `depth` elements of `tag`, each in the one before it. */
export function nested(bytes: Buffer, tag: number, depth: number): Buffer {
  const headers: Buffer[] = [];
  let length = bytes.length;
  for (let i = 0; i < depth && length < SIZE_LIMIT; i++) {
    const octets = length < 0x80 ? 0 : length > 0xffff ? 3 : length > 0xff ? 2 : 1;
    const header = Buffer.alloc(2 + octets, tag);
    header[1] = octets === 0 ? length : 0x80 | octets;
    if (octets > 0) header.writeUIntBE(length, 2, octets);
    headers.push(header);
    length += header.length;
  }
  return Buffer.concat([...headers.reverse(), bytes]);
}

function tagFor(tag: number, random: Random): number {
  return random.pick([
    ...[tag ^ 0x20, tag ^ 0x80, tag ^ 0x40, tag + 1, tag | 0x1f, context(random.below(10)), contextConstructed(random.below(10))],
    random.pick(Object.values(TAG)),
  ]);
}

/** The element with a length octet that says something else, or the same in a form that is not DER. */
function withLyingLength(whole: Buffer, random: Random): Buffer {
  const long = whole[1]! > 0x80 ? whole[1]! & 0x7f : 0;
  const content = whole.subarray(2 + long);
  const { length } = content;
  const octets = Buffer.alloc(4);
  octets.writeUInt32BE(length);
  const said = random.pick([
    [(length + 1) & 0x7f],
    [Math.max(0, length - 1) & 0x7f],
    [0x80],
    [0x84, ...octets],
    [0x85, 0, ...octets],
    [0x84, 0xff, 0xff, 0xff, 0xff],
    [0x84, 0x7f, 0xff, 0xff, 0xff],
    [0x83, 0xff, 0xff, 0xff],
    [0xff],
    [0x81, length & 0xff],
    [0],
  ]);
  return Buffer.concat([whole.subarray(0, 1), Buffer.from(said), content]);
}

function changeContent({ item, siblings, index }: Place, random: Random): void {
  const content = Buffer.isBuffer(item.content) ? item.content : encodeItems(item.content);
  siblings[index] = { ...item, content: (CONTENTS[item.tag] ?? anyContent)(content, random) };
}

const anyContent = (content: Buffer, random: Random): Buffer =>
  random.pick([flipBit, overwrite, () => Buffer.alloc(0), () => random.bytes(random.size(6)), cutOff, growBytes])(content, random);

type ContentMutation = (content: Buffer, random: Random) => Buffer;

const INTEGERS = ['', '00', '01', '02', '03', '7f', '80', 'ff', '0080', '00ff', '7fff', '0000', 'ffff', '7fffffff', '80000000']
  .concat(['00ffffffff', '7fffffffffffffff', '3fffff', '00800000', '1000', '000001', `00${'ff'.repeat(20)}`, '7f'.repeat(64)])
  .map((hex) => Buffer.from(hex, 'hex'));
const integers: ContentMutation = (content, random) => (random.oneIn(3) ? anyContent(content, random) : random.pick(INTEGERS));

const OIDS = Object.values(OID).map((dotted) => toDer(oid(dotted)).subarray(2));
const oids: ContentMutation = (content, random) => {
  if (random.oneIn(3)) return random.pick(OIDS);
  const tail = random.pick(['80', '00', '7f', 'ffffffffffffff7f', '8001', 'ff'.repeat(30)]);
  return random.oneIn(2) ? Buffer.concat([content, Buffer.from(tail, 'hex')]) : anyContent(content, random);
};

const TIMES = ['500101000000Z', '491231235959Z', '000229000000Z', '010229000000Z', '20260601120000Z', '00000101000000Z', '99991231235959Z']
  .concat(['19000229000000Z', '20000229000000Z', '260631000000Z', '260600000000Z', '261301000000Z', '260601240000Z', '260601120060Z'])
  .concat(['2606011200Z', '260601120000+0000', '20260601120000.5Z', '260601120000', '-60601120000Z', '26060112 000Z']);
const times: ContentMutation = (content, random) => (random.oneIn(3) ? anyContent(content, random) : Buffer.from(random.pick(TIMES)));

const TEXTS = [
  '',
  '*',
  '*.',
  '.',
  '..',
  'xn--',
  'xn--a-ecp.ru',
  '*.*.test',
  'api.test',
  'API.TEST.',
  '\0',
  'a\0b',
  'é',
  '\ufeff',
  '\u202e',
  '127.0.0.1',
]
  .concat([
    '::1',
    'spiffe://',
    'spiffe://shop.test/ns/default/sa/api',
    'http://[::1]:99999/',
    'a@b',
    '@',
    '"@"@test',
    '%00',
    '𝒳',
    '#',
    '=,+\\',
  ])
  .map((text) => Buffer.from(text));
const texts: ContentMutation = (content, random) => {
  if (random.oneIn(2)) return random.pick(TEXTS);
  if (random.oneIn(50)) return Buffer.alloc(random.size(18), random.pick(['a', '.', 'a.', '*.', ' ', '\u0300', '\u0301\u0323', 'ﷺ']));
  return anyContent(content, random);
};

const CONTENTS: Readonly<Record<number, ContentMutation>> = {
  [TAG.integer]: integers,
  [TAG.enumerated]: integers,
  [TAG.oid]: oids,
  [TAG.utcTime]: times,
  [TAG.generalizedTime]: times,
  [TAG.boolean]: (_content, random) => Buffer.from(random.pick(['00', '01', 'ff', '', 'ffff']), 'hex'),
  [TAG.utf8String]: texts,
  [TAG.printableString]: texts,
  [TAG.ia5String]: texts,
  [TAG.teletexString]: texts,
  [TAG.bmpString]: texts,
  [TAG.universalString]: texts,
  [context(1)]: texts,
  [context(2)]: texts,
  [context(6)]: texts,
  [context(7)]: (content, random) =>
    random.oneIn(2) ? random.bytes(random.pick([0, 3, 4, 5, 8, 15, 16, 17, 32])) : anyContent(content, random),
  [TAG.bitString]: (content, random) =>
    random.oneIn(2) ? Buffer.concat([Buffer.from([random.pick([0, 1, 7, 8, 255])]), content.subarray(1)]) : anyContent(content, random),
};

/** What needs no structure: bits, octets, pieces cut out, doubled, moved, taken from elsewhere. */
export const mutateBytes: Mutation = (bytes, random, other) => {
  if (bytes.length === 0) return random.bytes(random.size(4));
  const changed = random.pick(BYTE_MUTATIONS)(bytes, random, other);
  return changed.length <= SIZE_LIMIT ? changed : flipBit(bytes, random);
};

function flipBit(bytes: Buffer, random: Random): Buffer {
  const copy = Buffer.from(bytes);
  if (copy.length > 0) copy[random.below(copy.length)]! ^= 1 << random.below(8);
  return copy;
}

function overwrite(bytes: Buffer, random: Random): Buffer {
  const copy = Buffer.from(bytes);
  random.bytes(random.size(3)).copy(copy, random.below(copy.length + 1));
  return copy;
}

const cutOff = (bytes: Buffer, random: Random): Buffer => bytes.subarray(0, random.below(bytes.length + 1));

function growBytes(bytes: Buffer, random: Random): Buffer {
  const at = random.below(bytes.length + 1);
  return Buffer.concat([bytes.subarray(0, at), random.bytes(random.size(5)), bytes.subarray(at)]);
}

function range(length: number, random: Random): readonly [start: number, end: number] {
  const start = random.below(length + 1);
  return [start, Math.min(length, start + random.size(8))];
}

const BYTE_MUTATIONS: readonly Mutation[] = [
  flipBit,
  overwrite,
  growBytes,
  cutOff,
  (bytes, random) => {
    const [start, end] = range(bytes.length, random);
    return Buffer.concat([bytes.subarray(0, start), bytes.subarray(end)]);
  },
  (bytes, random) => {
    const [start, end] = range(bytes.length, random);
    const copies = Array<Buffer>(random.oneIn(100) ? random.size(12) : 1).fill(bytes.subarray(start, end));
    return Buffer.concat([bytes.subarray(0, end), ...copies, bytes.subarray(end)]);
  },
  (bytes, random, other) => {
    const source = other();
    const [start, end] = range(source.length, random);
    const [cut, on] = range(bytes.length, random);
    return Buffer.concat([bytes.subarray(0, cut), source.subarray(start, end), bytes.subarray(on)]);
  },
  (bytes, random) => {
    const copy = Buffer.from(bytes);
    copy[random.below(copy.length)] = random.pick([0, 1, 0x1f, 0x30, 0x31, 0x7f, 0x80, 0x81, 0x82, 0x84, 0xa0, 0xa3, 0xfe, 0xff]);
    return copy;
  },
];
