import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import fc from 'fast-check';
import { type Line, lineTooLong, readLines } from '../../src/base/lines.js';

async function linesOf(chunks: Iterable<Buffer | string>, limit?: number): Promise<Line[]> {
  const lines: Line[] = [];
  for await (const line of readLines(Readable.from(chunks), limit)) lines.push(line);
  return lines;
}

describe('readLines', () => {
  it('gives the same lines however the stream is cut', async () => {
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
          assert.deepEqual(
            await linesOf(chunks),
            lines.map((line, i) => ({ number: i + 1, text: line })),
          );
        },
      ),
    );
  });

  it('leaves out blank lines and counts them, and a byte-order mark', async () => {
    assert.deepEqual(await linesOf(['\ufeff{}\n\n \t\r\n', 'b']), [
      { number: 1, text: '{}' },
      { number: 4, text: 'b' },
    ]);
    assert.deepEqual(await linesOf([]), []);
  });

  it('says which line is too long, and goes on behind it', async () => {
    const chunks = ['1234567890\n', '12345', '678901', '23\n', 'ok\n', 'x'.repeat(11)];
    assert.deepEqual(await linesOf(chunks, 10), [
      { number: 1, text: '1234567890' },
      { number: 2, tooLong: true },
      { number: 3, text: 'ok' },
      { number: 4, tooLong: true },
    ]);
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
    const lines: Line[] = [];
    for await (const line of readLines(endless(), 1 << 20)) lines.push(line);
    assert.deepEqual(lines, [
      { number: 1, tooLong: true },
      { number: 2, text: 'end' },
    ]);
    assert.ok(highest < 250 << 20, `${highest} octets at once`);
  });
});
