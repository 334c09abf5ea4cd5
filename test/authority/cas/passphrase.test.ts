import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { initializeWorkspace } from '../../../src/authority/cas/initialize.js';
import { issueCertificates } from '../../../src/authority/issue/issue.js';
import { changePassphrase } from '../../../src/authority/cas/passphrase.js';
import { sealRoot } from '../../../src/authority/cas/seal.js';
import type { Workspace } from '../../../src/authority/workspace.js';
import { MtlsError } from '../../../src/errors.js';
import { isEncryptedKey, readPrivateKey } from '../../../src/pki/key.js';
import { openssl } from '../../pki/other-tools.js';
import { AT } from '../../support/chains.js';
import { failure } from '../../support/failure.js';
import { temporaryDirectory } from '../../support/material.js';
import { needs } from '../../support/programs.js';
import { injectFaults } from '../faults.js';
import { type KeyTask, perform, workspaceAt } from '../key-child.js';
import { killEverywhere } from '../killing.js';

const clock = (): Date => AT;

describe('the passphrase of the CA keys', function () {
  this.timeout(60_000);
  const directory = temporaryDirectory();
  after(directory.remove);

  let made = 0;
  function newPlace(passphrase?: string): string {
    const place = join(directory.path, String(made++));
    mkdirSync(place);
    const options = { trustDomain: 'shop.test', issuingCa: true, clock, ...(passphrase === undefined ? {} : { passphrase }) };
    initializeWorkspace({ directory: join(place, '.mtls'), ...options });
    return place;
  }
  const at = (place: string, passphrase?: string): Workspace => workspaceAt(join(place, '.mtls'), passphrase);
  const keys = (place: string): string[] => [at(place).paths.root.key, at(place).paths.issuing.key];
  const assertUnder = (place: string, passphrase: string): void => {
    for (const path of keys(place)) {
      assert.equal(isEncryptedKey(readFileSync(path)), true, path);
      readPrivateKey(readFileSync(path), path, passphrase);
    }
  };

  it('is set, changed and taken away, on all keys, which stay the same and private', async () => {
    const place = newPlace();
    const publics = keys(place).map((path) => readPrivateKey(readFileSync(path), path).export({ type: 'pkcs8', format: 'der' }));
    assert.deepEqual((await changePassphrase(at(place), 'one')).changed, keys(place));
    assertUnder(place, 'one');
    await changePassphrase(at(place, 'one'), 'two');
    assertUnder(place, 'two');
    await issueCertificates(at(place, 'two'), [{ name: 'api' }], clock);
    if (process.platform !== 'win32') for (const path of keys(place)) assert.equal(statSync(path).mode & 0o777, 0o600);
    await changePassphrase(at(place, 'two'), undefined);
    const now = keys(place).map((path) => readPrivateKey(readFileSync(path), path).export({ type: 'pkcs8', format: 'der' }));
    assert.deepEqual(now, publics);
  });

  describe('by openssl', () => {
    before(needs('openssl'));
    it('opens what was written, which costs as much to guess as it should', async () => {
      const place = newPlace();
      await changePassphrase(at(place), 'pass');
      for (const path of keys(place)) {
        openssl(['pkey', '-in', path, '-passin', 'pass:pass', '-noout']);
        assert.throws(() => openssl(['pkey', '-in', path, '-passin', 'pass:other', '-noout']));
        assert.match(openssl(['asn1parse', '-in', path]), /PBKDF2[^]*:0927C0[^]*hmacWithSHA256[^]*aes-256-cbc/);
      }
    });
  });

  it('when it is wrong changes nothing, even where it opens one of the keys', async () => {
    const place = newPlace('old');
    const [root, issuing] = keys(place);
    const other = readPrivateKey(readFileSync(issuing!), issuing!, 'old');
    writeFileSync(issuing!, other.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'another' }));
    const before = keys(place).map((path) => readFileSync(path));
    const { facts } = await failure('PASSPHRASE_WRONG', () => changePassphrase(at(place, 'old'), 'new'));
    assert.equal(facts.path, issuing);
    await failure('PASSPHRASE_WRONG', () => changePassphrase(at(place, 'another'), undefined));
    await failure('KEY_ENCRYPTED', () => changePassphrase(at(place), 'new'));
    assert.deepEqual(
      keys(place).map((path) => readFileSync(path)),
      before,
    );
    assert.equal(readdirSync(at(place).paths.authority).includes('lock'), false);
    assert.equal(root, at(place).paths.root.key);
  });

  it('that is the same already changes nothing', async () => {
    const place = newPlace('same');
    assert.deepEqual(await changePassphrase(at(place, 'same'), 'same'), { changed: [], unchanged: keys(place) });
    const open = newPlace();
    assert.deepEqual(await changePassphrase(at(open), undefined), { changed: [], unchanged: keys(open) });
  });

  it('of a sealed root stays what it was', async () => {
    const place = newPlace();
    await sealRoot(at(place), { out: join(place, 'root.key'), passphrase: 'sealed' }, clock);
    const { changed } = await changePassphrase(at(place), 'new');
    assert.deepEqual(changed, [at(place).paths.issuing.key]);
    readPrivateKey(readFileSync(join(place, 'root.key')), 'root.key', 'sealed');
  });

  it('changes on no key when there is no space for all of them', async () => {
    const place = newPlace();
    const before = keys(place).map((path) => readFileSync(path));
    const whole = at(newPlace());
    const { calls, restore } = injectFaults();
    await changePassphrase(whole, 'new').finally(restore);
    const second = calls.flatMap((call, i) => (call === 'writeFileSync' ? [i] : [])).at(-1)!;
    const { restore: mend } = injectFaults({ fault: 'ENOSPC', at: second });
    try {
      await failure('DISK_FULL', () => changePassphrase(at(place), 'new'), /nothing was changed/);
    } finally {
      mend();
    }
    assert.deepEqual(
      keys(place).map((path) => readFileSync(path)),
      before,
    );
    assert.deepEqual(readdirSync(at(place).paths.authority).sort(), readdirSync(at(newPlace()).paths.authority).sort());
  });

  it('is on each key the old or the new one when a process is killed, and the same call finishes', async function () {
    this.timeout(240_000);
    const task = (place: string): KeyTask => ({
      ...{ act: 'passphrase', directory: join(place, '.mtls'), now: AT.getTime(), passphrase: 'old', fresh: 'new' },
    });
    /** Encrypted so that it costs little to open. */
    const cheaply = (): string => {
      const place = newPlace();
      for (const path of keys(place)) {
        const key = readPrivateKey(readFileSync(path), path);
        writeFileSync(path, key.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'old' }));
      }
      return place;
    };
    await killEverywhere(task, cheaply, async (again, place, wasKilled) => {
      for (const path of keys(place)) assert.ok(opensWith(path, 'old') || opensWith(path, 'new'), path);
      if (wasKilled) await perform(again);
      assertUnder(place, 'new');
    });
  });

  function opensWith(path: string, passphrase: string): boolean {
    try {
      readPrivateKey(readFileSync(path), path, passphrase);
      return true;
    } catch (error) {
      assert.ok(error instanceof MtlsError && error.code === 'PASSPHRASE_WRONG', String(error));
      return false;
    }
  }
});
