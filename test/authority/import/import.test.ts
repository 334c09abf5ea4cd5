import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, readFileSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findIn } from '../../../src/authority/import/files.js';
import { type ImportOptions, importInto, importService } from '../../../src/authority/import/import.js';
import { activateRotation, prepareRotation } from '../../../src/authority/rotation/index.js';
import { type Workspace, servicePaths } from '../../../src/authority/workspace.js';
import { DAY } from '../../../src/base/duration.js';
import { generateKey, isKeyOf, pkcs8Of, readPrivateKey } from '../../../src/pki/key.js';
import { readCertificates } from '../../../src/pki/material.js';
import { encryptedPrivateKeyToPem } from '../../../src/pki/pbes2.js';
import { writePkcs12 } from '../../../src/pki/pkcs12-write.js';
import { certificatePem, keyPem, temporaryDirectory, testCa, testCrl, testLeaf } from '../../support/material.js';
import { assertWhole, clock, clockAt, failure, issueOne, newWorkspace, revoke, text, unix } from '../support.js';

const now = (): Date => new Date();
const serials = (path: string): string[] => readCertificates(path).map(({ serial }) => serial);

describe('importing', () => {
  const directory = temporaryDirectory();
  after(directory.remove);
  const at = (name: string): string => join(directory.path, name);
  const asked: string[] = [];
  const passphrase = async (path: string): Promise<string> => {
    asked.push(path);
    return 'open sesame';
  };
  let count = 0;
  const fresh = (): string => at(`out-${count++}`);

  const root = testCa({ name: 'root' });
  const between = testCa({ name: 'between', issuer: root });
  const issuing = testCa({ name: 'issuing', issuer: between });
  const leaf = testLeaf(issuing, { name: 'shop' });
  const other = testLeaf(issuing, { name: 'other' });
  const stranger = testCa({ name: 'stranger' });
  const file = (name: string, ...parts: readonly (string | Buffer)[]): string =>
    directory.file(name, Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : part))));
  const pem = (...of: readonly { readonly certificate: { readonly der: Buffer } }[]): string =>
    certificatePem(...of.map(({ certificate }) => certificate));

  describe('into a directory', () => {
    const into = async (files: readonly string[], options: Partial<ImportOptions> = {}, out = fresh(), when = now) =>
      importInto(out, undefined, await findIn(files, passphrase), { path: files[0]!, ...options }, when);
    /** What keeps it out, and that nothing was written. */
    const refused = async (code: Parameters<typeof failure>[0], files: readonly string[], message = /./, when = now): Promise<void> => {
      const out = fresh();
      await failure(code, () => into(files, {}, out, when), message);
      assert.ok(!existsSync(out));
    };

    it('puts the chain in order, the root into ca.crt, and the key into PKCS#8 for its owner alone', async () => {
      const sec1 = leaf.key.export({ type: 'sec1', format: 'pem' }) as string;
      const { paths, above, leftOut, name, encrypted } = await into([file('all.pem', pem(root, between, leaf, issuing), sec1)]);
      assert.deepEqual(
        serials(paths.certificate),
        [leaf, issuing, between].map(({ certificate }) => certificate.serial),
      );
      assert.equal(text(paths.ca), pem(root));
      assert.equal(text(paths.key), keyPem(leaf.key));
      if (process.platform !== 'win32') assert.equal(statSync(paths.key).mode & 0o777, 0o600);
      assert.deepEqual(
        readdirSync(paths.directory).filter((each) => !each.startsWith('..')),
        ['ca.crt', 'tls.crt', 'tls.key'],
      );
      assert.deepEqual([above.length, leftOut, name, encrypted], [3, [], undefined, false]);
    });

    it('takes it from several files, in PEM and DER, each thing once', async () => {
      const files = [
        file('leaf.der', leaf.certificate.der),
        file('chain.pem', pem(issuing, between, issuing)),
        file('root.der', root.certificate.der),
        file('key.der', pkcs8Of(leaf.key)),
        file('key.pem', pem(leaf), keyPem(leaf.key)),
      ];
      const { paths, leftOut } = await into(files);
      assert.deepEqual(serials(paths.certificate).length, 3);
      assert.deepEqual(leftOut, []);
    });

    it('says what it left out', async () => {
      const files = [file('much.pem', pem(leaf, issuing, between, root, stranger), testCrl(root)), file('key.pem', keyPem(leaf.key))];
      const { paths, leftOut } = await into(files);
      assert.deepEqual(leftOut, [
        { path: files[0], value: 'the certificate of stranger' },
        { path: files[0], value: 'a CRL' },
      ]);
      assert.equal(text(paths.ca), pem(root), 'nobody else is trusted');
    });

    it('puts the key under a passphrase on wish, and opens what is under one', async () => {
      const closed = file('closed.pem', pem(leaf, issuing, between, root), encryptedPrivateKeyToPem(pkcs8Of(leaf.key), 'open sesame'));
      asked.length = 0;
      const { paths, encrypted } = await into([closed], { keyPassphrase: 'another' });
      assert.deepEqual(asked, [closed]);
      assert.ok(encrypted);
      assert.ok(isKeyOf(readPrivateKey(readFileSync(paths.key), 'x', 'another'), leaf.certificate.publicKey));
    });

    it('asks nobody about PKCS#12 without a passphrase', async () => {
      const certificates = [leaf, issuing, between, root].map(({ certificate }) => certificate);
      const [open, closed] = ['', 'open sesame'].map((word) =>
        writePkcs12({ certificates, key: leaf.key, friendlyName: 'x', passphrase: word, legacy: true }),
      );
      asked.length = 0;
      await into([file('open.p12', open!)]);
      assert.deepEqual(asked, []);
      await into([file('closed.p12', closed!)]);
      assert.deepEqual(asked, [at('closed.p12')]);
    });

    it('refuses what has no key, two keys, or that of another', async () => {
      const chain = pem(issuing, between, root);
      await refused('IMPORT_NOT_FIT', [file('a.pem', pem(leaf), chain)], /a\.pem cannot be imported: no private key in it/);
      const two = [file('a.pem', pem(leaf), chain, keyPem(leaf.key)), file('b.pem', keyPem(other.key))];
      await refused('IMPORT_NOT_FIT', two, /2 private keys \(in \S+a\.pem, \S+b\.pem\), expected one/);
      await refused(
        'IMPORT_NOT_FIT',
        [file('a.pem', ...Array.from({ length: 3 }, () => keyPem(generateKey('ed25519'))))],
        /3 private keys in it/,
      );
      await refused('KEY_MISMATCH', [file('a.pem', pem(leaf), chain, keyPem(other.key))]);
    });

    it('refuses what has no certificate of a service, or two', async () => {
      await refused('IMPORT_NOT_FIT', [file('a.pem', keyPem(leaf.key))], /no certificate in it/);
      await refused('IMPORT_NOT_FIT', [file('a.pem', pem(issuing, between, root), keyPem(issuing.key))], /only certificates of CAs in it/);
      const both = [file('a.pem', pem(leaf, other, issuing, between, root), keyPem(leaf.key))];
      await refused('IMPORT_NOT_FIT', both, /2 certificates of services \(shop [0-9a-f]+, other [0-9a-f]+\), expected one/);
      const renewed = testLeaf(issuing, { name: 'shop' });
      await refused(
        'IMPORT_NOT_FIT',
        [file('a.pem', pem(leaf, renewed, issuing, between, root), keyPem(leaf.key))],
        /2 certificates of services/,
      );
    });

    it('refuses a chain that is not complete, is foreign, or does not hold', async () => {
      const key = keyPem(leaf.key);
      await refused('IMPORT_NOT_FIT', [file('a.pem', pem(leaf, between, root), key)], /ISSUER_NOT_FOUND/);
      await refused('IMPORT_NOT_FIT', [file('a.pem', pem(leaf, issuing, between), key)], /ISSUER_NOT_FOUND/);
      await refused('IMPORT_NOT_FIT', [file('a.pem', pem(leaf, issuing, between, stranger), key)], /ISSUER_NOT_FOUND/);
      const ended = testCa({
        name: 'ended',
        issuer: root,
        notBefore: new Date(Date.now() - 2 * DAY),
        notAfter: new Date(Date.now() - DAY),
      });
      const under = testLeaf(ended);
      await refused('IMPORT_NOT_FIT', [file('a.pem', pem(under, ended, root), keyPem(under.key))], /CERT_EXPIRED/);
      const impostor = testCa({ name: 'issuing', issuer: between });
      const forged = testLeaf({ certificate: issuing.certificate, key: impostor.key });
      await refused('IMPORT_NOT_FIT', [file('a.pem', pem(forged, issuing, between, root), keyPem(forged.key))], /SIGNATURE_INVALID/);
      const { certificate, key: own } = testCa({ name: 'self' });
      const alone = testLeaf({ certificate, key: own }, { name: 'self' });
      await refused('IMPORT_NOT_FIT', [file('a.pem', certificatePem(alone.certificate), keyPem(alone.key))], /ISSUER_NOT_FOUND/);
    });

    it('refuses what is not in force', async () => {
      const good = [file('a.pem', pem(leaf, issuing, between, root), keyPem(leaf.key))];
      for (const days of [-1, 2])
        await refused('CERTIFICATE_NOT_IN_FORCE', good, /a\.pem is in force from/, () => new Date(Date.now() + days * DAY));
    });

    it('replaces nothing unless forced, and then a link or a file as well', async () => {
      const good = [file('a.pem', pem(leaf, issuing, between, root), keyPem(leaf.key))];
      const out = fresh();
      mkdirSync(out);
      directory.file('precious', 'precious');
      symlinkSync('../precious', join(out, 'tls.crt'));
      writeFileSync(join(out, 'tls.key'), 'old', { mode: 0o644 });
      await failure('FILE_EXISTS', () => into(good, {}, out));
      assert.equal(text(join(out, 'tls.key')), 'old');
      await into(good, { force: true }, out);
      assert.equal(text(join(out, 'tls.key')), keyPem(leaf.key));
      assert.equal(text(at('precious')), 'precious');
      assert.ok(!existsSync(join(out, '.lock')));
    });

    unix('takes no key that others could read', async () => {
      const path = file('open.pem', pem(leaf, issuing, between, root), keyPem(leaf.key));
      chmodSync(path, 0o644);
      await refused('FILE_MODE_TOO_OPEN', [path]);
      chmodSync(path, 0o600);
    });

    it('counts what stands there again once, and takes no more certificates than anybody has', async () => {
      const again = certificatePem(...Array.from({ length: 1_001 }, () => leaf.certificate));
      await into([file('a.pem', again, pem(issuing, between, root), keyPem(leaf.key))]);
      const many = certificatePem(...Array.from({ length: 1_001 }, () => testLeaf(issuing).certificate));
      await refused('IMPORT_NOT_FIT', [file('a.pem', many, keyPem(leaf.key))], /more than 1000 certificates/);
    });
  });

  describe('into a workspace', () => {
    let made: ReturnType<typeof newWorkspace>;
    let workspace: Workspace;
    beforeEach(() => ({ workspace } = made = newWorkspace({ issuingCa: true })));
    afterEach(() => made.remove());
    const bring = async (files: readonly string[], options: Partial<ImportOptions> = {}, when = clock) =>
      importService(workspace, await findIn(files, passphrase), { path: files[0]!, ...options }, when);
    /** A copy of what a service has. */
    const copyOf = (name: string, as = `${name}.pem`): string => {
      const { certificate, key } = servicePaths(workspace, name);
      return file(as, readFileSync(certificate), readFileSync(key));
    };

    it('sends what issue would send, the cross certificate as well, though no file had it', async () => {
      const alone = newWorkspace();
      await prepareRotation(alone.workspace, { crossSign: true }, clock);
      await activateRotation(alone.workspace, { deployed: [], live: [] }, clock);
      await issueOne(alone.workspace, 'api');
      const { certificate, key } = servicePaths(alone.workspace, 'api');
      const before = text(certificate);
      const leaf = file('leaf.pem', certificatePem(readCertificates(certificate)[0]!), readFileSync(key));
      writeFileSync(certificate, 'torn');
      await importService(alone.workspace, await findIn([leaf], passphrase), { path: leaf }, clock);
      assert.equal(text(certificate), before);
      alone.remove();
    });

    it('is not gone round by a directory in it, and takes nothing that was revoked anywhere', async () => {
      const { serial } = (await issueOne(workspace, 'api')).certificate;
      const copy = copyOf('api');
      const found = await findIn([copy], passphrase);
      const elsewhere = join(made.parent, 'elsewhere');
      symlinkSync(workspace.paths.services, elsewhere);
      for (const out of [servicePaths(workspace, 'web').directory, workspace.paths.authority, join(elsewhere, 'web')])
        await failure('VALUE_INVALID', () => importInto(out, workspace, found, { path: copy }, clock));
      await revoke(workspace, serial, 'keyCompromise', clock);
      await failure('IMPORT_NOT_FIT', () => importInto(join(made.parent, 'out'), workspace, found, { path: copy }, clock));
    });

    it('lays what the ledger knows as the service that it is, and trusts what the workspace trusts', async () => {
      await issueOne(workspace, 'api');
      const { certificate, key, ca } = servicePaths(workspace, 'api');
      const [chain, bundle, pkcs8] = [text(certificate), text(ca), text(key)];
      const copy = copyOf('api');
      await issueOne(workspace, 'web');
      for (const path of [certificate, key, ca]) writeFileSync(path, 'torn');
      const imported = await bring([copy]);
      assert.equal(imported.name, 'api');
      assert.deepEqual([text(certificate), text(ca), text(key)], [chain, bundle, pkcs8]);
      assert.equal(imported.above.length, 2);
    });

    it('needs no chain: the workspace has it', async () => {
      const { certificate, paths } = await issueOne(workspace, 'api');
      const files = [file('leaf.der', certificate.der), file('api.key', readFileSync(paths.key))];
      const before = text(paths.certificate);
      await bring(files);
      assert.equal(text(paths.certificate), before);
    });

    it('refuses what its ledger does not know, and says where that may go', async () => {
      const elsewhere = newWorkspace();
      const { paths } = await issueOne(elsewhere.workspace, 'api');
      const foreign = file('foreign.pem', ...[paths.certificate, paths.key, paths.ca].map((path) => readFileSync(path)));
      await failure('SERIAL_NOT_FOUND', () => bring([foreign]));
      elsewhere.remove();
      const { paths: own } = await issueOne(workspace, 'api');
      const copy = copyOf('api');
      const ledger = text(workspace.paths.ledger);
      writeFileSync(workspace.paths.ledger, ledger.split('\n').slice(0, -2).join('\n') + '\n');
      const { hints } = await failure('SERIAL_NOT_FOUND', () => bring([copy]));
      assert.deepEqual(hints, [`to any directory: mtls import ${copy} --out DIR`]);
      assert.ok(existsSync(own.certificate));
    });

    it('replaces an older one, and a newer one only when forced', async () => {
      await issueOne(workspace, 'api');
      const old = copyOf('api', 'old.pem');
      const newer = await issueOne(workspace, 'api', clockAt(DAY));
      const later = copyOf('api', 'new.pem');
      const { message } = await failure('FILE_EXISTS', () => bring([old], {}, clockAt(2 * DAY)));
      assert.match(
        message,
        /tls\.crt is there already, newer than what is to be imported: from \S+ on, that from \S+; nothing was changed/,
      );
      const { replaced } = await bring([old], { force: true }, clockAt(2 * DAY));
      assert.equal(replaced?.serial, newer.certificate.serial);
      assert.equal((await bring([later], {}, clockAt(2 * DAY))).certificate.serial, newer.certificate.serial);
      assert.equal((await bring([later], { keyPassphrase: 'x' }, clockAt(2 * DAY))).replaced, undefined, 'the same once more');
    });

    it('refuses what was revoked', async () => {
      await issueOne(workspace, 'api');
      const copy = copyOf('api');
      await revoke(workspace, 'api', 'keyCompromise', clock);
      await failure('IMPORT_NOT_FIT', () => bring([copy]), /was revoked \S+ \(keyCompromise\)/);
    });

    it('changes nothing of what is not its own', async () => {
      made.remove();
      ({ workspace } = made = newWorkspace());
      await issueOne(workspace, 'api');
      await issueOne(workspace, 'web');
      const ledger = text(workspace.paths.ledger);
      await bring([copyOf('api')]);
      assert.equal(text(workspace.paths.ledger), ledger);
      assertWhole(workspace);
      assert.ok(!existsSync(workspace.paths.lock));
    });

    it('lays it elsewhere too, up to the root of the workspace', async () => {
      const { paths } = await issueOne(workspace, 'api');
      const found = await findIn([file('leaf.pem', readFileSync(paths.certificate), readFileSync(paths.key))], passphrase);
      const { paths: there, name } = await importInto(fresh(), workspace, found, { path: 'leaf.pem' }, clock);
      assert.deepEqual([text(there.certificate), text(there.ca), name], [text(paths.certificate), text(paths.ca), undefined]);
    });
  });
});
