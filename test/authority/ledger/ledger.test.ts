import assert from 'node:assert/strict';
import { appendFileSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Issued, type LedgerEntry, appendLedger, newLedger, readLedger } from '../../../src/authority/ledger/ledger.js';
import { listCertificates } from '../../../src/authority/ledger/list.js';
import { REASONS } from '../../../src/pki/crl.js';
import { AT } from '../../support/chains.js';
import { temporaryDirectory } from '../../support/material.js';
import { by, clock, failure, issueOne, newWorkspace, refreshCrl, revoke, text, unix } from '../support.js';

const issued: Issued = {
  event: 'issued',
  at: AT,
  by,
  serial: '00ab',
  issuer: 'cd',
  name: 'api',
  namespace: 'default',
  profile: 'peer',
  uri: 'spiffe://shop.test/ns/default/sa/api',
  dns: ['api'],
  ip: [],
  notBefore: AT,
  notAfter: AT,
  sha256: '0'.repeat(64),
};
const signed: LedgerEntry = { event: 'crl', at: AT, by, issuer: 'cd', number: 2 };

describe('the ledger', () => {
  let directory: ReturnType<typeof temporaryDirectory>;
  let path: string;
  beforeEach(() => {
    directory = temporaryDirectory();
    path = directory.file('ledger.jsonl', newLedger([signed]));
  });
  afterEach(() => directory.remove());

  it('gives back what was appended, in that order', () => {
    const revoked = REASONS.flatMap((reason): LedgerEntry[] =>
      reason === undefined ? [] : [{ event: 'revoked', at: AT, by, serial: 'ff', issuer: 'cd', notAfter: AT, reason }],
    );
    appendLedger(path, [issued, signed]);
    appendLedger(path, revoked);
    assert.deepEqual(readLedger(path), [signed, issued, signed, ...revoked]);
  });

  it('is only ever appended to', async () => {
    const { workspace, remove } = newWorkspace();
    try {
      let before = readFileSync(workspace.paths.ledger);
      for (const act of [
        () => issueOne(workspace, 'api'),
        () => revoke(workspace, 'api', 'superseded', clock),
        () => refreshCrl(workspace, clock),
      ]) {
        await act();
        const after = readFileSync(workspace.paths.ledger);
        assert.ok(after.length > before.length && after.subarray(0, before.length).equals(before));
        before = after;
      }
    } finally {
      remove();
    }
  });

  unix('keeps its mode', () => {
    appendLedger(path, [issued]);
    assert.equal(statSync(path).mode & 0o777, 0o600);
  });

  it('without its last newline loses the torn line, however long, and no other', () => {
    for (const torn of ['{', '{"event":"issued","at":', 'x'.repeat(10_000), '{"event":"crl","at":"2026-06-01T12:00:00Z","number":3}']) {
      writeFileSync(path, `${JSON.stringify(issued)}\n`);
      appendFileSync(path, torn);
      assert.deepEqual(readLedger(path), [issued]);
      appendLedger(path, [signed]);
      assert.deepEqual(readLedger(path), [issued, signed]);
    }
  });

  it('without any entry was emptied by somebody: init writes the first', async () => {
    for (const emptied of ['', 'x'.repeat(10_000)]) {
      writeFileSync(path, emptied);
      await failure('LEDGER_CORRUPT', () => readLedger(path), /at least the entry that init writes/);
      await failure('LEDGER_CORRUPT', () => appendLedger(path, [signed]), /at least the entry that init writes/);
      assert.equal(readFileSync(path, 'utf8'), emptied);
    }
  });

  it('takes nothing behind a last line that is not one of ours', async () => {
    const corrupt = `${JSON.stringify(signed)}\n${JSON.stringify(issued)}\n{"event":"granted"}\n`;
    writeFileSync(path, corrupt);
    const error = await failure('LEDGER_CORRUPT', () => appendLedger(path, [signed]), /found "granted"/);
    assert.equal(error.facts.line, 3);
    assert.equal(readFileSync(path, 'utf8'), corrupt);
  });

  it('names the line that is not one of ours', async () => {
    const good = `${JSON.stringify(signed)}\n`;
    const wrong: Readonly<Record<string, RegExp>> = {
      '': /expected one JSON object/,
      'not json': /expected one JSON object/,
      '[]': /expected a JSON object/,
      '{"event":"crl","at":"2026-06-01T12:00:00Z"': /expected one JSON object/,
      '{"event":"granted"}': /entry event: expected issued or .*, found "granted"/,
      '{"event":"crl","at":"yesterday","number":1,"by":"me","issuer":"cd","notAfter":"2026-06-01T12:00:00Z"}':
        /entry at: expected an instant/,
      '{"event":"crl","at":"2026-06-01T12:00:00Z","number":-1,"by":"me","issuer":"cd","notAfter":"2026-06-01T12:00:00Z"}': /entry number/,
      '{"event":"revoked","at":"2026-06-01T12:00:00Z","serial":"ab","reason":"because","by":"me","issuer":"cd","notAfter":"2026-06-01T12:00:00Z"}':
        /entry reason/,
      '{"event":"revoked","at":"2026-06-01T12:00:00Z","serial":"XY","reason":"superseded","by":"me","issuer":"cd","notAfter":"2026-06-01T12:00:00Z"}':
        /serial: expected octets in hex/,
      '{"event":"revoked","at":"2026-06-01T12:00:00Z","serial":"abc","reason":"superseded","by":"me","issuer":"cd","notAfter":"2026-06-01T12:00:00Z"}':
        /serial/,
      [JSON.stringify({ ...issued, profile: 1 })]: /entry profile: expected a string/,
      [JSON.stringify({ ...issued, name: 1 })]: /entry name: expected a string/,
    };
    for (const [line, problem] of Object.entries(wrong)) {
      writeFileSync(path, `${good}${good}${line}\n${good}`);
      const error = await failure('LEDGER_CORRUPT', () => readLedger(path), problem);
      assert.deepEqual(
        [error.facts.line, error.hints],
        [3, [`sed -n 3p ${path}`, 'put the ledger back from a backup, or that line as it was']],
      );
      assert.match(error.message, /ledger\.jsonl line 3: /);
    }
  });

  it('that is corrupt is neither listed nor revoked by, and no CRL is signed', async () => {
    const { workspace, remove } = newWorkspace();
    try {
      await issueOne(workspace, 'api');
      const {
        ledger,
        root: { crl },
      } = workspace.paths;
      const before = text(crl);
      writeFileSync(ledger, text(ledger).replace('"issued"', '"issud"'));
      await failure('LEDGER_CORRUPT', () => listCertificates(workspace, clock), /line 3/);
      await failure('LEDGER_CORRUPT', () => revoke(workspace, 'api', 'superseded', clock));
      await failure('LEDGER_CORRUPT', () => refreshCrl(workspace, clock));
      assert.equal(text(crl), before);
    } finally {
      remove();
    }
  });

  it('that is lost is not begun anew: serials and numbers would be forgotten', async () => {
    const { workspace, remove } = newWorkspace();
    try {
      rmSync(workspace.paths.ledger);
      await failure('FILE_NOT_FOUND', () => issueOne(workspace, 'api'), /ledger\.jsonl/);
      await failure('FILE_NOT_FOUND', () => revoke(workspace, 'api', 'superseded', clock), /ledger\.jsonl/);
      await failure('FILE_NOT_FOUND', () => listCertificates(workspace, clock), /ledger\.jsonl/);
      await failure('FILE_NOT_WRITABLE', () => appendLedger(join(workspace.paths.root.crl, 'x'), [signed]), /no directory/);
    } finally {
      remove();
    }
  });
});
