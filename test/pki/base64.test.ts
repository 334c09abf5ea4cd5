import assert from 'node:assert/strict';
import fc from 'fast-check';
import { Base64Decoder } from '../../src/pki/base64.js';

/** What pieces of base64 hold, decoded into buffers of `room` octets; undefined when it is not whole. */
function decoded(pieces: readonly Buffer[], room = 64): string | undefined {
  const decoder = new Base64Decoder();
  const octets: Buffer[] = [];
  for (const piece of pieces)
    for (let at = 0; at < piece.length;) {
      const into = Buffer.alloc(room);
      const { read, written } = decoder.decode(piece.subarray(at), into);
      if (read === 0) return undefined;
      octets.push(into.subarray(0, written));
      at += read;
    }
  const rest = Buffer.alloc(2);
  const written = decoder.end(rest, 0);
  return written === undefined ? undefined : Buffer.concat([...octets, rest.subarray(0, written)]).toString('hex');
}

describe('base64', () => {
  it('is decoded in whatever pieces it comes, and whatever blanks stand in it', () => {
    const blank = fc.constantFrom(...' \t\n\v\f\r');
    const input = fc.record({
      octets: fc.uint8Array({ minLength: 1, maxLength: 200 }),
      blanks: fc.array(fc.tuple(fc.nat(300), blank), { maxLength: 10 }),
      size: fc.integer({ min: 1, max: 100 }),
      room: fc.integer({ min: 3, max: 100 }),
    });
    fc.assert(
      fc.property(input, ({ octets, blanks, size, room }) => {
        let text = Buffer.from(octets).toString('base64');
        for (const [at, one] of blanks) text = `${text.slice(0, at)}${one}${text.slice(at)}`;
        const pieces = text.match(new RegExp(`[^]{1,${size}}`, 'g'))!.map((piece) => Buffer.from(piece));
        assert.equal(decoded(pieces, room), Buffer.from(octets).toString('hex'));
      }),
    );
  });

  for (const text of [
    '',
    '  \n',
    'A',
    'AA',
    'AAA',
    'AA=',
    'AAA==',
    'AAAA=',
    'AAAA====',
    'AA=A',
    'AA==AAAA',
    '=',
    'AA-A',
    'AA_A',
    'AAA:',
    'AAAÄ',
  ])
    it(`is refused as ${JSON.stringify(text)}`, () => {
      assert.equal(decoded([Buffer.from(text)]), undefined);
      assert.equal(decoded([...Buffer.from(text)].map((octet) => Buffer.of(octet))), undefined);
    });
});
