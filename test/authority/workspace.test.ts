import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { issueCertificates } from '../../src/authority/issue/issue.js';
import { existingService, openWorkspace, serviceNames, workspaceDirectory } from '../../src/authority/workspace.js';
import { generateKey, privateKeyToPem } from '../../src/pki/key.js';
import { testCa } from '../support/material.js';
import { clock, failure, issueOne, issuerWithKey, newWorkspace, text, unix } from './support.js';

describe('a workspace', () => {
  let made: ReturnType<typeof newWorkspace>;
  beforeEach(() => {
    made = newWorkspace();
  });
  afterEach(() => made.remove());
  const settings = (change: object): void => {
    const { paths } = made.workspace;
    writeFileSync(paths.settings, JSON.stringify({ ...(JSON.parse(text(paths.settings)) as object), ...change }));
  };
  const open = () => openWorkspace(undefined, made.parent);

  it('is found like .git: here, in the nearest directory above, or where it is said to be', async () => {
    const below = join(made.parent, 'a/b');
    mkdirSync(below, { recursive: true });
    for (const from of [made.parent, below, made.workspace.paths.services])
      assert.deepEqual(openWorkspace(undefined, from), made.workspace);
    for (const named of [made.parent, made.workspace.paths.directory, `${made.parent}/`, `${made.parent}/a/../.mtls`])
      assert.deepEqual(openWorkspace(named, '/'), made.workspace);
    mkdirSync(join(made.parent, 'a/.mtls'));
    assert.deepEqual(openWorkspace(undefined, below), made.workspace, 'one without settings is none');
    const inner = newWorkspace();
    symlinkSync(inner.workspace.paths.directory, join(below, '.mtls'));
    assert.equal((await issuerWithKey(openWorkspace(undefined, below))).certificate.serial, inner.root.serial);
    inner.remove();
  });

  it('is named by its own directory, or by that which holds it', () => {
    assert.equal(workspaceDirectory('/srv/pki'), '/srv/pki/.mtls');
    assert.equal(workspaceDirectory('/srv/pki/.mtls'), '/srv/pki/.mtls');
    const other = join(made.parent, 'other');
    mkdirSync(other);
    writeFileSync(join(other, 'workspace.json'), '{}');
    assert.equal(workspaceDirectory(other), other);
  });

  it('that is not there is missed, with the command that makes one', async () => {
    const nowhere = newWorkspace();
    nowhere.remove();
    for (const act of [() => openWorkspace(nowhere.parent, '/'), () => openWorkspace(undefined, nowhere.parent)]) {
      const error = await failure('WORKSPACE_NOT_FOUND', act, /no \.mtls in .* or any directory above it/);
      assert.deepEqual([error.hints, error.facts.searched], [['mtls init'], nowhere.parent]);
    }
  });

  it('of a newer version is left alone', async () => {
    settings({ version: 2, trustDomain: 7 });
    const error = await failure('WORKSPACE_TOO_NEW', open, /of version 2, this mtls reads version 1/);
    assert.deepEqual([error.facts.found, error.facts.supported], [2, 1]);
  });

  it('whose settings are not ours is refused, with what is wrong', async () => {
    const wrong: readonly (readonly [object, RegExp])[] = [
      [{ version: undefined }, /settings version: expected a whole number, found "nothing"/],
      [{ version: '1' }, /settings version/],
      [{ version: 0 }, /settings version: expected a whole number from 1 on, found "0"/],
      [{ version: 1.5 }, /settings version: expected a whole number, found "1\.5"/],
      [{ version: -1 }, /settings version/],
      [{ trustDomain: null }, /settings trustDomain/],
      [{ trustDomain: 'Shop Test' }, /trust domain: expected lower-case letters/],
      [{ keyType: 'dsa' }, /settings keyType: expected ecdsa-p256 or/],
      [{ createdAt: 'yesterday' }, /settings createdAt: expected an instant/],
    ];
    const good = text(made.workspace.paths.settings);
    for (const [change, problem] of wrong) {
      settings(change);
      const error = await failure('WORKSPACE_INVALID', open, problem);
      assert.equal(error.facts.path, made.workspace.paths.settings);
      writeFileSync(made.workspace.paths.settings, good);
    }
    for (const content of ['{', '[]', 'null']) {
      writeFileSync(made.workspace.paths.settings, content);
      await failure('WORKSPACE_INVALID', open, /workspace\.json: settings: expected/);
    }
    writeFileSync(made.workspace.paths.settings, '');
    await failure('FILE_EMPTY', open);
    writeFileSync(made.workspace.paths.settings, 'x'.repeat(70_000));
    await failure('FILE_TOO_LARGE', open);
  });

  unix('that others can enter is refused, with the command that mends it', async () => {
    const {
      directory,
      authority,
      root: { key: rootKey },
    } = made.workspace.paths;
    for (const [path, loose, tight, act] of [
      [directory, 0o755, 0o700, open],
      [directory, 0o770, 0o700, open],
      [authority, 0o701, 0o700, open],
      [rootKey, 0o640, 0o600, () => issuerWithKey(made.workspace)],
      [rootKey, 0o606, 0o600, () => issuerWithKey(made.workspace)],
    ] as const) {
      chmodSync(path, loose);
      const error = await failure('FILE_MODE_TOO_OPEN', act, /others on this machine could read it/);
      assert.deepEqual(error.hints, [`chmod 0${tight.toString(8)} ${path}`]);
      chmodSync(path, tight);
      await act();
    }
  });

  it('has a CA whose key is its own, in the clear, and that are both there', async () => {
    const {
      root: { key: rootKey, certificate: rootCertificate },
    } = made.workspace.paths;
    const read = () => issuerWithKey(made.workspace);
    const [key, certificate] = [text(rootKey), text(rootCertificate)];
    assert.equal((await read()).certificate.serial, made.root.serial);
    writeFileSync(rootKey, privateKeyToPem(generateKey('rsa-2048')));
    const error = await failure('KEY_MISMATCH', read);
    assert.deepEqual(error.facts, { certificate: rootCertificate, key: rootKey });
    const encrypted = testCa().key.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' });
    writeFileSync(rootKey, encrypted);
    assert.match((await failure('KEY_ENCRYPTED', read, /root\.key is encrypted/)).hints[0]!, /openssl pkey -in \S+root\.key -out/);
    writeFileSync(rootKey, certificate);
    await failure('KEY_UNREADABLE', read, /no private key in it/);
    writeFileSync(rootKey, key);
    writeFileSync(rootCertificate, key);
    await failure('FILE_UNRECOGNIZED', read, /root\.crt is not a certificate .*: found a private key/);
    rmSync(rootCertificate);
    await failure('FILE_NOT_FOUND', read, /root\.crt/);
    writeFileSync(rootCertificate, certificate);
    rmSync(rootKey);
    await failure('CA_KEY_AWAY', read, /root\.key/);
  });

  it('knows its services: those that have a certificate', async () => {
    assert.deepEqual(serviceNames(made.workspace), []);
    await failure('SERVICE_NOT_FOUND', () => existingService(made.workspace, 'api'), /no service api; none was issued yet/);
    await issueCertificates(made.workspace, [{ name: 'web' }, { name: 'api' }], clock);
    mkdirSync(join(made.workspace.paths.services, 'half'));
    writeFileSync(join(made.workspace.paths.services, 'note.txt'), '');
    assert.deepEqual(serviceNames(made.workspace), ['api', 'web']);
    const { paths } = await issueOne(made.workspace, 'api');
    assert.deepEqual(existingService(made.workspace, 'api'), paths);
    for (const name of ['half', '..', 'db'])
      assert.deepEqual(
        (await failure('SERVICE_NOT_FOUND', () => existingService(made.workspace, name), /there is: api, web/)).facts.known,
        ['api', 'web'],
      );
    rmSync(made.workspace.paths.services, { recursive: true });
    await failure('FILE_NOT_FOUND', () => serviceNames(made.workspace), /services/);
  });
});
