import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Certificate } from '../../src/pki/certificate.js';
import { writePkcs12, writeTrustStore } from '../../src/pki/pkcs12-write.js';
import { temporaryDirectory, testCa, testLeaf } from '../support/material.js';
import { findProgram, needs } from '../support/programs.js';

/** How a program ended, with all that it said. */
function run(program: string, ...args: readonly string[]): { readonly ok: boolean; readonly said: string } {
  const { status, stdout, stderr } = spawnSync(findProgram(program)!, args, { encoding: 'utf8', input: '' });
  return { ok: status === 0, said: stdout + stderr };
}

const PASSPHRASE = 'chängeit';
/** Java takes no others, and NSS's programs take them in the encoding of the locale. */
const ASCII = 'changeit';
const root = testCa();
const issuing = testCa({ name: 'issuing', issuer: root });
const leaf = testLeaf(issuing);
const identity = {
  certificates: [leaf.certificate, issuing.certificate, root.certificate],
  key: leaf.key,
  passphrase: PASSPHRASE,
  friendlyName: 'api',
};
const trust = { trusted: [root.certificate, testCa({ name: 'next root' }).certificate], passphrase: ASCII };
const FORMS = { 'with AES': {}, 'for old readers': { legacy: true } } as const;

for (const [form, protection] of Object.entries(FORMS)) {
  describe(`PKCS#12 that we write ${form} is read by`, function () {
    this.timeout(60_000);
    const directory = temporaryDirectory();
    const [store, asciiStore, truststore] = ['api.p12', 'ascii.p12', 'trust.p12'].map((name) => join(directory.path, name)) as [
      string,
      string,
      string,
    ];
    before(() => {
      directory.file('api.p12', writePkcs12({ ...identity, ...protection }));
      directory.file('ascii.p12', writePkcs12({ ...identity, ...protection, passphrase: ASCII }));
      directory.file('trust.p12', writeTrustStore({ ...trust, ...protection }));
    });
    after(directory.remove);

    describe('openssl', () => {
      before(needs('openssl'));
      const scheme = 'legacy' in protection ? /pbeWithSHA1And3-KeyTripleDES-CBC/g : /PBES2, PBKDF2, AES-256-CBC, Iteration 600000/g;
      const mac = 'legacy' in protection ? /MAC: sha1, Iteration 50000/ : /MAC: sha256, Iteration 600000/;

      for (const option of [[], ['-legacy']]) {
        it(`pkcs12 -info ${option.join(' ')}`, function () {
          const info = (path: string, passphrase: string) =>
            run('openssl', 'pkcs12', '-info', ...option, '-nodes', '-in', path, '-passin', `pass:${passphrase}`);
          const { ok, said } = info(store, PASSPHRASE);
          if (!ok && /unable to load provider legacy/i.test(said)) this.skip();
          assert.ok(ok, said);
          assert.match(said, mac);
          assert.equal(said.match(scheme)?.length, 2, said);
          assert.equal(said.match(/BEGIN CERTIFICATE/g)?.length, 3);
          assert.equal(said.match(/BEGIN PRIVATE KEY/g)?.length, 1);
          assert.equal(said.match(/friendlyName: api/g)?.length, 2);
          const { said: trusted } = info(truststore, ASCII);
          assert.equal(trusted.match(/BEGIN CERTIFICATE/g)?.length, 2, trusted);
          assert.doesNotMatch(trusted, /PRIVATE KEY/);
          assert.equal(info(store, 'other').ok, false);
        });
      }
    });

    describe("Java's keytool", () => {
      before(needs('keytool'));
      const list = (path: string, passphrase: string) =>
        run('keytool', '-list', '-v', '-storetype', 'PKCS12', '-keystore', path, '-storepass', passphrase);

      it('as an entry with its key and its chain', () => {
        const { ok, said } = list(asciiStore, ASCII);
        assert.ok(ok, said);
        assert.match(said, /contains 1 entry/);
        assert.match(said, /Alias name: api[\s\S]*Entry type: PrivateKeyEntry[\s\S]*Certificate chain length: 3/);
        for (const certificate of identity.certificates) assert.ok(said.includes(shownPrint(certificate)), said);
        assert.equal(list(asciiStore, 'another').ok, false);
      });

      it('as CAs that it trusts', () => {
        const { ok, said } = list(truststore, ASCII);
        assert.ok(ok, said);
        assert.match(said, /contains 2 entries/);
        assert.equal(said.match(/Entry type: trustedCertEntry/g)?.length, 2);
        assert.match(said, /Alias name: next root\n/);
        for (const certificate of trust.trusted) assert.ok(said.includes(shownPrint(certificate)), said);
      });
    });

    describe("NSS's pk12util", () => {
      before(needs('pk12util', 'certutil'));

      it('in a list', () => {
        const { ok, said } = run('pk12util', '-l', asciiStore, '-W', ASCII);
        assert.ok(ok, said);
        assert.match(said, /Certificate\(has private key\):[\s\S]*Friendly Name: api/);
        assert.equal(said.match(/^Certificate/gm)?.length, 3, said);
        assert.equal(said.match(/^Key\(shrouded\):/gm)?.length, 1);
        assert.equal(run('pk12util', '-l', asciiStore, '-W', 'other').ok, false);
      });

      it('into a database', () => {
        const database = join(directory.path, 'nss');
        mkdirSync(database);
        assert.ok(run('certutil', '-N', '-d', database, '--empty-password').ok);
        const imported = run('pk12util', '-i', asciiStore, '-d', database, '-W', ASCII, '-K', '');
        assert.match(imported.said, /IMPORT SUCCESSFUL/);
        assert.match(run('certutil', '-L', '-d', database).said, /^api +u,u,u/m);
      });
    });

    describe("GnuTLS's certtool", () => {
      before(needs('certtool'));

      it('with all that is in it', () => {
        const info = (path: string, passphrase: string) =>
          run('certtool', '--p12-info', '--inder', '--infile', path, '--password', passphrase);
        const { ok, said } = info(store, PASSPHRASE);
        assert.ok(ok, said);
        assert.equal(said.match(/Type: Certificate/g)?.length, 3, said);
        assert.match(said, /Type: PKCS #8 Encrypted key/);
        assert.match(said, 'legacy' in protection ? /Cipher: 3DES-CBC/ : /Cipher: AES-256-CBC/);
        assert.equal(info(truststore, ASCII).said.match(/Type: Certificate/g)?.length, 2);
        assert.equal(info(store, 'other').ok, false);
      });
    });
  });
}

/** A fingerprint as keytool shows it. */
const shownPrint = ({ der }: Certificate): string =>
  createHash('sha256')
    .update(der)
    .digest('hex')
    .toUpperCase()
    .replace(/..(?=.)/g, '$&:');
