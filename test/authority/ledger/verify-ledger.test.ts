import assert from 'node:assert/strict';
import { appendFileSync, writeFileSync } from 'node:fs';
import { lineHash } from '../../../src/authority/ledger/ledger.js';
import { verifyLedger } from '../../../src/authority/ledger/verify-ledger.js';
import { clock, failure, issueOne, newWorkspace, revoke, text } from '../support.js';

describe('the chain of the ledger', () => {
  const made = newWorkspace();
  const { ledger } = made.workspace.paths;
  let lines: string[];
  before(async () => {
    await issueOne(made.workspace, 'api');
    await issueOne(made.workspace, 'web');
    await revoke(made.workspace, 'api', 'superseded', clock);
    lines = text(ledger).split(/(?<=\n)/);
  });
  afterEach(() => writeFileSync(ledger, lines.join('')));
  after(() => made.remove());

  it('holds, and its head is the hash of the last line', async () => {
    const head = lineHash(lines.at(-1)!.trimEnd());
    assert.deepEqual(await verifyLedger(ledger), { lines: lines.length, head, bad: null });
  });

  it('tells which line was changed, cut out, put in or moved', async () => {
    const forged = (line: string): string => line.replace('"by":"', '"by":"x');
    for (const [what, damaged, bad] of [
      ['changed', lines.with(2, forged(lines[2]!)), 4],
      ['the last one changed', lines.with(-1, forged(lines.at(-1)!)), undefined],
      ['cut out', lines.toSpliced(2, 1), 3],
      ['put in', lines.toSpliced(3, 0, lines[2]!), 4],
      ['moved', lines.with(2, lines[3]!).with(3, lines[2]!), 3],
      ['blank', lines.toSpliced(1, 0, '\n'), 2],
      ['the first one cut off', lines.slice(1), 1],
    ] as const) {
      writeFileSync(ledger, damaged.join(''));
      assert.equal((await verifyLedger(ledger)).bad?.line, bad, what);
    }
  });

  it('tells what was cut off at the end, or changed there, to whoever kept a head', async () => {
    const { head } = await verifyLedger(ledger);
    assert.equal((await verifyLedger(ledger, head)).bad, null);
    await issueOne(made.workspace, 'db');
    assert.equal((await verifyLedger(ledger, head)).bad, null, 'more lines came');
    writeFileSync(ledger, lines.slice(0, -1).join(''));
    assert.match((await verifyLedger(ledger, head)).bad!.problem, /lines were cut off/);
  });

  it('does not count what stands behind the last newline', async () => {
    appendFileSync(ledger, '{"event":"iss');
    assert.deepEqual((await verifyLedger(ledger)).bad, null);
    writeFileSync(ledger, '');
    assert.equal((await verifyLedger(ledger)).bad?.line, 1);
    await failure('FILE_NOT_FOUND', () => verifyLedger(`${ledger}.none`));
  });
});
