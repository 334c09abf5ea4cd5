import assert from 'node:assert/strict';
import { createPrivateKey } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { CRL_VALIDITY } from '../../../src/authority/revocation/crl.js';
import { initializeWorkspace } from '../../../src/authority/cas/initialize.js';
import { readLedger } from '../../../src/authority/ledger/ledger.js';
import { initializedView } from '../../../src/authority/views.js';
import { openWorkspace } from '../../../src/authority/workspace.js';
import { DAY } from '../../../src/base/duration.js';
import { isSelfSigned } from '../../../src/pki/certificate.js';
import { countRevoked } from '../../../src/pki/crl.js';
import { KEY_TYPES } from '../../../src/pki/key.js';
import { valuesOf } from '../../../src/pki/name.js';
import { OID } from '../../../src/pki/oids.js';
import { openssl } from '../../pki/other-tools.js';
import { AT } from '../../support/chains.js';
import { temporaryDirectory } from '../../support/material.js';
import { needs } from '../../support/programs.js';
import { childProcesses } from '../processes.js';
import { assertWhole, by, clock, failure, issueOne, issuerWithKey, newWorkspace, rootCrl, rootId, rootOf, text, unix } from '../support.js';

const modeOf = (path: string): number => statSync(path).mode & 0o777;

describe('init', () => {
  let directory: ReturnType<typeof temporaryDirectory>;
  let path: (name: string) => string;
  beforeEach(() => {
    directory = temporaryDirectory();
    path = (name) => join(directory.path, name);
  });
  afterEach(() => directory.remove());

  it('makes a workspace that git does not see, with a root that signs services and no other CA', async () => {
    const { workspace, root } = initializeWorkspace({ directory: path('.mtls'), trustDomain: 'shop.test', clock });
    assert.deepEqual(workspace, openWorkspace(undefined, directory.path));
    assert.deepEqual(workspace.settings, { version: 1, trustDomain: 'shop.test', keyType: 'ecdsa-p256', createdAt: AT });
    assert.equal(text(path('.mtls/.gitignore')), '*\n');
    assert.equal((await issuerWithKey(workspace)).certificate.serial, root.serial);
    assert.equal(text(workspace.paths.bundle), text(workspace.paths.root.certificate));
    assert.deepEqual([root.version, isSelfSigned(root), root.basicConstraints], [3, true, { ca: true, pathLength: 0 }]);
    assert.deepEqual([root.keyUsage, root.extendedKeyUsage], [['keyCertSign', 'cRLSign'], undefined]);
    assert.deepEqual([root.notBefore, root.notAfter], [AT.getTime() - 5 * 60_000, AT.getTime() + 3_650 * DAY]);
    assert.match(valuesOf(root.subject, OID.commonName)[0]!, new RegExp(`^mtls root CA ${root.subjectKeyId!.slice(0, 8)}$`));
    const view = initializedView(workspace);
    assert.deepEqual([view.workspace, view.trustDomain, view.crl], [path('.mtls'), 'shop.test', path('.mtls/authority/root.crl')]);
    assert.equal(view.root.notAfter, '2036-05-29T12:00:00Z');
  });

  unix('lets nobody else read it, whatever the umask', () => {
    const umask = process.umask(0);
    try {
      initializeWorkspace({ directory: path('new/.mtls'), clock });
    } finally {
      process.umask(umask);
    }
    for (const name of ['new', 'new/.mtls', 'new/.mtls/authority', 'new/.mtls/services']) assert.equal(modeOf(path(name)), 0o700, name);
    for (const name of ['root.key', 'ledger.jsonl', '../workspace.json', '../.gitignore'])
      assert.equal(modeOf(path(`new/.mtls/authority/${name}`)), 0o600, name);
    for (const name of ['root.crt', 'root.crl', 'bundle.pem']) assert.equal(modeOf(path(`new/.mtls/authority/${name}`)), 0o644, name);
    assert.deepEqual(readdirSync(path('new')), ['.mtls'], 'nothing is left beside it');
  });

  it('signs a CRL from the first minute, which the ledger knows', () => {
    const { workspace } = initializeWorkspace({ directory: path('.mtls'), clock });
    const crl = rootCrl(workspace.paths);
    assert.deepEqual([crl.number, countRevoked(crl), crl.thisUpdate, crl.nextUpdate], ['01', 0, AT.getTime(), AT.getTime() + CRL_VALIDITY]);
    const issuer = rootId(workspace.paths);
    const { serial, notBefore, notAfter } = rootOf(workspace.paths).certificate;
    const [certified, ...others] = readLedger(workspace.paths.ledger);
    assert.ok(certified?.event === 'ca');
    assert.deepEqual(
      [certified.serial, certified.issuer, certified.key, certified.notBefore.getTime(), certified.notAfter.getTime()],
      [serial, issuer, issuer, notBefore, notAfter],
    );
    assert.deepEqual(others, [{ event: 'crl', at: AT, by, issuer, number: 1 }]);
    assertWhole(workspace);
  });

  it('never signs a CRL beyond the end of the CA', () => {
    const { workspace, root } = initializeWorkspace({ directory: path('.mtls'), validity: DAY, clock });
    assert.equal(rootCrl(workspace.paths).nextUpdate, root.notAfter);
  });

  it('gives every root a serial number and a key of its own', () => {
    const roots = ['a', 'b', 'c'].map((name) => initializeWorkspace({ directory: path(`${name}/.mtls`), clock }).root);
    for (const read of [
      (i: number) => roots[i]!.serial,
      (i: number) => roots[i]!.subjectKeyId,
      (i: number) => roots[i]!.subject.der.toString('hex'),
    ])
      assert.equal(new Set([0, 1, 2].map(read)).size, 3);
    assert.ok(roots.every(({ serial }) => serial.length >= 28));
  });

  for (const keyType of KEY_TYPES)
    it(`with a key of ${keyType}, that its services have as well`, async function () {
      this.timeout(60_000);
      const { workspace, root } = initializeWorkspace({ directory: path('.mtls'), keyType, clock });
      assert.equal(openWorkspace(undefined, directory.path).settings.keyType, keyType);
      const { certificate } = await issueOne(workspace, 'api');
      const expected = keyType.startsWith('rsa')
        ? ['RSA', Number(keyType.slice(4))]
        : keyType === 'ed25519'
          ? ['Ed25519', 256]
          : ['EC', Number(keyType.slice(7))];
      for (const { publicKey } of [root, certificate]) assert.deepEqual([publicKey.type, publicKey.bits], expected);
      assert.equal(createPrivateKey(readFileSync(workspace.paths.root.key)).type, 'private');
      assertWhole(workspace);
    });

  it('refuses what is there: a workspace, a file, an empty directory', async () => {
    initializeWorkspace({ directory: path('.mtls'), clock });
    const key = text(path('.mtls/authority/root.key'));
    const error = await failure('WORKSPACE_EXISTS', () => initializeWorkspace({ directory: path('.mtls'), clock }), /\.mtls/);
    assert.equal(error.facts.path, path('.mtls'));
    assert.equal(text(path('.mtls/authority/root.key')), key);
    directory.file('file', 'mine');
    mkdirSync(path('empty'));
    await failure('WORKSPACE_INVALID', () => initializeWorkspace({ directory: path('file'), clock }), /it is no directory/);
    const empty = await failure('WORKSPACE_INVALID', () => initializeWorkspace({ directory: path('empty'), clock }), /damaged, without/);
    assert.deepEqual(empty.hints, [`rmdir ${path('empty')}`]);
    assert.equal(text(path('file')), 'mine');
  });

  it('names what is there when it is no workspace of ours to use: damaged, of a newer version', async () => {
    initializeWorkspace({ directory: path('.mtls'), clock });
    const again = () => initializeWorkspace({ directory: path('.mtls'), clock });
    const settings = text(path('.mtls/workspace.json'));
    writeFileSync(path('.mtls/workspace.json'), settings.replace('"version": 1', '"version": 2'));
    await failure('WORKSPACE_TOO_NEW', again, /of version 2/);
    writeFileSync(path('.mtls/workspace.json'), settings.replace('"version": 1', '"version": 0'));
    await failure('WORKSPACE_INVALID', again, /settings version/);
    writeFileSync(path('.mtls/workspace.json'), settings);
    rmSync(path('.mtls/authority/ledger.jsonl'));
    await failure('WORKSPACE_INVALID', again, /damaged, without authority\/ledger\.jsonl$/);
    rmSync(path('.mtls/workspace.json'));
    const error = await failure('WORKSPACE_INVALID', again, /damaged, without workspace\.json, authority\/ledger\.jsonl$/);
    assert.deepEqual(error.hints, [`ls -lR ${path('.mtls')}`, 'put what is missing back from a backup']);
    assert.equal(existsSync(path('.mtls/authority/root.key')), true);
  });

  it('of four processes at once is won by one; the others say that there is a workspace', async () => {
    const children = await childProcesses();
    try {
      const task = { act: 'init', directory: path('.mtls'), now: AT.getTime() } as const;
      const ended = await Promise.allSettled([1, 2, 3, 4].map(() => children.run(task)));
      const errors = ended.flatMap((one) => (one.status === 'rejected' ? [String(one.reason)] : []));
      assert.equal(errors.length, 3);
      for (const error of errors) assert.match(error, /WORKSPACE_EXISTS/);
    } finally {
      children.remove();
    }
    assertWhole(openWorkspace(undefined, directory.path));
    assert.deepEqual(readdirSync(directory.path), ['.mtls']);
  });

  it('sweeps what a killed init left a minute ago, and nothing else', () => {
    for (const name of ['.mtls-0123456789ab.tmp', '.mtls-ba9876543210.tmp', '.mtls-mine'])
      mkdirSync(path(`${name}/inside`), { recursive: true });
    const old = AT.getTime() / 1000 - 61;
    for (const name of ['.mtls-0123456789ab.tmp', '.mtls-mine']) utimesSync(path(name), old, old);
    utimesSync(path('.mtls-ba9876543210.tmp'), AT, AT);
    initializeWorkspace({ directory: path('.mtls'), clock });
    assert.deepEqual(readdirSync(directory.path).sort(), ['.mtls', '.mtls-ba9876543210.tmp', '.mtls-mine']);
  });

  unix('says why it cannot: below a file, in a circle of links', async () => {
    directory.file('file', 'x');
    symlinkSync(path('circle'), path('circle'));
    await failure(
      'FILE_NOT_WRITABLE',
      () => initializeWorkspace({ directory: path('file/.mtls'), clock }),
      /file: something of that name is there/,
    );
    await failure('FILE_NOT_WRITABLE', () => initializeWorkspace({ directory: path('circle/.mtls'), clock }));
    assert.deepEqual(readdirSync(directory.path).sort(), ['circle', 'file']);
  });

  describe('for somebody who is not root', () => {
    before(function () {
      if (process.getuid?.() === 0) return;
      this.test!.parent!.title += ' (skipped: only root can become somebody else)';
      this.skip();
    });
    /** `act` as nobody; root comes back. */
    const asNobody = <T>(act: () => T): T => {
      process.seteuid!(65534);
      try {
        return act();
      } finally {
        process.seteuid!(0);
      }
    };

    it('works where a directory may be written and not read, and not where it may not be written', async () => {
      mkdirSync(path('drop'));
      chmodSync(directory.path, 0o755);
      chmodSync(path('drop'), 0o733);
      asNobody(() => initializeWorkspace({ directory: path('drop/.mtls'), clock }));
      assert.equal(existsSync(path('drop/.mtls/workspace.json')), true);
      await failure(
        'FILE_NOT_WRITABLE',
        () => asNobody(() => initializeWorkspace({ directory: path('.mtls'), clock })),
        /permission denied/,
      );
    });
  });

  describe('has a trust domain', () => {
    const make = (trustDomain: string) => initializeWorkspace({ directory: path(`${trustDomain.length}/.mtls`), trustDomain, clock });

    it('that stands in every identity', async () => {
      const { workspace, root } = make('a-b_c.shop.test');
      assert.equal((await issueOne(workspace, 'api')).entry.uri, 'spiffe://a-b_c.shop.test/ns/default/sa/api');
      assert.deepEqual(valuesOf(root.subject, OID.organizationName), ['a-b_c.shop.test']);
      assert.equal(initializeWorkspace({ directory: path('.mtls'), clock }).workspace.settings.trustDomain, 'cluster.local');
    });

    it('that may be longer than the name of an organization (64)', async () => {
      const { workspace, root } = make('a'.repeat(255));
      assert.deepEqual(valuesOf(root.subject, OID.organizationName), ['a'.repeat(64)]);
      assert.equal((await issueOne(workspace, 'api')).entry.uri, `spiffe://${'a'.repeat(255)}/ns/default/sa/api`);
    });

    for (const wrong of [
      '',
      'Shop.test',
      'shop test',
      'spiffe://shop.test',
      'shop..test',
      '.shop',
      'shop.',
      'shop:8443',
      'bücher.test',
      'a'.repeat(256),
    ])
      it(`that is not ${JSON.stringify(wrong.slice(0, 20))}`, async () => {
        await failure('VALUE_INVALID', () => make(wrong), /trust domain/);
        assert.deepEqual(readdirSync(directory.path), []);
      });
  });
});

describe('openssl reads what init made', function () {
  this.timeout(60_000);
  before(needs('openssl'));
  for (const keyType of KEY_TYPES)
    it(`with ${keyType}`, () => {
      const { workspace, remove } = newWorkspace({ keyType });
      try {
        const { crl, certificate: rootCertificate, key: rootKey } = workspace.paths.root;
        const said = openssl(['crl', '-in', crl, '-CAfile', rootCertificate, '-verify', '-noout', '-crlnumber']);
        assert.match(said, /crlNumber=0x0?1$/m);
        assert.throws(
          () => openssl(['crl', '-in', crl, '-CAfile', '/dev/null', '-verify', '-noout']),
          'who cannot know the CA does not verify',
        );
        const attime = String(AT.getTime() / 1000);
        assert.match(
          openssl(['verify', '-x509_strict', '-check_ss_sig', '-attime', attime, '-CAfile', rootCertificate, rootCertificate]),
          /: OK/,
        );
        assert.equal(openssl(['pkey', '-in', rootKey, '-pubout']), openssl(['x509', '-in', rootCertificate, '-pubkey', '-noout']));
      } finally {
        remove();
      }
    });
});
