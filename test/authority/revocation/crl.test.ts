import assert from 'node:assert/strict';
import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { CRL_VALIDITY } from '../../../src/authority/revocation/crl.js';
import { issueCertificates } from '../../../src/authority/issue/issue.js';
import { appendLedger, newLedger, readLedger } from '../../../src/authority/ledger/ledger.js';
import { listCertificates } from '../../../src/authority/ledger/list.js';
import { SERVICE_REASONS } from '../../../src/authority/revocation/revoke.js';
import { crlView } from '../../../src/authority/views.js';
import { serviceNames } from '../../../src/authority/workspace.js';
import { DAY } from '../../../src/base/duration.js';
import { countRevoked, findRevoked, revokedEntries } from '../../../src/pki/crl.js';
import { openssl } from '../../pki/other-tools.js';
import { AT } from '../../support/chains.js';
import { needs } from '../../support/programs.js';
import {
  assertWhole,
  by,
  clock,
  clockAt,
  failure,
  isCrlDue,
  issueOne,
  newWorkspace,
  refreshCrl,
  revoke,
  rootCrl,
  rootId,
  rootOf,
  text,
  unix,
} from '../support.js';

describe('the CRL of the workspace', () => {
  let made: ReturnType<typeof newWorkspace>;
  beforeEach(() => {
    made = newWorkspace();
  });
  afterEach(() => made.remove());

  it('is signed anew under a higher number, which the ledger notes', async () => {
    for (const number of [2, 3, 4]) {
      const crl = await refreshCrl(made.workspace, clockAt(number));
      assert.equal(Number(`0x${crl.number}`), number);
      assert.deepEqual(rootCrl(made.workspace.paths).der, crl.der);
      const entry = { event: 'crl', at: new Date(AT.getTime() + number), by, issuer: rootId(made.workspace.paths), number };
      assert.deepEqual(readLedger(made.workspace.paths.ledger).at(-1), entry);
    }
    assertWhole(made.workspace);
  });

  it('never uses a number twice, even when its file is lost or put back', async () => {
    const { crl } = made.workspace.paths.root;
    const first = readFileSync(crl);
    await refreshCrl(made.workspace, clock);
    writeFileSync(crl, first);
    assert.equal((await refreshCrl(made.workspace, clock)).number, '03');
    rmSync(crl);
    assert.equal((await refreshCrl(made.workspace, clock)).number, '04');
  });

  it('numbers go on beyond an octet', async () => {
    const { ledger } = made.workspace.paths;
    for (const [number, octets] of [
      [127, '0080'],
      [255, '0100'],
      [65_535, '010000'],
    ] as const) {
      writeFileSync(ledger, newLedger([{ event: 'crl', at: AT, issuer: rootId(made.workspace.paths), number }]));
      const crl = await refreshCrl(made.workspace, clock);
      assert.equal(crl.number, octets);
      assert.equal(crlView({ ca: rootOf(made.workspace.paths), crl }).number, number + 1);
    }
  });

  it('is in force for 7 days, or as long as asked, and never beyond the CA', async () => {
    const end = async (...more: [number?]) => (await refreshCrl(made.workspace, clock, ...more)).nextUpdate;
    assert.equal(await end(), AT.getTime() + CRL_VALIDITY);
    assert.equal(await end(DAY), AT.getTime() + DAY);
    assert.equal(await end(5_000 * DAY), made.root.notAfter);
  });

  it('is due when half of its time is over, or when it says no end', async () => {
    const { paths } = made.workspace;
    const due = (milliseconds: number): boolean => isCrlDue(paths, clockAt(milliseconds)());
    assert.deepEqual([due(0), due(CRL_VALIDITY / 2), due(CRL_VALIDITY / 2 + 1), due(2 * CRL_VALIDITY)], [false, false, true, true]);
    await refreshCrl(made.workspace, clock, 2 * DAY);
    assert.deepEqual([due(DAY), due(DAY + 1)], [false, true]);
    rmSync(paths.root.crl);
    assert.equal(due(0), true);
  });

  it('is due when the ledger knows a later one, or a revocation that none says', async () => {
    const { paths } = made.workspace;
    const [ledger, first] = [text(paths.ledger), text(paths.root.crl)];
    const due = (): boolean => isCrlDue(paths, AT);
    await refreshCrl(made.workspace, clock);
    assert.equal(due(), false);
    writeFileSync(paths.root.crl, first);
    assert.equal(due(), true, 'the file is an earlier one');
    writeFileSync(paths.ledger, ledger);
    assert.equal(due(), false);
    appendLedger(paths.ledger, [{ event: 'revoked', at: AT, serial: 'ab', issuer: rootId(paths), notAfter: AT, reason: 'keyCompromise' }]);
    assert.equal(due(), true, 'the line behind it was torn');
  });

  it('that a killed revoke did not show is shown by the next issue, even when others were issued since', async () => {
    const { paths } = made.workspace;
    const { serial } = (await issueOne(made.workspace, 'api')).entry;
    const silent = text(paths.root.crl);
    await revoke(made.workspace, 'api', 'keyCompromise', clock);
    await issueOne(made.workspace, 'web');
    for (const spoil of [
      () => writeFileSync(paths.root.crl, silent),
      () => rmSync(paths.root.crl),
      () => writeFileSync(paths.root.crl, ''),
    ]) {
      spoil();
      await issueOne(made.workspace, 'db');
      assert.equal(findRevoked(rootCrl(paths), serial)?.reason, 'keyCompromise');
      assertWhole(made.workspace);
    }
  });

  describe('bears witness against a ledger that has lost entries:', () => {
    let serial: string;
    beforeEach(async () => {
      ({ serial } = (await issueOne(made.workspace, 'api')).entry);
      await issueOne(made.workspace, 'web');
      await revoke(made.workspace, 'api', 'keyCompromise', clock);
    });
    /** All that writes refuses, and leaves what stands there; with the ledger of before all goes on. */
    const assertRefused = async (lost: (lines: readonly string[]) => readonly string[], problem: RegExp): Promise<void> => {
      const { paths } = made.workspace;
      const [ledger, crl] = [text(paths.ledger), text(paths.root.crl)];
      const damaged = lost(ledger.split(/(?<=\n)/)).join('');
      writeFileSync(paths.ledger, damaged);
      for (const act of [
        () => refreshCrl(made.workspace, clock),
        () => revoke(made.workspace, 'web', 'superseded', clock),
        () => issueCertificates(made.workspace, [{ name: 'db' }], clockAt(CRL_VALIDITY)),
      ]) {
        const { facts, hints } = await failure('LEDGER_CORRUPT', act, problem);
        assert.deepEqual([facts.path, hints], [paths.ledger, ['put the ledger back from a backup: what it says is nowhere else']]);
      }
      assert.deepEqual([text(paths.ledger), text(paths.root.crl), serviceNames(made.workspace)], [damaged, crl, ['api', 'web']]);
      writeFileSync(paths.ledger, ledger);
      assert.equal((await refreshCrl(made.workspace, clock)).number, '03');
    };

    it('its tail', () =>
      assertRefused((lines) => lines.slice(0, 4), /the last CRL that it knows has number 1, and .*root\.crl has number 2/));

    it('its tail, by which issue is refused at once', async () => {
      const { ledger } = made.workspace.paths;
      writeFileSync(
        ledger,
        text(ledger)
          .split(/(?<=\n)/)
          .slice(0, 4)
          .join(''),
      );
      await failure('LEDGER_CORRUPT', () => issueOne(made.workspace, 'db'), /number 1, and .* number 2/);
    });

    it('a revocation in the middle of it', () =>
      assertRefused(
        (lines) => lines.filter((line) => !line.includes('"revoked"')),
        new RegExp(`it does not say that certificate ${serial} is revoked, and .*root\\.crl does`),
      ));

    it('two of them', async () => {
      await issueOne(made.workspace, 'cache');
      await revoke(made.workspace, 'cache', 'superseded', clock);
      const { ledger } = made.workspace.paths;
      writeFileSync(ledger, text(ledger).replace(/\{"event":"revoked".*\n/g, ''));
      await failure('LEDGER_CORRUPT', () => refreshCrl(made.workspace, clock), /that 2 certificates \([0-9a-f]+, …\) are revoked/);
    });

    it('all of them', async () => {
      const { ledger } = made.workspace.paths;
      const { crl } = made.workspace.paths.root;
      const [full, before] = [text(ledger), text(crl)];
      writeFileSync(ledger, '');
      for (const act of [
        () => refreshCrl(made.workspace, clock),
        () => revoke(made.workspace, 'api', 'superseded', clock),
        () => issueOne(made.workspace, 'db'),
        () => listCertificates(made.workspace, clock),
      ])
        await failure('LEDGER_CORRUPT', act, /expected at least the entry that init writes, found none/);
      assert.deepEqual([text(ledger), text(crl)], ['', before]);
      writeFileSync(ledger, full);
      assert.equal((await refreshCrl(made.workspace, clock)).number, '03');
    });

    it('but not when somebody else signed it', async () => {
      const other = newWorkspace();
      try {
        for (const number of [2, 3, 4]) assert.equal(Number((await refreshCrl(other.workspace, clock)).number), number);
        writeFileSync(made.workspace.paths.root.crl, text(other.workspace.paths.root.crl));
        const crl = await refreshCrl(made.workspace, clock);
        assert.deepEqual([crl.number, findRevoked(crl, serial)?.reason], ['03', 'keyCompromise']);
      } finally {
        other.remove();
      }
    });
  });

  it('that is a directory is an error, and no reason for a new one', async () => {
    const { paths } = made.workspace;
    rmSync(paths.root.crl);
    await failure(
      'FILE_NOT_READABLE',
      () => isCrlDue({ ...paths, root: { ...paths.root, crl: paths.authority } }, AT),
      /it is a directory/,
    );
    await failure('FILE_NOT_FOUND', () => rootCrl(paths));
  });

  unix('may be read by everybody', async () => {
    const umask = process.umask(0);
    await refreshCrl(made.workspace, clock).finally(() => process.umask(umask));
    assert.equal(statSync(made.workspace.paths.root.crl).mode & 0o777, 0o644);
  });

  it('has what was revoked, with its reason and time; keeps for a while what has ended since', async () => {
    for (const [i, reason] of SERVICE_REASONS.entries()) {
      await issueOne(made.workspace, `s${i}`);
      await revoke(made.workspace, `s${i}`, reason, clockAt(i * 1_000));
    }
    const crl = await refreshCrl(made.workspace, clockAt(96 * DAY));
    const serials = readLedger(made.workspace.paths.ledger).flatMap((entry) => (entry.event === 'issued' ? [entry.serial] : []));
    const found = serials.map((serial) => findRevoked(crl, serial));
    // unspecified is said by saying nothing (RFC 5280 §5.3.1)
    assert.deepEqual(
      found.map((entry) => entry?.reason),
      SERVICE_REASONS.map((reason) => (reason === 'unspecified' ? undefined : reason)),
    );
    assert.deepEqual(
      found.map((entry) => entry?.date),
      SERVICE_REASONS.map((_, i) => AT.getTime() + i * 1_000),
    );
    assert.equal([...revokedEntries(crl)].length, SERVICE_REASONS.length);
    assert.equal(countRevoked(await refreshCrl(made.workspace, clockAt(98 * DAY))), 0, 'a week after their end');
    const view = crlView({ ca: rootOf(made.workspace.paths), crl });
    assert.deepEqual(
      [view.path, view.revoked, view.thisUpdate],
      [made.workspace.paths.root.crl, SERVICE_REASONS.length, '2026-09-05T12:00:00Z'],
    );
  });
});

describe('openssl reads the CRL of the workspace', function () {
  before(needs('openssl'));

  it('with its number and the reasons by their names, and refuses who is on it', async () => {
    const { workspace, remove } = newWorkspace();
    try {
      const { crl, certificate: rootCertificate } = workspace.paths.root;
      const { paths, certificate } = await issueOne(workspace, 'api');
      const other = await issueOne(workspace, 'web');
      await revoke(workspace, 'api', 'keyCompromise', clock);
      const printed = openssl(['crl', '-in', crl, '-CAfile', rootCertificate, '-verify', '-noout', '-text']);
      assert.match(printed, /X509v3 CRL Number: \n\s+2\n/);
      assert.match(printed, /X509v3 CRL Reason Code: \n\s+Key Compromise/);
      assert.match(printed, new RegExp(`Serial Number: ${certificate.serial.replace(/^00/, '')}\n`, 'i'));
      const attime = String(AT.getTime() / 1000 + 60);
      const verify = (path: string): string =>
        openssl(['verify', '-attime', attime, '-crl_check', '-CRLfile', crl, '-CAfile', rootCertificate, path]);
      assert.throws(() => verify(paths.certificate), /certificate revoked/);
      assert.match(verify(other.paths.certificate), /: OK/);
    } finally {
      remove();
    }
  });
});
