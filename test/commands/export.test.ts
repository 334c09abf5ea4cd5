import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { isKeyOf, pkcs8Of, readPrivateKey } from '../../src/pki/key.js';
import { certificatesIn, crlsIn, itemsIn } from '../../src/pki/material.js';
import { encryptedPrivateKeyToPem } from '../../src/pki/pbes2.js';
import { readPkcs12 } from '../../src/pki/pkcs12.js';
import { temporaryDirectory } from '../support/material.js';
import { needs } from '../support/programs.js';
import { MTLS, mtls, plainEnvironment } from '../support/session.js';
import { told } from '../support/told.js';

interface Exported {
  readonly path: string;
  readonly format: string;
  readonly name: string | null;
  readonly key: boolean;
  readonly encrypted: boolean;
  readonly certificates: readonly { readonly name: string; readonly sha256: string }[];
  readonly crls: number;
}

const modes = process.platform === 'win32' ? it.skip : it;

describe('mtls export', function () {
  this.timeout(60_000);
  const directory = temporaryDirectory();
  const cwd = directory.path;
  const at = (name: string): string => join(cwd, name);
  const service = (name: string, file: string): string => at(join('.mtls', 'services', name, file));
  const certificateOf = (name: string) => certificatesIn(readFileSync(service(name, 'tls.crt')), name)[0]!;
  const root = () => certificatesIn(readFileSync(service('api', 'ca.crt')), 'ca.crt')[0]!;
  const modeOf = (name: string): number => statSync(at(name)).mode & 0o777;
  const withPassphrase = ['--passphrase-file', 'pass.txt'];
  const exported = async (...args: readonly string[]): Promise<Exported> => {
    const { code, stdout, stderr } = await mtls(['export', ...args, '--json'], { cwd });
    assert.equal(code, 0, stdout + stderr);
    return JSON.parse(stdout) as Exported;
  };
  const failure = async (...args: readonly string[]) => told(['export', ...args], { cwd });
  before(async () => {
    assert.equal((await mtls(['init', '--yes'], { cwd })).code, 0);
    assert.equal((await mtls(['issue', 'api', 'web'], { cwd })).code, 0);
    directory.file('pass.txt', 'open sesame\n');
  });
  afterEach(() => {
    for (const name of readdirSync(cwd)) if (!['.mtls', 'pass.txt'].includes(name)) rmSync(at(name), { recursive: true });
  });
  after(directory.remove);

  describe('pem', () => {
    it('writes the key and the chain', async () => {
      const { path, ...result } = await exported('pem', 'api');
      assert.equal(path, at('api.pem'));
      assert.deepEqual([result.format, result.name, result.key, result.encrypted, result.crls], ['pem', 'api', true, false, 0]);
      const bytes = readFileSync(path);
      assert.deepEqual(
        itemsIn(bytes, path).map(({ kind }) => kind),
        ['private-key', 'certificate'],
      );
      assert.ok(isKeyOf(readPrivateKey(bytes, path), certificatesIn(bytes, path)[0]!.publicKey));
      assert.deepEqual(
        result.certificates.map(({ name, sha256 }) => [name, sha256.length]),
        [['api', 64]],
      );
    });

    it('puts the key under a passphrase on wish', async () => {
      assert.equal((await exported('pem', 'api', '--encrypt', ...withPassphrase)).encrypted, true);
      const bytes = readFileSync(at('api.pem'));
      assert.ok(isKeyOf(readPrivateKey(bytes, 'x', 'open sesame'), certificateOf('api').publicKey));
      assert.doesNotMatch(bytes.toString(), /BEGIN PRIVATE KEY/);
    });

    it('leaves the key out on wish', async () => {
      assert.equal((await exported('pem', 'api', '--no-key')).key, false);
      assert.deepEqual(readFileSync(at('api.pem'), 'utf8'), readFileSync(service('api', 'tls.crt'), 'utf8'));
    });

    it('writes one certificate in DER', async () => {
      assert.deepEqual((await exported('pem', 'api', '--der')).path, at('api.der'));
      assert.deepEqual(readFileSync(at('api.der')), certificateOf('api').der);
      await exported('pem', '--trust', '--der');
      assert.equal(new X509Certificate(readFileSync(at('trust.der'))).ca, true);
    });

    it('writes the CAs to trust', async () => {
      assert.equal((await exported('pem', '--trust')).name, null);
      assert.deepEqual(readFileSync(at('trust.pem'), 'utf8'), readFileSync(at('.mtls/authority/bundle.pem'), 'utf8'));
    });
  });

  describe('p12', () => {
    it('writes the key and the chain up to the root, under a passphrase', async () => {
      const { certificates, ...result } = await exported('p12', 'api', ...withPassphrase);
      assert.deepEqual(result, { path: at('api.p12'), format: 'p12', name: 'api', key: true, encrypted: true, crls: 0 });
      assert.equal(certificates.length, 2);
      const found = readPkcs12(readFileSync(at('api.p12')), 'open sesame', 'x');
      assert.deepEqual(
        found.certificates.map(({ serial }) => serial),
        [certificateOf('api').serial, root().serial],
      );
      assert.ok(isKeyOf(found.keys[0]!, certificateOf('api').publicKey));
      assert.deepEqual(found.friendlyNames, ['api']);
    });

    it('writes for old readers on wish', async () => {
      await exported('p12', 'api', '--legacy', ...withPassphrase);
      const bytes = readFileSync(at('api.p12'));
      assert.equal(readPkcs12(bytes, 'open sesame', 'x').keys.length, 1);
      assert.ok(bytes.includes(Buffer.from('060a2a864886f70d010c0103', 'hex')), 'pbeWithSHAAnd3-KeyTripleDES-CBC');
    });

    it('writes a trust store', async () => {
      assert.deepEqual((await exported('p12', '--trust', ...withPassphrase)).key, false);
      const { certificates, keys } = readPkcs12(readFileSync(at('trust.p12')), 'open sesame', 'x');
      assert.deepEqual([certificates.map(({ serial }) => serial), keys], [[root().serial], []]);
    });

    it('writes nothing without a passphrase, and its hint writes it', async () => {
      const { code, message, hints } = await failure('p12', 'api');
      assert.equal(code, 'PASSPHRASE_MISSING');
      assert.match(message, /api\.p12 is to be under a passphrase, and none was given/);
      assert.equal(existsSync(at('api.p12')), false);
      const pasted = hints[0]!.replace('-rs', '-r').replace(' mtls ', ` '${process.execPath}' '${MTLS}' `);
      assert.equal(spawnSync('bash', ['-c', pasted], { cwd, env: plainEnvironment(), input: 'by hand\n' }).status, 0, pasted);
      assert.equal(readPkcs12(readFileSync(at('api.p12')), 'by hand', 'x').keys.length, 1);
    });

    it('takes no empty one', async () => {
      directory.file('empty.txt', '\n');
      assert.equal((await failure('p12', 'api', '--passphrase-file', 'empty.txt')).code, 'VALUE_INVALID');
      assert.equal((await failure('pem', 'api', '--encrypt', '--passphrase-file', 'empty.txt')).code, 'VALUE_INVALID');
    });
  });

  describe('p7b', () => {
    it('writes the chain up to the root, and CRLs on wish', async () => {
      const { crls } = await exported('p7b', 'api', '--crl', '.mtls/authority/root.crl');
      const bytes = readFileSync(at('api.p7b'));
      assert.match(bytes.toString(), /^-----BEGIN PKCS7-----\n/);
      assert.deepEqual(
        certificatesIn(bytes, 'x').map(({ serial }) => serial),
        [certificateOf('api').serial, root().serial],
      );
      assert.deepEqual([crls, crlsIn(bytes, 'x').length], [1, 1]);
    });

    it('writes DER on wish, and the CAs to trust', async () => {
      await exported('p7b', '--trust', '--der');
      assert.deepEqual(
        certificatesIn(readFileSync(at('trust.p7b')), 'x').map(({ serial }) => serial),
        [root().serial],
      );
    });

    describe('and openssl', () => {
      before(needs('openssl'));
      it('prints what is in it', async () => {
        await exported('p7b', 'api');
        const { stdout } = spawnSync('openssl', ['pkcs7', '-print_certs', '-noout', '-in', 'api.p7b'], { cwd, encoding: 'utf8' });
        assert.equal(stdout.match(/^subject=/gm)?.length, 2, stdout);
      });
    });
  });

  modes('writes what holds a key for its owner alone, and the rest for everybody', async () => {
    const umask = ['-c', `umask 000; '${process.execPath}' '${MTLS}' export pem api`];
    assert.equal(spawnSync('bash', umask, { cwd, env: plainEnvironment() }).status, 0);
    await exported('p12', 'api', ...withPassphrase);
    await exported('pem', 'web', '--no-key');
    await exported('p7b', 'api');
    await exported('p12', '--trust', ...withPassphrase);
    assert.deepEqual(
      ['api.pem', 'api.p12', 'web.pem', 'api.p7b', 'trust.p12'].map((name) => modeOf(name).toString(8)),
      ['600', '600', '644', '644', '644'],
    );
    writeFileSync(at('web.pem'), 'open', { mode: 0o644 });
    await exported('pem', 'web', '--force');
    assert.equal(modeOf('web.pem'), 0o600, 'also over what others could read');
  });

  it('replaces no file unless it is told to, and its hint does', async () => {
    directory.file('api.p12', 'precious');
    const args = ['p12', 'api', ...withPassphrase];
    const { code, hints } = await failure(...args);
    assert.deepEqual([code, hints], ['FILE_EXISTS', [`mtls export ${args.join(' ')} --force`]]);
    assert.equal(readFileSync(at('api.p12'), 'utf8'), 'precious');
    await exported(...args, '--force');
    assert.equal(readPkcs12(readFileSync(at('api.p12')), 'open sesame', 'x').keys.length, 1);
  });

  it('replaces a link and not what it leads to, and neither a directory nor a pipe', async () => {
    directory.file('elsewhere', 'precious');
    symlinkSync('elsewhere', at('api.pem'));
    assert.equal((await failure('pem', 'api')).code, 'FILE_EXISTS');
    await exported('pem', 'api', '--force');
    assert.equal(readFileSync(at('elsewhere'), 'utf8'), 'precious');
    mkdirSync(at('web.pem'));
    assert.equal(spawnSync('mkfifo', [at('pipe')]).status, 0);
    for (const [out, reason] of [
      ['web.pem', 'it is a directory'],
      ['pipe', 'it is no file'],
    ] as const) {
      const { code, message } = await failure('pem', 'web', '--force', '--out', out);
      assert.deepEqual([code, message], ['FILE_NOT_WRITABLE', `cannot write ${at(out)}: ${reason}; nothing was changed`]);
    }
    assert.ok(statSync(at('pipe')).isFIFO());
  });

  it('leaves nothing behind where it cannot write', async () => {
    const { code } = await failure('pem', 'api', '--out', 'nowhere/api.pem');
    assert.equal(code, 'FILE_NOT_WRITABLE');
    assert.deepEqual(readdirSync(cwd).sort(), ['.mtls', 'pass.txt']);
  });

  it('says in words what it wrote, and where a key lies open', async () => {
    const { stdout } = await mtls(['export', 'pem', 'api'], { cwd });
    assert.match(stdout, /^✓ \S+\/api\.pem\n {2}the key and 1 certificate of api\n {2}api, until \d{4}-/);
    assert.match(stdout, /! the key is not encrypted: whoever can read the file has it\n$/);
    const { stdout: closed } = await mtls(['export', 'p12', 'api', ...withPassphrase], { cwd });
    assert.match(
      closed,
      /^✓ \S+\/api\.p12\n {2}the key and 2 certificates of api; under the passphrase\n {2}api, until .*\n {2}mtls root CA /,
    );
    assert.doesNotMatch(closed, /not encrypted|sesame/);
    const { stdout: trusted } = await mtls(['export', 'p7b', '--trust'], { cwd });
    assert.match(trusted, /^✓ \S+\/trust\.p7b\n {2}1 certificate of the workspace, to be trusted\n/);
  });

  it('asks for what is missing, and refuses what does not go together', async () => {
    for (const args of [
      ['pem'],
      ['pem', 'api', '--trust'],
      ['pem', 'api', '--no-key', '--encrypt'],
      ['pem', '--trust', '--encrypt'],
      ['pem', 'api', '--der', '--encrypt'],
      ['p12', 'api', 'web'],
      ['p7b', 'api', '--passphrase-file', 'pass.txt'],
    ])
      assert.equal((await failure(...args)).code, 'USAGE', args.join(' '));
    assert.equal((await failure('p12', 'nobody', ...withPassphrase)).code, 'SERVICE_NOT_FOUND');
    const elsewhere = temporaryDirectory();
    assert.equal((await told(['export', 'pem', 'api'], { cwd: elsewhere.path })).code, 'WORKSPACE_NOT_FOUND');
    elsewhere.remove();
  });

  describe('of a service whose key', () => {
    const key = () => service('web', 'tls.key');
    let whole: Buffer;
    // a link into the version that is shown: the file itself is replaced
    const lay = (bytes: Buffer | string, mode = 0o600): void => {
      rmSync(key());
      writeFileSync(key(), bytes, { mode });
    };
    before(() => (whole = readFileSync(key())));
    afterEach(() => lay(whole));

    it('is not here says what can be had', async () => {
      renameSync(key(), at('away.key'));
      for (const [args, hint] of [
        [['pem', 'web'], 'mtls export pem --no-key web'],
        [['p12', 'web', ...withPassphrase], 'mtls export p7b web'],
      ] as const) {
        const { code, message, hints } = await failure(...args);
        assert.deepEqual([code, message, hints], ['USAGE', 'the key of web is not here', [hint]]);
        assert.equal((await mtls(hint.split(' ').slice(1), { cwd })).code, 0);
      }
      renameSync(at('away.key'), key());
    });

    it('belongs to another certificate is not exported', async () => {
      lay(readFileSync(service('api', 'tls.key')));
      assert.equal((await failure('pem', 'web')).code, 'KEY_MISMATCH');
      assert.equal((await failure('p12', 'web', ...withPassphrase)).code, 'KEY_MISMATCH');
    });

    modes('others can read is not exported', async () => {
      lay(whole);
      chmodSync(key(), 0o644);
      assert.equal((await failure('pem', 'web')).code, 'FILE_MODE_TOO_OPEN');
    });

    it('is encrypted opens by the passphrase that protects what is written', async () => {
      lay(encryptedPrivateKeyToPem(pkcs8Of(readPrivateKey(whole, 'tls.key')), 'open sesame'));
      assert.equal((await failure('pem', 'web')).code, 'KEY_ENCRYPTED');
      const fd = `'${process.execPath}' '${MTLS}' export p12 web --passphrase-fd 3 3<pass.txt`;
      assert.equal(spawnSync('bash', ['-c', fd], { cwd, env: plainEnvironment() }).status, 0);
      assert.equal(readPkcs12(readFileSync(at('web.p12')), 'open sesame', 'x').keys.length, 1);
      await exported('pem', 'web', ...withPassphrase);
      assert.ok(isKeyOf(readPrivateKey(readFileSync(at('web.pem')), 'x'), certificateOf('web').publicKey));
      directory.file('wrong.txt', 'wrong');
      assert.equal((await failure('p12', 'web', '--force', '--passphrase-file', 'wrong.txt')).code, 'PASSPHRASE_WRONG');
    });
  });

  it('writes several CAs where a workspace trusts several, and not as one certificate', async () => {
    const bundle = at('.mtls/authority/bundle.pem');
    const whole = readFileSync(bundle);
    writeFileSync(bundle, Buffer.concat([whole, readFileSync(service('api', 'tls.crt'))]));
    try {
      assert.equal((await failure('pem', '--trust', '--der')).message, '--der writes one certificate, found 2');
      assert.equal((await exported('p12', '--trust', ...withPassphrase)).certificates.length, 2);
    } finally {
      writeFileSync(bundle, whole);
    }
  });
});
