import assert from 'node:assert/strict';
import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { refreshCrls, readWorkspaceCrls } from '../../../src/authority/revocation/crl.js';
import { casOf } from '../../../src/authority/cas/cas.js';
import { initializeWorkspace } from '../../../src/authority/cas/initialize.js';
import { issueCertificates } from '../../../src/authority/issue/issue.js';
import { readLedger } from '../../../src/authority/ledger/ledger.js';
import { revokeCertificates } from '../../../src/authority/revocation/revoke.js';
import { burnRoot, sealRoot, unsealRoot } from '../../../src/authority/cas/seal.js';
import { type Workspace, servicePaths } from '../../../src/authority/workspace.js';
import { MtlsError } from '../../../src/errors.js';
import { findRevoked } from '../../../src/pki/crl.js';
import { isEncryptedKey, isKeyOf, readPrivateKey } from '../../../src/pki/key.js';
import { readCertificates } from '../../../src/pki/material.js';
import { verify } from '../../../src/validate/verify.js';
import { openssl } from '../../pki/other-tools.js';
import { AT, DAY, shifted } from '../../support/chains.js';
import { failure } from '../../support/failure.js';
import { temporaryDirectory } from '../../support/material.js';
import { needs } from '../../support/programs.js';
import { injectFaults } from '../faults.js';
import { type KeyTask, perform, workspaceAt } from '../key-child.js';
import { killEverywhere } from '../killing.js';

const clock = (): Date => AT;
const unix = process.platform === 'win32' ? it.skip : it;

describe('a root key that is kept elsewhere', function () {
  this.timeout(60_000);
  const directory = temporaryDirectory();
  after(directory.remove);

  let made = 0;
  /** A workspace, beside it a place for what leaves it. */
  function newPlace(options: Partial<Parameters<typeof initializeWorkspace>[0]> = {}): string {
    const place = join(directory.path, String(made++));
    mkdirSync(place);
    initializeWorkspace({ directory: join(place, '.mtls'), trustDomain: 'shop.test', issuingCa: true, clock, ...options });
    return place;
  }
  const at = (place: string, passphrase?: string): Workspace => workspaceAt(join(place, '.mtls'), passphrase);
  const rootOf = (workspace: Workspace) => casOf(workspace.paths)[0];
  const rootCrl = (workspace: Workspace) => readWorkspaceCrls(workspace.paths)[0];
  const events = (workspace: Workspace) => readLedger(workspace.paths.ledger).map(({ event }) => event);
  const assertIsRoot = (file: string, workspace: Workspace, passphrase?: string): void =>
    assert.ok(isKeyOf(readPrivateKey(readFileSync(file), file, passphrase), rootOf(workspace).certificate.publicKey), file);

  describe('sealed', () => {
    let place: string;
    let workspace: Workspace;
    let file: string;
    before(async () => {
      place = newPlace();
      workspace = at(place);
      file = join(place, 'root.key');
      const { crl, key } = await sealRoot(workspace, { out: file, passphrase: 'open sesame' }, clock);
      assert.deepEqual([key, crl.der], [file, rootCrl(workspace).der]);
    });

    it('is in the file under its passphrase, and in the workspace no more', () => {
      assert.equal(existsSync(workspace.paths.root.key), false);
      assert.equal(isEncryptedKey(readFileSync(file)), true);
      assertIsRoot(file, workspace, 'open sesame');
      assert.deepEqual(events(workspace).slice(-2), ['crl', 'sealed']);
    });

    unix('nobody else can read the file', () => assert.equal(statSync(file).mode & 0o777, 0o600));

    describe('by openssl', () => {
      before(needs('openssl'));
      it('is read from it', () => {
        const publicKey = openssl(['pkey', '-in', file, '-passin', 'pass:open sesame', '-pubout']);
        assert.equal(publicKey, openssl(['x509', '-in', workspace.paths.root.certificate, '-noout', '-pubkey']));
        assert.throws(() => openssl(['pkey', '-in', file, '-passin', 'pass:wrong', '-noout']));
      });
    });

    it('leaves a CRL that is in force for a year', () => {
      assert.equal(rootCrl(workspace).nextUpdate, AT.getTime() + 365 * DAY);
    });

    it('lets services be issued and verified until then', async () => {
      const later = shifted(360 * DAY);
      await issueCertificates(workspace, [{ name: 'api' }], () => later);
      const [leaf, ...intermediates] = readCertificates(servicePaths(workspace, 'api').certificate);
      const roots = [rootOf(workspace).certificate];
      const verdict = verify({ leaf: leaf!, intermediates, roots, crls: readWorkspaceCrls(workspace.paths), at: later });
      assert.deepEqual([verdict.valid, verdict.errors], [true, []]);
      await revokeCertificates(workspace, { what: 'api' }, 'superseded', () => later);
      assert.ok(findRevoked(readWorkspaceCrls(workspace.paths)[1]!, leaf!.serial));
    });

    it('is missed by whoever would revoke the issuing CA', async () => {
      const { serial } = casOf(workspace.paths)[1]!.certificate;
      await failure('CA_KEY_AWAY', () => revokeCertificates(workspace, { what: serial }, 'keyCompromise', clock));
    });

    it('cannot be sealed again', () => failure('CA_KEY_AWAY', () => sealRoot(workspace, { out: `${file}2`, passphrase: 'x' }, clock)));
  });

  it('is not moved when nobody but the root could sign', async () => {
    const place = newPlace({ issuingCa: false });
    const { hints } = await failure('NO_ISSUING_CA', () => sealRoot(at(place), { out: join(place, 'root.key'), passphrase: 'x' }, clock));
    assert.match(hints.join(), /init --issuing-ca/);
    await failure('NO_ISSUING_CA', () => burnRoot(at(place), clock));
    assert.ok(existsSync(at(place).paths.root.key));
  });

  it('is not moved when the key of the issuing CA is away', async () => {
    const place = newPlace();
    const { paths } = at(place);
    rmSync(paths.issuing.key);
    await failure('CA_KEY_AWAY', () => sealRoot(at(place), { out: join(place, 'root.key'), passphrase: 'x' }, clock), /issuing/);
    assert.ok(existsSync(paths.root.key));
  });

  it('is not put over a file that is there, into the workspace, or where it would lie open', async () => {
    const place = newPlace();
    const workspace = at(place);
    const out = join(place, 'root.key');
    for (const content of ['something else', '', readFileSync(workspace.paths.root.key), readFileSync(workspace.paths.issuing.key)]) {
      writeFileSync(out, content, { mode: 0o600 });
      await failure('FILE_EXISTS', () => sealRoot(workspace, { out, passphrase: 'x' }, clock));
      assert.deepEqual(readFileSync(out), Buffer.from(content));
    }
    await failure('VALUE_INVALID', () => sealRoot(workspace, { out: join(place, '.mtls', 'sealed.key'), passphrase: 'x' }, clock), /--out/);
    await failure('PASSPHRASE_MISSING', () => sealRoot(workspace, { out: `${out}2` }, clock));
    await failure('FILE_NOT_WRITABLE', () => sealRoot(workspace, { out: join(place, 'no', 'such'), passphrase: 'x' }, clock));
    assert.deepEqual(events(workspace), ['ca', 'crl', 'ca', 'crl'], 'nothing was changed');
    assertIsRoot(workspace.paths.root.key, workspace);
  });

  it('that is encrypted leaves as it is, or under a new passphrase', async () => {
    for (const fresh of [undefined, 'new']) {
      const place = newPlace({ passphrase: 'old' });
      const kept = readFileSync(at(place).paths.root.key);
      const out = join(place, 'root.key');
      await failure('PASSPHRASE_WRONG', () => sealRoot(at(place, 'wrong'), { out }, clock));
      assert.equal(existsSync(out), false);
      await sealRoot(at(place, 'old'), { out, ...(fresh === undefined ? {} : { passphrase: fresh }) }, clock);
      assert.equal(readFileSync(out).equals(kept), fresh === undefined);
      assertIsRoot(out, at(place), fresh ?? 'old');
    }
  });

  it('has a CRL for as long as was asked for, and not beyond its own end', async () => {
    for (const [days, until] of [
      [730, AT.getTime() + 730 * DAY],
      [9_999, undefined],
    ] as const) {
      const place = newPlace();
      await sealRoot(at(place), { out: join(place, 'root.key'), passphrase: 'x', crlValidity: days * DAY }, clock);
      assert.equal(rootCrl(at(place)).nextUpdate, until ?? rootOf(at(place)).certificate.notAfter);
    }
  });

  it('of a root that has ended is not moved', async () => {
    const place = newPlace({ validity: 10 * DAY });
    const out = join(place, 'root.key');
    await failure('ISSUER_EXPIRED', () => sealRoot(at(place), { out, passphrase: 'x' }, () => shifted(11 * DAY)));
    assert.deepEqual([existsSync(out), existsSync(at(place).paths.root.key)], [false, true]);
  });

  describe('unsealed', () => {
    let place: string;
    let file: string;
    before(async () => {
      place = newPlace();
      file = join(place, 'root.key');
      await sealRoot(at(place), { out: file, passphrase: 'open sesame' }, clock);
    });

    it('must open, and be the key of the root', async () => {
      await failure('PASSPHRASE_WRONG', () => unsealRoot(at(place, 'wrong'), file, clock));
      await failure('KEY_ENCRYPTED', () => unsealRoot(at(place), file, clock));
      const other = newPlace();
      await failure('KEY_MISMATCH', () => unsealRoot(at(place), at(other).paths.root.key, clock));
      assert.equal(existsSync(at(place).paths.root.key), false);
      assert.equal(events(at(place)).at(-1), 'sealed');
    });

    it('is back as it was in the file, with a CRL that ends no sooner than the one before', async () => {
      const before = rootCrl(at(place));
      const { crl } = await unsealRoot(at(place, 'open sesame'), file, () => shifted(DAY));
      assert.deepEqual(readFileSync(at(place).paths.root.key), readFileSync(file));
      assert.deepEqual([crl.thisUpdate, crl.nextUpdate], [AT.getTime() + DAY, before.nextUpdate]);
      assert.deepEqual(events(at(place)).slice(-2), ['unsealed', 'crl']);
      await refreshCrls(at(place, 'open sesame'), () => shifted(2 * DAY));
      const { serial } = casOf(at(place).paths)[1]!.certificate;
      const { crls } = await revokeCertificates(at(place, 'open sesame'), { what: serial }, 'keyCompromise', () => shifted(2 * DAY));
      assert.equal(crls[0]!.ca.paths.key, at(place).paths.root.key);
    });

    it('can be sealed into the same file again', async () => {
      await sealRoot(at(place, 'open sesame'), { out: file }, () => shifted(3 * DAY));
      assert.equal(existsSync(at(place).paths.root.key), false);
    });

    it('takes no file that others can read, unless it is encrypted', async function () {
      if (process.platform === 'win32') this.skip();
      const open = newPlace();
      const key = readFileSync(at(open).paths.root.key);
      await sealRoot(at(open), { out: join(open, 'root.key'), passphrase: 'x' }, clock);
      const lax = join(open, 'lax.key');
      writeFileSync(lax, key, { mode: 0o644 });
      await failure('FILE_MODE_TOO_OPEN', () => unsealRoot(at(open), lax, clock));
      chmodSync(join(open, 'root.key'), 0o755);
      await unsealRoot(at(open, 'x'), join(open, 'root.key'), clock);
      assert.equal(statSync(at(open).paths.root.key).mode & 0o777, 0o600);
    });
  });

  it('that was burnt never comes back, and its last CRL lasts to its end', async () => {
    const place = newPlace();
    const workspace = at(place);
    const copy = join(place, 'copy.key');
    writeFileSync(copy, readFileSync(workspace.paths.root.key), { mode: 0o600 });
    await burnRoot(workspace, clock);
    assert.equal(existsSync(workspace.paths.root.key), false);
    assert.equal(rootCrl(workspace).nextUpdate, rootOf(workspace).certificate.notAfter);
    assert.equal(events(workspace).at(-1), 'burnt');
    await failure('ROOT_KEY_BURNT', () => unsealRoot(workspace, copy, clock));
    await issueCertificates(workspace, [{ name: 'api' }], clock);
  });

  /** A workspace whose keys are under a passphrase that costs little to open. */
  function cheaply(): string {
    const place = newPlace();
    for (const { key } of [at(place).paths.root, at(place).paths.issuing]) {
      const pem = readPrivateKey(readFileSync(key), key).export({
        type: 'pkcs8',
        format: 'pem',
        cipher: 'aes-256-cbc',
        passphrase: 'pass',
      });
      writeFileSync(key, pem);
    }
    return place;
  }

  const outcomeOf = (sealing: Promise<unknown>): Promise<string> =>
    sealing.then(
      () => 'sealed',
      (error: unknown) => (error instanceof MtlsError ? (error as MtlsError).code : String(error)),
    );

  it('is lost by no write that the system refuses', async () => {
    const seal = (place: string) => sealRoot(at(place, 'pass'), { out: join(place, 'root.key') }, clock);
    const whole = cheaply();
    const { calls, restore } = injectFaults();
    await seal(whole).finally(restore);
    const mutes: string[] = [];
    for (const fault of ['ENOSPC', 'EIO'] as const)
      for (const [i, call] of calls.entries()) {
        const place = cheaply();
        const { restore: mend } = injectFaults({ fault, at: i });
        const outcome = await outcomeOf(seal(place)).finally(mend);
        if (outcome === 'sealed') mutes.push(call);
        else assert.match(outcome, /^(?:DISK_FULL|FILE_NOT_WRITABLE)$/, `${fault} at ${i}, ${call}`);
        const isHere = existsSync(at(place).paths.root.key);
        assertIsRoot(isHere ? at(place).paths.root.key : join(place, 'root.key'), at(place), 'pass');
        if (isHere) await seal(place);
        assert.equal(existsSync(at(place).paths.root.key), false);
      }
    assert.ok(
      mutes.every((call) => call === 'rmSync'),
      `what is swept is in nobody's way: ${mutes.join(' ')}`,
    );
  });

  describe('while a process is killed at any instant', function () {
    this.timeout(180_000);

    const task =
      (act: KeyTask['act']) =>
      (place: string): KeyTask => ({
        ...{ act, directory: join(place, '.mtls'), now: AT.getTime(), passphrase: 'pass', file: join(place, 'root.key') },
      });

    it('is in the workspace or in the file, and seal can be done again', () =>
      killEverywhere(task('seal'), cheaply, async (again, place, wasKilled) => {
        const workspace = at(place, 'pass');
        const [here, there] = [existsSync(workspace.paths.root.key), existsSync(again.file!)];
        if (here) assertIsRoot(workspace.paths.root.key, workspace, 'pass');
        if (there) assertIsRoot(again.file!, workspace, 'pass');
        if (!here) {
          assert.equal(there, true, 'the key is lost');
          assert.equal(events(workspace).at(-1), 'sealed');
          assert.equal(rootCrl(workspace).nextUpdate, AT.getTime() + 365 * DAY);
        } else if (wasKilled) await perform(again);
        await issueCertificates(workspace, [{ name: 'api' }], clock);
        assert.equal(existsSync(workspace.paths.root.key), false);
        await perform({ ...again, act: 'unseal' });
        assertIsRoot(workspace.paths.root.key, workspace, 'pass');
      }));

    it('stays in the file, and unseal can be done again', async () => {
      const template = cheaply();
      await perform(task('seal')(template));
      const copy = (): string => {
        const place = join(directory.path, String(made++));
        cpSync(template, place, { recursive: true, verbatimSymlinks: true });
        return place;
      };
      await killEverywhere(task('unseal'), copy, async (again, place, wasKilled) => {
        const workspace = at(place, 'pass');
        assertIsRoot(again.file!, workspace, 'pass');
        if (existsSync(workspace.paths.root.key)) assertIsRoot(workspace.paths.root.key, workspace, 'pass');
        if (wasKilled) await perform(again);
        assert.ok(events(workspace).includes('unsealed'));
        const number = BigInt(`0x${rootCrl(workspace).number}`);
        const [signed] = await refreshCrls(workspace, clock);
        assert.ok(BigInt(`0x${signed!.crl.number}`) > number);
      });
    });

    it('is here, or burnt with a CRL that lasts', () =>
      killEverywhere(task('burn'), cheaply, async (again, place, wasKilled) => {
        const workspace = at(place, 'pass');
        if (wasKilled && existsSync(workspace.paths.root.key)) await perform(again);
        assert.equal(existsSync(workspace.paths.root.key), false);
        assert.ok(events(workspace).includes('burnt'));
        assert.equal(rootCrl(workspace).nextUpdate, rootOf(workspace).certificate.notAfter);
        await issueCertificates(workspace, [{ name: 'api' }], clock);
      }));
  });
});
