import assert from 'node:assert/strict';
import { isIPv4, isIPv6 } from 'node:net';
import fc from 'fast-check';
import { equalBytes, ipToBytes, ipToText, toHex } from '../../src/base/bytes.js';

/** How the WHATWG URL parser writes an IPv6 address: RFC 5952, with the last 32 bits in hexadecimal. */
const canonical = (text: string): string => new URL(`http://[${text}]`).hostname.slice(1, -1);

describe('addresses', () => {
  it('reads and writes every IPv4 address', () => {
    fc.assert(
      fc.property(fc.ipV4(), (text) => {
        const bytes = ipToBytes(text);
        assert.equal(bytes?.length, 4);
        assert.equal(ipToText(bytes), text);
      }),
    );
  });

  it('reads and writes every IPv6 address as the URL parser does', () => {
    fc.assert(
      fc.property(fc.ipV6(), (text) => {
        const bytes = ipToBytes(text);
        assert.equal(bytes?.length, 16);
        assert.equal(ipToText(bytes), canonical(text));
      }),
      { numRuns: 1_000 },
    );
  });

  it('shortens the longest run of zeros, the first of equals, and never a single one', () => {
    const groups = fc.array(fc.constantFrom(0, 0, 0, 1, 0xabcd), { minLength: 8, maxLength: 8 });
    fc.assert(
      fc.property(groups, (values) => {
        const bytes = Buffer.from(values.flatMap((value) => [value >> 8, value & 255]));
        const text = ipToText(bytes)!;
        assert.equal(text, canonical(values.map((value) => value.toString(16)).join(':')));
        assert.ok(ipToBytes(text)!.equals(bytes));
      }),
      { numRuns: 1_000 },
    );
  });

  it('takes what node:net takes and nothing else', () => {
    const characters = fc.string({ unit: fc.constantFrom(...'0129afF:::..g %'), maxLength: 24 });
    const near = fc
      .tuple(fc.ipV6(), fc.nat(), fc.constantFrom(':', '.', '0', '', '::', '1.2.3.4', '/', '%eth0'))
      .map(([text, at, piece]) => {
        const where = at % (text.length + 1);
        return text.slice(0, where) + piece + text.slice(where);
      });
    const agrees = (text: string): void =>
      assert.equal(ipToBytes(text) !== undefined, isIPv4(text) || (isIPv6(text) && !text.includes('%')), text);
    fc.assert(fc.property(characters, agrees), { numRuns: 5_000 });
    fc.assert(fc.property(near, agrees), { numRuns: 5_000 });
    for (const text of ['1.2.3.4::', '::1.2.3.4', '1:2:3:4:5:6:7::', '::', ':::', '1.2.3.4.5', '01.2.3.4', '256.1.1.1', '::1%lo', ''])
      agrees(text);
  });

  it('has no text for other lengths', () => {
    for (const length of [0, 3, 5, 8, 15, 17, 32]) assert.equal(ipToText(Buffer.alloc(length)), undefined);
  });
});

describe('bytes', () => {
  it('are equal when they are, views or Buffers', () => {
    const view = Uint8Array.from([9, 1, 2, 9]).subarray(1, 3);
    assert.equal(toHex(view), '0102');
    assert.equal(equalBytes(view, Buffer.from([1, 2])), true);
    assert.equal(equalBytes(view, Buffer.from([1, 3])), false);
    assert.equal(equalBytes(view, Buffer.from([1, 2, 0])), false);
  });
});
