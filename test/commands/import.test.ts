import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { serialText } from '../../src/pki/fields.js';
import { isEncryptedKey, isKeyOf, readPrivateKey } from '../../src/pki/key.js';
import { readCertificates } from '../../src/pki/material.js';
import { temporaryDirectory } from '../support/material.js';
import { needs } from '../support/programs.js';
import { MTLS, mtls, plainEnvironment } from '../support/session.js';
import { told } from '../support/told.js';

interface Imported {
  readonly name: string | null;
  readonly subject: string;
  readonly serial: string;
  readonly dns: readonly string[];
  readonly certificate: string;
  readonly key: string;
  readonly ca: string;
  readonly encrypted: boolean;
  readonly chain: readonly string[];
  readonly leftOut: readonly { readonly path: string; readonly what: string }[];
  readonly replaced: { readonly serial: string } | null;
}

describe('mtls import', function () {
  this.timeout(60_000);
  const directory = temporaryDirectory();
  const cwd = directory.path;
  const at = (name: string): string => join(cwd, name);
  const service = (name: string, file: string): string => at(join('.mtls', 'services', name, file));
  const FILES = ['tls.crt', 'tls.key', 'ca.crt'] as const;
  const readAll = (of: (file: string) => string): string[] => FILES.map((file) => readFileSync(of(file), 'utf8'));
  const done = async (...args: readonly string[]): Promise<string> => {
    const { code, stdout, stderr } = await mtls(args, { cwd });
    assert.equal(code, 0, stdout + stderr);
    assert.doesNotMatch(stdout + stderr, /sesame/);
    return stdout;
  };
  const imported = async (...args: readonly string[]): Promise<Imported> => JSON.parse(await done('import', ...args, '--json')) as Imported;
  const failure = async (...args: readonly string[]) => told(['import', ...args], { cwd });
  /** What is examined and found unfit exits with 1. */
  const unfit = async (...args: readonly string[]): Promise<string> => {
    const { code, stdout } = await mtls(['import', ...args, '--json'], { cwd });
    const { error } = JSON.parse(stdout) as { error: { code: string; message: string } };
    assert.deepEqual([code, error.code], [1, 'IMPORT_NOT_FIT']);
    return error.message;
  };
  const withPassphrase = ['--passphrase-file', 'pass.txt'];
  const run = (program: string, ...args: readonly string[]): string => {
    const { status, stdout, stderr } = spawnSync(program, args, { cwd, encoding: 'utf8', env: plainEnvironment() });
    assert.equal(status, 0, `${program} ${args.join(' ')}: ${stdout}${stderr}`);
    return stdout;
  };
  before(async () => {
    directory.file('pass.txt', 'open sesame\n');
    directory.file('wrong.txt', 'wrong\n');
    await done('init', '--yes', '--issuing-ca');
    await done('issue', 'api', 'web');
  });
  afterEach(() => {
    for (const name of readdirSync(cwd)) if (!['.mtls', 'pass.txt', 'wrong.txt'].includes(name)) rmSync(at(name), { recursive: true });
  });
  after(directory.remove);

  describe('of what export wrote', () => {
    it('lays the same files again, from PKCS#12, PEM, and PKCS#7 with the key', async () => {
      const before = readAll((file) => service('api', file));
      await done('export', 'p12', 'api', ...withPassphrase);
      await done('export', 'pem', 'api');
      await done('export', 'p7b', 'api');
      directory.file('api.key', before[1]!);
      for (const args of [['api.p12', ...withPassphrase], ['api.pem'], ['api.p7b', '--key', 'api.key']]) {
        for (const file of FILES) writeFileSync(service('api', file), 'torn');
        const { name, chain, leftOut, replaced } = await imported(...args);
        assert.deepEqual([name, chain.length, leftOut, replaced], ['api', 2, [], null]);
        assert.deepEqual(
          readAll((file) => service('api', file)),
          before,
          args[0],
        );
      }
      assert.match(await done('doctor'), /✓ services/);
    });

    it('lays them in any directory, with no workspace near', async () => {
      await done('export', 'p12', 'api', ...withPassphrase);
      const elsewhere = temporaryDirectory();
      const args = ['import', at('api.p12'), '--passphrase-file', at('pass.txt')];
      const { code, stdout } = await mtls([...args, '--out', 'tls', '--json'], { cwd: elsewhere.path });
      assert.equal(code, 0, stdout);
      assert.equal((JSON.parse(stdout) as Imported).name, null);
      assert.deepEqual(
        readAll((file) => join(elsewhere.path, 'tls', file)),
        readAll((file) => service('api', file)),
      );
      const { code: none, hints } = await told(args, { cwd: elsewhere.path });
      assert.deepEqual([none, hints.length], ['WORKSPACE_NOT_FOUND', 1]);
      const pasted = hints[0]!.replace(/^mtls/, `'${process.execPath}' '${MTLS}'`).replace('--out DIR', '--out other');
      assert.equal(spawnSync('bash', ['-c', pasted], { cwd: elsewhere.path, env: plainEnvironment() }).status, 0, pasted);
      elsewhere.remove();
    });
  });

  it('puts the key under a passphrase on wish', async () => {
    await done('export', 'pem', 'web');
    assert.equal((await imported('web.pem', '--key-passphrase-file', 'pass.txt')).encrypted, true);
    const bytes = readFileSync(service('web', 'tls.key'));
    assert.ok(isEncryptedKey(bytes));
    assert.ok(isKeyOf(readPrivateKey(bytes, 'x', 'open sesame'), readCertificates(service('web', 'tls.crt'))[0]!.publicKey));
    await done('import', 'web.pem');
  });

  it('says in words what it wrote, and what it left out', async () => {
    await done('export', 'pem', 'api');
    const stdout = await done('import', 'api.pem', '.mtls/authority/root.crl');
    assert.match(
      stdout,
      /^✓ api, until \d{4}-\d\d-\d\d\n {2}spiffe:\/\/\S+, api, .*\n {2}\S+\/api\/tls\.crt, with tls\.key and ca\.crt beside it\n/,
    );
    assert.match(
      stdout,
      /\n {2}under mtls issuing CA \S+, under mtls root CA \S+\n {2}! left out: a CRL, in \.mtls\/authority\/root\.crl\n$/,
    );
  });

  it('replaces no newer one unless it is told to, and its hint does', async () => {
    await done('export', 'pem', 'web');
    await done('renew', 'web');
    const { serial } = readCertificates(service('web', 'tls.crt'))[0]!;
    const { code, hints } = await failure('web.pem');
    assert.deepEqual([code, hints], ['FILE_EXISTS', ['mtls import web.pem --force']]);
    const { replaced } = await imported('web.pem', '--force');
    assert.equal(replaced!.serial, serialText(serial));
  });

  it('refuses what does not fit, each with its reason', async () => {
    const [certificate, key] = [service('api', 'tls.crt'), service('api', 'tls.key')];
    await done('export', 'p12', 'api', ...withPassphrase);
    const wrong = await failure('api.p12', '--passphrase-file', 'wrong.txt');
    assert.equal(wrong.code, 'PASSPHRASE_WRONG');
    assert.match(wrong.hints[0]!, /mtls import api\.p12 --passphrase-env MTLS_PASSPHRASE/);
    assert.equal((await failure('api.p12')).code, 'KEY_ENCRYPTED');
    assert.match(await unfit(certificate), /no private key in it/);
    assert.match(await unfit(certificate, key, service('web', 'tls.key')), /2 private keys/);
    assert.match(await unfit(certificate, key, service('web', 'tls.crt')), /2 certificates of services/);
    assert.equal((await failure(certificate, '--key', service('web', 'tls.key'))).code, 'KEY_MISMATCH');
    for (const args of [[], ['api.p12', '--passphrase-file', 'x', '--passphrase-env', 'y']])
      assert.equal((await failure(...args)).code, 'USAGE');
    assert.equal((await failure('nowhere.pem')).code, 'FILE_NOT_FOUND');
    await done('init', '--workspace', 'other', '--yes');
    await done('issue', 'api', '--workspace', 'other', '--valid', '1s');
    const foreign = FILES.map((file) => join('other', '.mtls', 'services', 'api', file));
    const unknown = await failure(...foreign);
    assert.deepEqual([unknown.code, unknown.hints], ['SERIAL_NOT_FOUND', [`to any directory: mtls import ${foreign.join(' ')} --out DIR`]]);
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    assert.equal((await failure(...foreign, '--out', 'tls')).code, 'CERTIFICATE_NOT_IN_FORCE');
    assert.match(await unfit(certificate, key, '--workspace', 'other', '--out', 'tls'), /ISSUER_NOT_FOUND/);
    assert.ok(!readdirSync(cwd).includes('tls'));
  });

  describe('of what others wrote', () => {
    const full = (): void => {
      const chain = readFileSync(service('api', 'tls.crt'), 'utf8') + readFileSync(service('api', 'ca.crt'), 'utf8');
      directory.file('chain.pem', chain);
      directory.file('key.pem', readFileSync(service('api', 'tls.key'), 'utf8'));
    };
    const assertSame = async (...args: readonly string[]): Promise<void> => {
      await done('import', ...args, '--out', 'tls', '--force');
      assert.deepEqual(
        readAll((file) => at(join('tls', file))),
        readAll((file) => service('api', file)),
        args.join(' '),
      );
    };
    const export12 = (out: string, ...more: readonly string[]): string =>
      run(
        'openssl',
        'pkcs12',
        '-export',
        '-in',
        'chain.pem',
        '-inkey',
        'key.pem',
        '-name',
        'api',
        '-out',
        out,
        '-passout',
        'file:pass.txt',
        ...more,
      );

    describe('openssl', () => {
      before(needs('openssl'));

      it('in PKCS#12, of today and of old', async () => {
        full();
        export12('new.p12');
        await assertSame('new.p12', ...withPassphrase);
        export12('old.p12', '-certpbe', 'PBE-SHA1-3DES', '-keypbe', 'PBE-SHA1-3DES', '-macalg', 'sha1');
        await assertSame('old.p12', ...withPassphrase);
        export12('alone.p12', '-nokeys');
        assert.match(await unfit('alone.p12', ...withPassphrase, '--out', 'none'), /no private key in it/);
        await assertSame('alone.p12', '--key', 'key.pem', ...withPassphrase);
      });

      it('in PEM and DER, keys of every form', async () => {
        full();
        run('openssl', 'x509', '-in', 'chain.pem', '-outform', 'DER', '-out', 'leaf.der');
        run('openssl', 'pkey', '-in', 'key.pem', '-outform', 'DER', '-out', 'key.der');
        run('openssl', 'ec', '-in', 'key.pem', '-out', 'sec1.pem');
        run('openssl', 'ec', '-in', 'key.pem', '-aes256', '-passout', 'file:pass.txt', '-out', 'old.pem');
        run('openssl', 'pkcs8', '-topk8', '-in', 'key.pem', '-passout', 'file:pass.txt', '-out', 'closed.pem');
        for (const key of ['key.der', 'sec1.pem']) await assertSame('leaf.der', 'chain.pem', '--key', key);
        for (const key of ['old.pem', 'closed.pem']) await assertSame('chain.pem', key, ...withPassphrase);
      });

      it('in PKCS#7 with the key beside it', async () => {
        full();
        for (const form of ['PEM', 'DER']) {
          run('openssl', 'crl2pkcs7', '-nocrl', '-certfile', 'chain.pem', '-outform', form, '-out', 'chain.p7b');
          await assertSame('chain.p7b', '--key', 'key.pem');
        }
      });

      it('and reads what was written under a passphrase', async () => {
        full();
        await done('import', 'chain.pem', 'key.pem', '--out', 'tls', '--key-passphrase-file', 'pass.txt');
        const [key, certified] = [
          run('openssl', 'pkey', '-in', 'tls/tls.key', '-passin', 'file:pass.txt', '-pubout'),
          run('openssl', 'x509', '-in', 'tls/tls.crt', '-noout', '-pubkey'),
        ];
        assert.equal(key, certified);
        run('openssl', 'verify', '-CAfile', 'tls/ca.crt', '-untrusted', 'tls/tls.crt', 'tls/tls.crt');
      });
    });

    describe('keytool', () => {
      before(needs('keytool', 'openssl'));
      it('in a key store', async () => {
        full();
        export12('new.p12');
        const pass = ['-srcstorepass:file', 'pass.txt', '-deststorepass:file', 'pass.txt'];
        run(
          'keytool',
          '-importkeystore',
          '-srckeystore',
          'new.p12',
          ...pass,
          '-destkeystore',
          'java.p12',
          '-deststoretype',
          'PKCS12',
          '-noprompt',
        );
        await assertSame('java.p12', ...withPassphrase);
      });
    });

    describe("NSS's pk12util", () => {
      before(needs('pk12util', 'certutil', 'openssl'));
      it('out of its database', async () => {
        full();
        export12('new.p12');
        mkdirSync(at('nss'));
        run('certutil', '-N', '-d', 'nss', '--empty-password');
        run('pk12util', '-i', 'new.p12', '-d', 'nss', '-w', 'pass.txt', '-K', '');
        run('pk12util', '-o', 'nss.p12', '-n', 'api', '-d', 'nss', '-w', 'pass.txt', '-K', '');
        await assertSame('nss.p12', ...withPassphrase);
      });
    });
  });
});
