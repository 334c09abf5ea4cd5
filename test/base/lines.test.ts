import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import fc from 'fast-check';
import { lineTooLong, linesIn, readBlocks } from '../../src/base/lines.js';

const TOO_LONG = '(too long)';

async function linesOf(chunks: Iterable<Buffer | string>, limit?: number): Promise<string[]> {
  const lines: string[] = [];
  for await (const block of readBlocks(Readable.from(chunks), limit))
    lines.push(...('tooLong' in block ? [TOO_LONG] : linesIn(block.bytes)));
  return lines;
}

describe('readBlocks and linesIn', () => {
  it('give the same lines however the stream is cut', async () => {
    const text = fc.array(
      fc.string({ unit: fc.constantFrom('a', 'ü', '💡', ' ', '\r', '"') }).map((line) => line.replaceAll('\r', '') + 'x'),
      { maxLength: 8 },
    );
    await fc.assert(
      fc.asyncProperty(
        text,
        fc.integer({ min: 1, max: 9 }),
        fc.constantFrom('\n', '\r\n'),
        fc.boolean(),
        async (lines, size, end, ended) => {
          const bytes = Buffer.from(lines.join(end) + (ended ? end : ''));
          const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) => bytes.subarray(i * size, (i + 1) * size));
          assert.deepEqual(await linesOf(chunks), lines);
        },
      ),
    );
  });

  it('give what has come at once', async () => {
    const sizes = [];
    for await (const block of readBlocks(Readable.from(['1\n2\n3', '\n', '4']))) sizes.push('bytes' in block ? block.bytes.length : 0);
    assert.deepEqual(sizes, [4, 2, 1]);
  });

  it('leave out blank lines, and a byte-order mark', async () => {
    assert.deepEqual(await linesOf(['\ufeff{}\n\n \t\r\n', 'b']), ['{}', 'b']);
    assert.deepEqual(await linesOf([]), []);
  });

  it('say which line is too long, and go on behind it', async () => {
    const chunks = ['1234567890\n', '12345', '678901', '23\n', 'ok\n', '\n', 'y'.repeat(11) + '\nbehind\n', 'x'.repeat(11)];
    assert.deepEqual(await linesOf(chunks, 10), ['1234567890', TOO_LONG, 'ok', TOO_LONG, 'behind', TOO_LONG]);
    assert.match(lineTooLong(10).message, /at most 10 octets/);
  });

  it('does not hold what it skips', async () => {
    const chunk = Buffer.alloc(1 << 20, 'x');
    let highest = 0;
    const before = process.memoryUsage().arrayBuffers;
    async function* endless(): AsyncGenerator<Buffer> {
      for (let i = 0; i < 300; i++) {
        yield Buffer.from(chunk);
        highest = Math.max(highest, process.memoryUsage().arrayBuffers - before);
        if (i % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
      }
      yield Buffer.from('\nend');
    }
    const lines = [];
    for await (const block of readBlocks(endless(), 1 << 20)) lines.push(...('tooLong' in block ? ['too long'] : linesIn(block.bytes)));
    assert.deepEqual(lines, ['too long', 'end']);
    assert.ok(highest < 250 << 20, `${highest} octets at once`);
  });
});
