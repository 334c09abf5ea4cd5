import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { stripVTControlCharacters } from 'node:util';
import { CRL_VALIDITY } from '../../../src/authority/revocation/crl.js';
import { readLedger } from '../../../src/authority/ledger/ledger.js';
import { listCertificates } from '../../../src/authority/ledger/list.js';
import { SERVICE_REASONS } from '../../../src/authority/revocation/revoke.js';
import { revokedView } from '../../../src/authority/views.js';
import { DAY } from '../../../src/base/duration.js';
import { countRevoked, findRevoked } from '../../../src/pki/crl.js';
import { generateKey, privateKeyToPem } from '../../../src/pki/key.js';
import { renderRevoked } from '../../../src/render/authority.js';
import { AT } from '../../support/chains.js';
import { assertWhole, by, clock, clockAt, failure, issueOne, newWorkspace, revoke, rootCrl, rootId, text } from '../support.js';

describe('revoke', () => {
  let made: ReturnType<typeof newWorkspace>;
  beforeEach(() => {
    made = newWorkspace();
  });
  afterEach(() => made.remove());
  const issue = async (name: string, at = clock, validity?: number) =>
    (await issueOne(made.workspace, { name, ...(validity === undefined ? {} : { validity }) }, at)).entry;
  const revokeOne = (target: string, at = clock) => revoke(made.workspace, target, 'keyCompromise', at);
  const isInCrl = (serial: string): boolean => findRevoked(rootCrl(made.workspace.paths), serial) !== undefined;

  it('notes it in the ledger and says it in a new CRL, of a higher number', async () => {
    const entry = await issue('api');
    const other = await issue('web');
    const { revoked, already, crl } = await revokeOne('api', clockAt(DAY));
    assert.deepEqual([revoked, already, crl.number], [[entry], [], '02']);
    const [at, issuer] = [new Date(AT.getTime() + DAY), rootId(made.workspace.paths)];
    assert.deepEqual(readLedger(made.workspace.paths.ledger).slice(-2), [
      { event: 'revoked', at, by, serial: entry.serial, issuer, notAfter: entry.notAfter, reason: 'keyCompromise' },
      { event: 'crl', at, by, issuer, number: 2 },
    ]);
    assert.deepEqual([isInCrl(entry.serial), isInCrl(other.serial)], [true, false]);
    assert.deepEqual(rootCrl(made.workspace.paths).der, crl.der);
    assertWhole(made.workspace);
  });

  it('takes reasons by the names that RFC 5280 gives them', async () => {
    const expected = [
      'unspecified',
      'keyCompromise',
      'affiliationChanged',
      'superseded',
      'cessationOfOperation',
      'certificateHold',
      'privilegeWithdrawn',
    ];
    assert.deepEqual([...SERVICE_REASONS], expected);
    for (const reason of SERVICE_REASONS) {
      const { serial } = await issue('api');
      await revoke(made.workspace, serial, reason, clock);
      assert.equal(findRevoked(rootCrl(made.workspace.paths), serial)?.reason ?? 'unspecified', reason);
    }
  });

  it('of a service takes all that is still alive of it', async () => {
    const ended = await issue('api', clock, DAY);
    const alive = [await issue('api'), await issue('api')];
    const { revoked } = await revokeOne('api', clockAt(2 * DAY));
    assert.deepEqual(revoked, alive);
    assert.equal(isInCrl(ended.serial), false);
  });

  it('of a service of which nothing is alive takes the last', async () => {
    await issue('api', clock, DAY);
    const last = await issue('api', clock, DAY);
    assert.deepEqual((await revokeOne('api', clockAt(2 * DAY))).revoked, [last]);
    assert.equal(isInCrl(last.serial), true);
  });

  describe('twice, for another reason,', () => {
    const again = async (before: (typeof SERVICE_REASONS)[number], now: (typeof SERVICE_REASONS)[number]) => {
      const entry = await issue('api');
      await revoke(made.workspace, 'api', before, clock);
      const result = await revoke(made.workspace, entry.serial, now, clockAt(DAY));
      return { entry, result, inCrl: findRevoked(rootCrl(made.workspace.paths), entry.serial) };
    };

    for (const [before, now] of [
      ['certificateHold', 'keyCompromise'],
      ['certificateHold', 'unspecified'],
      ['unspecified', 'keyCompromise'],
      ['unspecified', 'superseded'],
    ] as const)
      it(`${before} gives way to ${now}, and the day stays`, async () => {
        const { entry, result, inCrl } = await again(before, now);
        const { serial: revoked, notAfter, issuer } = entry;
        const earlier = { event: 'revoked', at: AT, by, serial: revoked, issuer, notAfter, reason: before } as const;
        assert.deepEqual([result.revoked, result.changed, result.already], [[], [{ issued: entry, revocation: earlier }], []]);
        const at = new Date(AT.getTime() + DAY);
        assert.deepEqual(readLedger(made.workspace.paths.ledger).slice(-2), [
          { ...earlier, at, reason: now },
          { event: 'crl', at, by, issuer, number: 3 },
        ]);
        assert.deepEqual([inCrl?.reason ?? 'unspecified', inCrl?.date], [now, AT.getTime()]);
        assert.equal(countRevoked(result.crl), 1, 'one entry for one certificate');
        const [listed] = listCertificates(made.workspace, clockAt(DAY)).slice(-1);
        assert.deepEqual(listed?.revoked, { at: '2026-06-01T12:00:00Z', reason: now });
        const view = revokedView(result, now);
        const { name, serial } = view.changed[0]!;
        assert.deepEqual(view.changed, [{ name: 'api', serial, reason: now, before, at: '2026-06-01T12:00:00Z' }]);
        assert.match(
          stripVTControlCharacters(renderRevoked(view)),
          new RegExp(`^. ${name} ${serial} was revoked 2026-06-01 \\(${before}\\), now for another reason \\(${now}\\)\n`),
        );
        assertWhole(made.workspace);
      });

    for (const [before, now] of [
      ['certificateHold', 'certificateHold'],
      ['unspecified', 'unspecified'],
      ['unspecified', 'certificateHold'],
      ['superseded', 'keyCompromise'],
      ['keyCompromise', 'certificateHold'],
    ] as const)
      it(`${before} stays, asked for ${now}`, async () => {
        const { result, inCrl } = await again(before, now);
        assert.deepEqual([result.revoked, result.changed, result.already.map(({ revocation }) => revocation.reason)], [[], [], [before]]);
        assert.equal(inCrl?.reason ?? 'unspecified', before);
        assert.equal(result.crl.number, '02');
      });
  });

  it('twice is no error: the first reason and time stay, and no new CRL is signed', async () => {
    const entry = await issue('api');
    const first = await revokeOne('api');
    const before = text(made.workspace.paths.ledger);
    const second = await revoke(made.workspace, 'api', 'superseded', clockAt(DAY));
    assert.deepEqual(second.revoked, []);
    assert.deepEqual(second.already, [
      {
        issued: entry,
        revocation: {
          ...{ event: 'revoked', at: AT, by, serial: entry.serial },
          ...{ issuer: entry.issuer, notAfter: entry.notAfter, reason: 'keyCompromise' },
        },
      },
    ]);
    assert.deepEqual([second.crl.der, text(made.workspace.paths.ledger)], [first.crl.der, before]);
    const view = revokedView(second, 'superseded');
    assert.deepEqual(
      [view.revoked, view.already[0]?.reason, view.already[0]?.at, view.crls[0]!.revoked],
      [[], 'keyCompromise', '2026-06-01T12:00:00Z', 1],
    );
    assert.deepEqual(
      revokedView(first, 'keyCompromise').revoked.map(({ name, reason }) => [name, reason]),
      [['api', 'keyCompromise']],
    );
  });

  it('twice signs a CRL all the same where it does not stand there, or half of its time is over', async () => {
    const { crl } = made.workspace.paths.root;
    const silent = text(crl);
    const { serial } = await issue('api');
    await revokeOne('api');
    for (const spoil of [() => rmSync(crl), () => writeFileSync(crl, 'x'), () => writeFileSync(crl, silent)]) {
      spoil();
      const { already } = await revokeOne('api');
      assert.deepEqual([already.length, isInCrl(serial)], [1, true]);
    }
    const late = await revokeOne('api', clockAt(CRL_VALIDITY / 2 + 1_000));
    assert.deepEqual([late.crl.number, late.crl.thisUpdate], ['06', AT.getTime() + CRL_VALIDITY / 2 + 1_000]);
    assertWhole(made.workspace);
  });

  it('of the newer of two certificates leaves the earlier, and the other way round', async () => {
    const [first, second] = [await issue('api'), await issue('api')];
    assert.deepEqual((await revokeOne(first.serial)).revoked, [first]);
    assert.deepEqual([isInCrl(first.serial), isInCrl(second.serial)], [true, false]);
    const rest = await revokeOne('api');
    assert.deepEqual([rest.revoked, rest.already.map(({ issued }) => issued)], [[second], [first]]);
  });

  it('takes a serial number as people write it: with colons, in capitals, with 0x, with leading zeros or without', async () => {
    const { serial } = await issue('api');
    const colons = serial.match(/../g)!.join(':');
    const bare = BigInt(`0x${serial}`).toString(16);
    const spellings = [
      serial,
      serial.toUpperCase(),
      colons,
      colons.toUpperCase(),
      `0x${bare}`,
      `0X${bare.toUpperCase()}`,
      bare,
      `0000${bare}`,
    ];
    for (const [i, spelling] of spellings.entries()) {
      const { revoked, already } = await revokeOne(spelling);
      assert.deepEqual(
        [...revoked, ...already.map(({ issued }) => issued)].map((entry) => entry.serial),
        [serial],
        spelling,
      );
      assert.equal(revoked.length, i === 0 ? 1 : 0);
    }
  });

  it('by its serial number takes one that has ended as well', async () => {
    const ended = await issue('api', clock, DAY);
    await issue('api');
    assert.deepEqual((await revokeOne(ended.serial, clockAt(2 * DAY))).revoked, [ended]);
  });

  it('takes a service by its name, though the name could be a serial number', async () => {
    const entry = await issue('abc');
    assert.deepEqual((await revokeOne('abc')).revoked, [entry]);
  });

  it('of what the ledger does not know changes nothing', async () => {
    await issue('api');
    const {
      ledger,
      root: { crl },
    } = made.workspace.paths;
    const before = [text(ledger), text(crl)];
    for (const target of ['web', '00', 'ab', '', '0x', 'api2', 'f'.repeat(64), 'f'.repeat(65), '../api', 'API'])
      assert.deepEqual((await failure('SERIAL_NOT_FOUND', () => revokeOne(target))).hints, ['mtls list --all']);
    assert.deepEqual([text(ledger), text(crl)], before);
  });

  it('needs the key of the CA, and notes nothing without it', async () => {
    await issue('api');
    const {
      ledger,
      root: { key: rootKey },
    } = made.workspace.paths;
    const before = text(ledger);
    writeFileSync(rootKey, privateKeyToPem(generateKey('ecdsa-p256')));
    await failure('KEY_MISMATCH', () => revokeOne('api'));
    assert.equal(text(ledger), before);
  });
});
