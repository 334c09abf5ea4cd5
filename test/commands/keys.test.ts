import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { type KeyObject, createPrivateKey } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { temporaryDirectory } from '../support/material.js';
import { MTLS, mtls, plainEnvironment } from '../support/session.js';
import { told } from '../support/told.js';

const modes = process.platform === 'win32' ? it.skip : it;

describe('private keys', function () {
  this.timeout(60_000);
  const directory = temporaryDirectory();
  const cwd = directory.path;
  const service = (name: string, file: string): string => join('.mtls', 'services', name, file);
  const files = ['--cert', service('web', 'tls.crt'), '--ca', service('web', 'ca.crt')];
  const proxied = ['proxy', ...files, '--listen', 'mtls://127.0.0.1:0', '--upstream', 'http://127.0.0.1:1', '--allow', 'api'];
  const keyOf = (name: string): KeyObject => createPrivateKey(readFileSync(join(cwd, service(name, 'tls.key'))));
  const encrypted = (key: KeyObject, passphrase: string): string =>
    key.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase }) as string;
  before(async () => {
    assert.equal((await mtls(['init', '--yes'], { cwd })).code, 0);
    assert.equal((await mtls(['issue', 'api', 'web'], { cwd })).code, 0);
    directory.file('enc.key', encrypted(keyOf('web'), 'open sesame'));
    directory.file('right.txt', 'open sesame\n');
    directory.file('wrong.txt', 'open barley\n');
  });
  after(directory.remove);

  describe('that others can read are refused', () => {
    before(() => {
      directory.file('open.key', readFileSync(join(cwd, service('web', 'tls.key'))));
      chmodSync(join(cwd, 'open.key'), 0o644);
      chmodSync(join(cwd, service('api', 'tls.key')), 0o644);
    });
    after(() => chmodSync(join(cwd, service('api', 'tls.key')), 0o600));

    for (const [what, args, key] of [
      ['probe --key', ['probe', 'localhost:1', ...files, '--key', 'open.key'], 'open.key'],
      ['probe --as', ['probe', 'localhost:1', '--as', 'api'], service('api', 'tls.key')],
      ['proxy --key', [...proxied, '--key', 'open.key'], 'open.key'],
    ] as const) {
      modes(`by ${what}`, async () => {
        const { code, hints } = await told(args, { cwd });
        assert.equal(code, 'FILE_MODE_TOO_OPEN');
        assert.match(hints[0]!, new RegExp(`^chmod 0600 \\S*${key}$`));
      });
    }
  });

  describe('that are encrypted', () => {
    for (const [what, args] of [
      ['probe', ['probe', '127.0.0.1:1', ...files, '--key', 'enc.key']],
      ['proxy', [...proxied, '--key', 'enc.key']],
    ] as const) {
      const hint = new RegExp(`^read -rs MTLS_PASSPHRASE && .* mtls ${what} .* --key enc\\.key.* --passphrase-env MTLS_PASSPHRASE$`);
      it(`are not opened by ${what} without a passphrase, and it says how`, async () => {
        const { code, hints } = await told(args, { cwd });
        assert.equal(code, 'KEY_ENCRYPTED');
        assert.equal(hints.length, 1);
        assert.match(hints[0]!, hint);
      });
      it(`are not opened by ${what} with another one`, async () => {
        const { code, hints } = await told([...args, '--passphrase-file', 'wrong.txt'], { cwd });
        assert.equal(code, 'PASSPHRASE_WRONG');
        assert.match(hints[0]!, hint);
        assert.doesNotMatch(hints[0]!, /passphrase-file/);
      });
    }

    it('are opened by probe with the right one, by file or variable, as the hint has it', async () => {
      const args = ['probe', '127.0.0.1:1', ...files, '--key', 'enc.key'];
      assert.equal((await mtls([...args, '--passphrase-file', 'right.txt'], { cwd })).code, 1);
      const { hints } = await told(args, { cwd });
      const pasted = hints[0]!.replace('-rs', '-r').replace(' mtls ', ` '${process.execPath}' '${MTLS}' `);
      const child = spawn('bash', ['-c', pasted], { cwd, env: plainEnvironment() });
      child.stdin.end('open sesame\n');
      assert.equal(((await once(child, 'close')) as [number])[0], 1);
    });

    it('serve a sidecar, which opens the next one too', async () => {
      const upstream = createServer((_request, response) => response.end('ok')).listen(0, '127.0.0.1');
      await once(upstream, 'listening');
      directory.file('own.key', encrypted(keyOf('web'), 'open sesame'));
      directory.file('own.crt', readFileSync(join(cwd, service('web', 'tls.crt'))));
      const ends = ['--listen', 'mtls://127.0.0.1:0', '--upstream', `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`];
      const own = ['--cert', 'own.crt', '--key', 'own.key', '--ca', service('web', 'ca.crt'), '--passphrase-file', 'own.txt'];
      directory.file('own.txt', 'open sesame');
      const child = spawn(process.execPath, [MTLS, 'proxy', '--json', ...own, ...ends, '--allow', 'api'], { cwd, env: plainEnvironment() });
      try {
        const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
        const next = async () => JSON.parse((await lines.next()).value as string) as { event: string; url: string; serial: string };
        const { event, url } = await next();
        assert.equal(event, 'listening');
        const probed = await mtls(['probe', url.replace('mtls://', ''), '--as', 'api', '--http', '/'], { cwd });
        assert.equal(probed.code, 0, probed.stdout + probed.stderr);
        while ((await next()).event !== 'decision');
        // everything changes at once: key, certificate, passphrase
        assert.equal((await mtls(['issue', 'web'], { cwd })).code, 0);
        writeFileSync(join(cwd, 'own.txt'), 'another');
        writeFileSync(join(cwd, 'own.crt'), readFileSync(join(cwd, service('web', 'tls.crt'))));
        writeFileSync(join(cwd, 'own.key'), encrypted(keyOf('web'), 'another'));
        for (let line = await next(); line.event !== 'reloaded';) line = await next();
      } finally {
        child.kill('SIGKILL');
        upstream.close();
      }
    });
  });
});
