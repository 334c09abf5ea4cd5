import assert from 'node:assert/strict';
import fc from 'fast-check';
import { type CsvRow, readCsv } from '../../src/base/csv.js';
import type { TextFault } from '../../src/base/located.js';

async function rowsOf(text: string): Promise<{ rows: CsvRow[]; fault: TextFault | undefined }> {
  const rows: CsvRow[] = [];
  const fault = await readCsv(text, (row) => rows.push(row) > 0);
  return { rows, fault };
}

const cellsOf = async (text: string): Promise<(readonly string[])[]> => (await rowsOf(text)).rows.map(({ cells }) => cells);

describe('readCsv', () => {
  it('gives back what was written, however it was quoted', async () => {
    const cell = fc.tuple(fc.string({ unit: fc.constantFrom('a', ' ', ',', '"', '\n', '\r\n', ';', 'ü', '💡') }), fc.boolean());
    const row = fc.array(cell, { minLength: 2, maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(fc.array(row, { maxLength: 8 }), fc.constantFrom('\n', '\r\n'), fc.boolean(), async (rows, end, ended) => {
        const written = rows.map((cells) =>
          cells.map(([text, quoted]) => (quoted || /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text)).join(','),
        );
        const text = written.join(end) + (ended && rows.length > 0 ? end : '');
        assert.deepEqual(
          await cellsOf(text),
          rows.map((cells) => cells.map(([value]) => value)),
        );
      }),
    );
  });

  it('names the line that a record begins on', async () => {
    const { rows } = await rowsOf('a,b\r\n1,"two\r\nlines"\r\n\r\n  \r\n2,x\r\n');
    assert.deepEqual(
      rows.map(({ line }) => line),
      [1, 2, 6],
    );
  });

  it('names the line of the first fault, and gives what is before it', async () => {
    const wrong: readonly (readonly [text: string, line: number, problem: RegExp])[] = [
      ['a,b\n1,x"y\n', 2, /a quote within a cell/],
      ['a,b\n1, "y"\n', 2, /a quote within a cell/],
      ['a,b\n1,"y"z\n', 2, /between a closing quote/],
      ['a,b\n\n1,"y\n\n\n', 3, /never closed/],
      [`a,b\n1,"${'y\n'.repeat(40_000)}"\n`, 2, /is a quote not closed/],
      [`a,b\n1,2\n${','.repeat(70_000)}`, 3, /a line of more than/],
    ];
    for (const [text, line, problem] of wrong) {
      const { fault } = await rowsOf(text);
      assert.match(fault?.problem ?? '', problem);
      assert.equal(fault!.line, line, text.slice(0, 30));
    }
    assert.deepEqual((await rowsOf('a,b\n1,2\nx"')).rows.length, 2);
  });

  it('reads on across the chunks that it takes a long text in', async () => {
    const lines = Array.from({ length: 60_000 }, (_, i) => `svc${i},"ü${i}"`);
    let turns = 0;
    const rows: string[] = [];
    const fault = await readCsv(
      lines.join('\r\n'),
      ({ cells, line }) => rows.push(`${cells[0]},"${cells[1]}"`) === line,
      async () => void turns++,
    );
    assert.equal(fault, undefined);
    assert.deepEqual(rows, lines);
    assert.ok(turns > 3);
  });

  it('stops when it is told to, and throws what it is told', async () => {
    const seen: number[] = [];
    assert.equal(await readCsv('a\nb\nc\nd"\n', ({ line }) => seen.push(line) < 2), undefined);
    assert.deepEqual(seen, [1, 2]);
    const stop = new Error('stop');
    await assert.rejects(
      readCsv(
        'a\n',
        () => true,
        async () => {
          throw stop;
        },
      ),
      stop,
    );
    await assert.rejects(
      readCsv('a\n', () => {
        throw stop;
      }),
      stop,
    );
  });
});
