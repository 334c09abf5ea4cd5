import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { releaseCertificates, revokeCertificates } from '../../../src/authority/revocation/revoke.js';
import { refreshCrls } from '../../../src/authority/revocation/crl.js';
import type { KeyKind } from '../../../src/authority/ledger/ledger-index.js';
import { SMALL, type LedgerView, viewLedger, wholeView } from '../../../src/authority/ledger/ledger-view.js';
import {
  GENESIS,
  type Issued,
  type LedgerEntry,
  appendLedger,
  lineHash,
  newLedger,
  readLedger,
} from '../../../src/authority/ledger/ledger.js';
import { OcspSource } from '../../../src/authority/revocation/ocsp-source.js';
import { nullLog } from '../../../src/base/log.js';
import { findRevoked } from '../../../src/pki/crl.js';
import { AT } from '../../support/chains.js';
import { failure } from '../../support/failure.js';
import { temporaryDirectory } from '../../support/material.js';
import { injectFaults } from '../faults.js';
import type { ViewTask } from '../index-child.js';
import { childProcesses, reportOf } from '../processes.js';
import { by, clock, issueOne, newWorkspace, rootCrl, rootId, unix } from '../support.js';

const KEYS: readonly KeyKind[] = ['name', 'serial', 'sha256', 'renews'];

/** `count` certificates of a third as many services, each but the first of a service renewing the one before; some revoked. */
function history(count: number, from = 0, issuer = 'cd'): LedgerEntry[] {
  const services = Math.ceil(count / 3);
  const serialOf = (i: number): string => (i % 7 === 0 ? `00${'c'.repeat(26)}` : '4'.repeat(28)) + (i + 0x1000).toString(16);
  return Array.from({ length: count }, (_, at): LedgerEntry[] => {
    const i = from + at;
    const name = `s${i % services}`;
    const entry: Issued = {
      ...{ event: 'issued', at: AT, by, serial: serialOf(i), issuer, name, namespace: 'default', profile: 'peer' },
      ...{
        uri: `spiffe://shop.test/ns/default/sa/${name}`,
        dns: [name],
        ip: [],
        notBefore: AT,
        notAfter: new Date('2027-06-01T12:00:00Z'),
      },
      sha256: lineHash(String(i)),
      ...(i < services ? {} : { renews: serialOf(i - services) }),
    };
    if (i % 100 !== 50) return [entry];
    const { serial, notAfter } = entry;
    const revoked: LedgerEntry = { event: 'revoked', at: AT, by, serial, issuer, notAfter, reason: 'certificateHold' };
    return [entry, revoked, ...(i % 200 === 50 ? [{ event: 'released' as const, at: AT, by, serial, issuer }] : [])];
  }).flat();
}

const LONG = history(3_000);

/** An index that was changed, with the check that belongs to it then. */
function sealed(index: Buffer, change: (index: Buffer) => void): Buffer {
  const changed = Buffer.from(index);
  change(changed);
  const front = changed.subarray(104, 104 + 8 * 2 ** changed[36]! + 6 * changed.readUInt32LE(28));
  createHash('sha256').update(changed.subarray(0, 72)).update(front).digest().copy(changed, 72);
  return changed;
}

describe('the index of a ledger', function () {
  this.timeout(60_000);
  let directory: ReturnType<typeof temporaryDirectory>;
  let paths: { readonly ledger: string; readonly ledgerIndex: string };
  beforeEach(() => {
    directory = temporaryDirectory();
    paths = { ledger: directory.file('ledger.jsonl', newLedger(LONG)), ledgerIndex: join(directory.path, 'ledger.index') };
  });
  afterEach(() => directory.remove());

  const whole = (): LedgerView => wholeView(readLedger(paths.ledger));
  const indexBytes = (): Buffer => readFileSync(paths.ledgerIndex);

  /** Answers as whoever reads all of it does, for what is there and what is not. */
  function assertRight(view = viewLedger(paths), expected = whole()): void {
    assert.deepEqual(view.others, expected.others);
    for (const entry of history(40, 2_980).flatMap((one) => (one.event === 'issued' ? [one] : [])))
      for (const key of KEYS) assert.deepEqual(view.issued(key, entry[key] ?? 'none'), expected.issued(key, entry[key] ?? 'none'), key);
  }

  /** An issued line without its meaning: whoever reads the whole finds it. */
  function spoil(at: number): void {
    const lines = readFileSync(paths.ledger, 'utf8').split('\n');
    lines[at] = lines[at]!.replace('"issued"', '"issuad"');
    writeFileSync(paths.ledger, lines.join('\n'));
  }
  const lineOf = (name: string): number => LONG.findIndex((entry) => entry.event === 'issued' && entry.name === name);

  unix('is written by the first who needs it, for nobody else to read, and used by the next', async () => {
    assertRight();
    assert.equal(statSync(paths.ledgerIndex).mode & 0o777, 0o600);
    const before = indexBytes();
    assertRight();
    assert.ok(indexBytes().equals(before));
    // who does not read the line does not meet it
    spoil(lineOf('s7'));
    assert.equal(viewLedger(paths).issued('name', 's8').length, 3);
    assert.equal(viewLedger(paths).others.length, LONG.filter(({ event }) => event !== 'issued').length);
    const { facts } = await failure('LEDGER_CORRUPT', () => viewLedger(paths).issued('name', 's7'), /"issuad"/);
    assert.equal(facts.line, lineOf('s7') + 1);
  });

  it('is not written for a short ledger', () => {
    writeFileSync(paths.ledger, newLedger(history(1_000)));
    assert.ok(statSync(paths.ledger).size < SMALL);
    assertRight();
    assert.ok(!existsSync(paths.ledgerIndex));
  });

  it('finds what was appended since, and is written again when that is much', async () => {
    viewLedger(paths);
    const before = indexBytes();
    appendLedger(paths.ledger, history(20, 3_000));
    assertRight();
    assert.ok(indexBytes().equals(before));
    appendLedger(paths.ledger, history(1_000, 3_020));
    assertRight();
    assert.ok(indexBytes().length > before.length);
    assertRight();
    const extended = viewLedger(paths);
    rmSync(paths.ledgerIndex);
    assertRight(extended, viewLedger(paths));
    appendFileSync(paths.ledger, '{"event":"issuad"}\n');
    const { facts } = await failure('LEDGER_CORRUPT', () => viewLedger(paths));
    assert.equal(facts.line, readFileSync(paths.ledger, 'utf8').split('\n').length - 1);
  });

  it('is not that of the ledger that was put back, be it older, newer or of another workspace', () => {
    const copy = join(directory.path, 'copy');
    const before = readFileSync(paths.ledger);
    viewLedger(paths);
    copyFileSync(paths.ledgerIndex, copy);
    const others = [
      before.subarray(0, before.lastIndexOf(10, before.length - 200_000) + 1),
      newLedger(history(3_000, 7)),
      newLedger(history(3_500)),
    ];
    for (const other of others) {
      writeFileSync(paths.ledger, other);
      copyFileSync(copy, paths.ledgerIndex);
      assertRight();
      assert.ok(!indexBytes().equals(readFileSync(copy)));
    }
    // of the same length, and with other names
    writeFileSync(paths.ledger, newLedger(LONG).replaceAll('"name":"s', '"name":"t'));
    copyFileSync(copy, paths.ledgerIndex);
    assert.equal(viewLedger(paths).issued('name', 't5').length, 3);
    // an index that is behind fits
    writeFileSync(paths.ledger, before);
    appendLedger(paths.ledger, history(9, 3_000));
    copyFileSync(copy, paths.ledgerIndex);
    assertRight();
    assert.ok(indexBytes().equals(readFileSync(copy)));
  });

  it('knows nothing of a torn line, nor of what was taken back', () => {
    appendFileSync(paths.ledger, '{"event":"issued","at":"2026');
    assertRight();
    const size = statSync(paths.ledger).size;
    appendLedger(paths.ledger, history(3, 3_000));
    assertRight();
    rmSync(paths.ledgerIndex);
    viewLedger(paths);
    truncateSync(paths.ledger, size - 1_000);
    assertRight();
  });

  it('counts octets, whoever wrote what', () => {
    const entries = LONG.map((entry) => ({ ...entry, by: 'Jürgen 🔑' }));
    const bytes = Buffer.from(newLedger(entries));
    // a name that is no UTF-8
    bytes[bytes.indexOf('ürgen') + 1] = 0xff;
    writeFileSync(paths.ledger, bytes);
    assertRight();
    assertRight();
  });

  it('that was changed or cut off anywhere makes no answer wrong', () => {
    viewLedger(paths);
    const good = indexBytes();
    const expected = whole();
    const places = [...Array(104).keys(), ...Array.from({ length: 60 }, (_, i) => 104 + i * Math.floor((good.length - 104) / 60))];
    for (const at of places) {
      const changed = Buffer.from(good);
      changed[at]! ^= 0x5a;
      writeFileSync(paths.ledgerIndex, changed);
      const view = viewLedger(paths);
      assert.deepEqual(view.others, expected.others, `octet ${at}`);
      for (const name of ['s1', 's999']) assert.deepEqual(view.issued('name', name), expected.issued('name', name), `octet ${at}`);
    }
    const emptied = Buffer.from(good).fill(0, good.length / 2);
    // one revocation instead of another
    const others = 104 + 8 * 2 ** good[36]!;
    const twice = Buffer.from(good);
    good.copy(twice, others, others + 6, others + 12);
    // made by somebody who knows how
    const beyond = sealed(good, (index) => index.fill(0x7f, 16, 22));
    const elsewhere = sealed(good, (index) => index.writeUIntLE(0, others, 6));
    const endless = sealed(good, (index) => index.fill(0xff, 28, 37));
    for (const bytes of [
      emptied,
      twice,
      beyond,
      elsewhere,
      endless,
      Buffer.alloc(0),
      good.subarray(0, 16),
      good.subarray(0, 104),
      good.subarray(0, -1),
      Buffer.concat([good, good]),
    ]) {
      writeFileSync(paths.ledgerIndex, bytes);
      assertRight();
      assert.ok(indexBytes().equals(good));
    }
  });

  it('of a ledger that was written anew beneath it is made anew', async () => {
    const view = viewLedger(paths);
    const [{ serial }] = view.issued('name', 's7') as [Issued];
    writeFileSync(paths.ledger, newLedger(history(3_000, 1)));
    assert.deepEqual(view.issued('serial', serial), whole().issued('serial', serial));
    spoil(1);
    await failure('LEDGER_CORRUPT', () => view.issued('name', 's2'));
  });

  it('that cannot be written is done without', () => {
    mkdirSync(paths.ledgerIndex);
    writeFileSync(join(paths.ledgerIndex, 'full'), '');
    assertRight();
    rmSync(paths.ledgerIndex, { recursive: true });
    for (const fault of ['EROFS', 'ENOSPC', 'EIO'] as const)
      for (let at = 0; at < 6; at++) {
        rmSync(paths.ledgerIndex, { force: true });
        const { restore } = injectFaults({ fault, at, lasting: true });
        try {
          assert.equal(viewLedger(paths).issued('name', 's1').length, 3);
        } finally {
          restore();
        }
        assertRight();
      }
  });

  it('is there whole or not at all, killed at any instant', async () => {
    const children = await childProcesses<ViewTask>('index-child.ts');
    try {
      const task: ViewTask = { act: 'view', ...paths };
      const { calls } = reportOf(await children.run(task));
      assert.ok(calls.includes('renameSync'));
      const good = indexBytes();
      for (const [at, call] of calls.entries())
        for (const fault of call === 'writeFileSync' ? (['kill', 'tear'] as const) : (['kill'] as const)) {
          rmSync(paths.ledgerIndex, { force: true });
          assert.deepEqual(await children.run({ ...task, strike: { fault, at } }), { killed: true });
          assert.ok(!existsSync(paths.ledgerIndex) || indexBytes().equals(good), `${fault} at ${call}`);
          assertRight();
        }
    } finally {
      children.remove();
    }
  });
});

describe('a workspace with a long ledger', function () {
  this.timeout(60_000);
  let made: ReturnType<typeof newWorkspace>;
  const last = (): string => readFileSync(made.workspace.paths.ledger, 'utf8').trimEnd().split('\n').at(-1)!;
  beforeEach(async () => {
    made = newWorkspace();
    const { paths } = made.workspace;
    await issueOne(made.workspace, 'api');
    appendLedger(paths.ledger, history(3_000, 0, rootId(paths)));
    assert.notEqual(lineHash(last()), GENESIS);
  });
  afterEach(() => made.remove());

  it('revokes, lifts a hold and signs CRLs by its index, of all that is revoked', async () => {
    const { workspace } = made;
    const { paths } = workspace;
    const held = history(3_000).flatMap((entry) => (entry.event === 'revoked' ? [entry.serial] : []));
    const { revoked } = await revokeCertificates(workspace, { what: 's5' }, 'keyCompromise', clock);
    assert.equal(revoked.length, 3);
    assert.ok(existsSync(paths.ledgerIndex));
    const { released } = await releaseCertificates(workspace, { what: `0x00${held[1]!}` }, clock);
    assert.equal(released[0]?.serial, held[1]);
    await refreshCrls(workspace, clock);
    const crl = rootCrl(paths);
    for (const { serial } of revoked) assert.equal(findRevoked(crl, serial)?.reason, 'keyCompromise');
    // every other hold was lifted at once
    for (const [i, serial] of held.entries()) assert.equal(findRevoked(crl, serial) !== undefined, i % 2 === 1 && i !== 1, serial);
  });

  it('signs nothing when the CRL that stands there knows more', async () => {
    const { workspace } = made;
    const { paths } = workspace;
    const before = readFileSync(paths.ledger);
    await revokeCertificates(workspace, { what: 's5' }, 'keyCompromise', clock);
    writeFileSync(paths.ledger, before);
    await failure('LEDGER_CORRUPT', () => refreshCrls(workspace, clock), /entries are lost/);
  });

  it('is answered for over OCSP', async () => {
    const { workspace } = made;
    const { serial } = (await revokeCertificates(workspace, { what: 's5' }, 'keyCompromise', clock)).revoked[0]!;
    const [authority] = await new OcspSource(workspace, nullLog).authoritiesAt(AT);
    const statusOf = (asked: string): string => authority!.statusOf(asked).status;
    const api = readLedger(workspace.paths.ledger).find((entry) => entry.event === 'issued' && entry.name === 'api') as Issued;
    assert.deepEqual([statusOf(api.serial), statusOf(serial), statusOf('7f')], ['good', 'revoked', 'unknown']);
  });

  it('leaves no half-written index behind: whoever holds the lock sweeps it', async () => {
    const { authority } = made.workspace.paths;
    writeFileSync(join(authority, '.mtls-0123456789ab.tmp'), 'torn');
    await revokeCertificates(made.workspace, { what: 's5' }, 'superseded', clock);
    assert.deepEqual(
      readdirSync(authority).filter((name) => name.startsWith('.')),
      [],
    );
  });
});
