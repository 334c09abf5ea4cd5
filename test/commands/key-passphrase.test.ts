import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, get } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { isEncryptedKey, isKeyOf, readPrivateKey } from '../../src/pki/key.js';
import { readCertificates } from '../../src/pki/material.js';
import { needs } from '../support/programs.js';
import { runningInWorkspace } from '../support/running.js';
import { MTLS, mtls, plainEnvironment } from '../support/session.js';
import { told } from '../support/told.js';

const SECRET = 'pässwörd of tls.key';

describe('a key of a service under a passphrase', function () {
  this.timeout(60_000);
  const { directory, cwd, start } = runningInWorkspace();
  const service = (name: string, file = 'tls.key'): string => join(cwd, '.mtls', 'services', name, file);
  const isClosed = (name: string): boolean => isEncryptedKey(readFileSync(service(name)));
  const opened = (name: string, passphrase = SECRET) => readPrivateKey(readFileSync(service(name)), name, passphrase);
  const certificateOf = (name: string) => readCertificates(service(name, 'tls.crt'))[0]!;
  const assertOpenedBy = (name: string, passphrase = SECRET): void => {
    assert.ok(isClosed(name), name);
    assert.ok(isKeyOf(opened(name, passphrase), certificateOf(name).publicKey), name);
  };
  const done = async (args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<string> => {
    const { code, stdout, stderr } = await mtls(args, { cwd, env });
    assert.equal(code, 0, stdout + stderr);
    assert.doesNotMatch(stdout + stderr, /pässwörd/);
    return stdout;
  };
  const withFile = ['--key-passphrase-file', 'key.pass'];
  before(() => {
    directory.file('key.pass', `${SECRET}\n`);
    directory.file('other.pass', 'another\n');
  });

  describe('that issue writes', () => {
    it('is opened by the passphrase, wherever that comes from, and by no other', async () => {
      await done(['issue', 'one', ...withFile]);
      await done(['issue', 'two', '--key-passphrase-env', 'KEY_PASS'], { KEY_PASS: SECRET });
      await done(['issue', 'three', '--key-passphrase-command', 'cat key.pass']);
      const byDescriptor = `'${process.execPath}' '${MTLS}' issue four --key-passphrase-fd 3 3<key.pass`;
      assert.equal(spawnSync('bash', ['-c', byDescriptor], { cwd, env: plainEnvironment() }).status, 0);
      for (const name of ['one', 'two', 'three', 'four']) assertOpenedBy(name);
      assert.throws(() => opened('one', 'another'), { code: 'PASSPHRASE_WRONG' });
      assert.equal(statSync(service('one')).mode & 0o777, process.platform === 'win32' ? 0o666 : 0o600);
    });

    it('shakes hands in a smoke test', async () => {
      const { issued } = JSON.parse(await done(['issue', 'smoked', '--key-type', 'ed25519', '--smoke', ...withFile, '--json'])) as {
        issued: { handshake: { version: string } }[];
      };
      assert.equal(issued[0]!.handshake.version, 'TLSv1.3');
      assertOpenedBy('smoked');
    });

    it('is under the one passphrase for all of a list', async () => {
      writeFileSync(join(cwd, 'list.jsonl'), '{"name":"first"}\n{"name":"second"}\n');
      await done(['issue', '--from', 'list.jsonl', '--smoke', ...withFile]);
      assertOpenedBy('first');
      assertOpenedBy('second');
      assert.notEqual(readFileSync(service('first'), 'utf8'), readFileSync(service('second'), 'utf8'));
    });

    it('lies open where no flag names a passphrase, and is not written where it is not ours to see', async () => {
      assert.ok(!isClosed('web'));
      directory.file('mine.pub', '');
      for (const flag of ['--csr', '--key'])
        assert.equal((await told(['issue', 'x', flag, 'mine.pub', ...withFile], { cwd })).code, 'USAGE', flag);
      const twice = ['issue', 'x', ...withFile, '--key-passphrase-env', 'X'];
      assert.equal((await told(twice, { cwd })).code, 'USAGE');
      directory.file('empty.pass', '\n');
      assert.equal((await told(['issue', 'x', '--key-passphrase-file', 'empty.pass'], { cwd })).code, 'VALUE_INVALID');
    });

    describe('and openssl', () => {
      before(needs('openssl'));
      it('opens it, and not with another passphrase', async () => {
        await done(['issue', 'read', ...withFile]);
        const openssl = (file: string) =>
          spawnSync('openssl', ['pkey', '-in', service('read'), '-passin', `file:${file}`, '-pubout'], { cwd, encoding: 'utf8' });
        const certified = spawnSync('openssl', ['x509', '-in', service('read', 'tls.crt'), '-noout', '-pubkey'], { encoding: 'utf8' });
        assert.equal(openssl('key.pass').stdout, certified.stdout);
        assert.match(openssl('key.pass').stdout, /BEGIN PUBLIC KEY/);
        assert.notEqual(openssl('other.pass').status, 0);
      });
    });
  });

  describe('that renew meets', () => {
    interface Event {
      readonly event: string;
      readonly code: string;
      readonly hints: readonly string[];
    }
    const failedWith = async (...args: readonly string[]): Promise<Event> => {
      const { code, stdout } = await mtls(['renew', ...args, '--json'], { cwd });
      assert.equal(code, 1);
      const { events } = JSON.parse(stdout) as { events: Event[] };
      assert.deepEqual(
        events.map(({ event }) => event),
        ['failed'],
      );
      return events[0]!;
    };
    before(() => done(['issue', 'kept', ...withFile]));

    it('is not replaced by an open one, and its hint replaces it', async () => {
      const before = readFileSync(service('kept'));
      const { code, hints } = await failedWith('kept');
      assert.equal(code, 'NOT_RENEWABLE');
      assert.deepEqual(hints, ['mtls renew kept --key-passphrase-file FILE']);
      assert.deepEqual(readFileSync(service('kept')), before);
      await done(hints[0]!.replace('FILE', 'key.pass').split(' ').slice(1));
      assertOpenedBy('kept');
      assert.notDeepEqual(readFileSync(service('kept')), before);
    });

    it('is opened to be kept, and another passphrase does not open it', async () => {
      const before = certificateOf('kept');
      const { code, hints } = await failedWith('kept', '--same-key', '--key-passphrase-file', 'other.pass');
      assert.deepEqual([code, hints], ['PASSPHRASE_WRONG', ['mtls renew kept --same-key --key-passphrase-file FILE']]);
      await done(['renew', 'kept', '--same-key', ...withFile]);
      assert.notEqual(certificateOf('kept').serial, before.serial);
      assert.deepEqual(certificateOf('kept').publicKey.der, before.publicKey.der);
      assertOpenedBy('kept');
    });

    it('is put under one on wish', async () => {
      await done(['renew', 'web', ...withFile]);
      assertOpenedBy('web');
    });

    it('is renewed by --watch, whose passphrase may come later', async () => {
      await done(['issue', 'watched', '--valid', '3s', ...withFile]);
      const before = certificateOf('watched').serial;
      const { child, heard, ended } = start('renew', '--watch', '--before', '2s', '--json', '--key-passphrase-file', 'late.pass');
      const heardOf = (word: string): boolean => heard.stdout.split('\n').some((line) => line.includes('"watched"') && line.includes(word));
      while (!heardOf('FILE_NOT_FOUND')) await once(child.stdout, 'data');
      directory.file('late.pass', `${SECRET}\n`);
      while (!heardOf('"renewed"')) await once(child.stdout, 'data');
      child.kill('SIGTERM');
      assert.equal(await ended, 0);
      assert.notEqual(certificateOf('watched').serial, before);
      assertOpenedBy('watched');
      rmSync(join(cwd, '.mtls', 'services', 'watched'), { recursive: true });
    });
  });

  describe('that others use', () => {
    before(() => done(['issue', 'used', ...withFile]));

    it('lets proxy serve, with its passphrase and not without', async () => {
      assert.equal(
        (
          await told(['proxy', '--as', 'used', '--listen', 'mtls://127.0.0.1:0', '--upstream', 'http://127.0.0.1:1', '--allow', 'api'], {
            cwd,
          })
        ).code,
        'KEY_ENCRYPTED',
      );
      const behind = createServer((_, response) => response.end('hello')).listen(0, '127.0.0.1');
      await once(behind, 'listening');
      const sidecar = async (...args: readonly string[]): Promise<string> => {
        const { child } = start('proxy', '--json', ...args);
        const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
        return (JSON.parse(line) as { url: string }).url;
      };
      const { port } = behind.address() as AddressInfo;
      const upstream = `http://127.0.0.1:${port}`;
      const far = await sidecar(
        '--as',
        'used',
        '--listen',
        'mtls://127.0.0.1:0',
        '--upstream',
        upstream,
        '--allow',
        'api',
        '--passphrase-file',
        'key.pass',
      );
      const near = await sidecar('--as', 'api', '--listen', 'http://127.0.0.1:0', '--upstream', far, '--expect', 'used');
      const status = await new Promise((resolve, reject) =>
        get(near, { agent: false }, (response) => resolve(response.statusCode)).on('error', reject),
      );
      behind.close();
      assert.equal(status, 200);
    });

    it('is nothing wrong to doctor, which says that it did not look inside', async () => {
      const { checks } = JSON.parse(await done(['doctor', '--json'])) as {
        checks: { findings: { code: string; severity: string; file: string }[] }[];
      };
      const findings = checks.flatMap((check) => check.findings).filter(({ file }) => file === service('used'));
      assert.deepEqual(
        findings.map(({ code, severity }) => [code, severity]),
        [['SERVICE_KEY_ENCRYPTED', 'notice']],
      );
    });

    it('is shown by inspect, closed and open', async () => {
      assert.match(await done(['inspect', service('used')]), /private key, encrypted/);
      assert.match(await done(['inspect', service('used'), '--passphrase-file', 'key.pass']), /EC/);
    });

    it('is exported with its passphrase', async () => {
      await done(['export', 'p12', 'used', '--passphrase-file', 'key.pass']);
      assert.equal((await told(['export', 'p12', 'used', '--force', '--passphrase-file', 'other.pass'], { cwd })).code, 'PASSPHRASE_WRONG');
    });
  });
});
