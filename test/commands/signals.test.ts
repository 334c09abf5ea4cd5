import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { createServer, get } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { temporaryDirectory } from '../support/material.js';
import { MTLS, mtls, plainEnvironment } from '../support/session.js';

describe('signals', function () {
  this.timeout(60_000);
  const directory = temporaryDirectory();
  const cwd = directory.path;
  const children: ChildProcess[] = [];
  before(async () => {
    assert.equal((await mtls(['init', '--yes'], { cwd })).code, 0);
    assert.equal((await mtls(['issue', 'api', 'web'], { cwd })).code, 0);
  });
  afterEach(() => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
  });
  after(directory.remove);

  const start = (...args: readonly string[]) => {
    const child = spawn(process.execPath, [MTLS, ...args], { cwd, env: plainEnvironment() });
    children.push(child);
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, stderr }));
    return { child, ended };
  };
  const sidecar = async (upstream: string, ...more: readonly string[]) => {
    const ends = ['--as', 'web', '--listen', 'http://127.0.0.1:0', '--upstream', upstream, '--expect', 'api'];
    const { child, ended } = start('proxy', '--json', ...ends, ...more);
    const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
    return { child, ended, url: (JSON.parse(line) as { url: string }).url };
  };

  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 0],
  ] as const) {
    it(`a sidecar drains at ${signal}, and exits ${code}`, async () => {
      const { child, ended } = await sidecar('mtls://127.0.0.1:1');
      child.kill(signal);
      assert.deepEqual(await ended, { code, stderr: '' });
    });
  }

  it('a second one does not wait for what is under way', async () => {
    const service = createServer().listen(0, '127.0.0.1');
    const asked = once(service, 'request');
    await once(service, 'listening');
    const inbound = start(
      ...['proxy', '--json', '--as', 'api', '--listen', 'mtls://127.0.0.1:0', '--allow', 'web'],
      ...['--upstream', `http://127.0.0.1:${(service.address() as AddressInfo).port}`],
    );
    const [line] = (await once(createInterface(inbound.child.stdout), 'line')) as [string];
    const { child, ended, url } = await sidecar((JSON.parse(line) as { url: string }).url, '--drain', '50s');
    get(url).on('error', () => {});
    await asked;
    child.kill('SIGINT');
    assert.equal(await Promise.race([ended, sleep(500, 'it waits')]), 'it waits');
    child.kill('SIGINT');
    const { code } = await ended;
    service.close();
    service.closeAllConnections();
    assert.equal(code, 130);
  });

  it('Ctrl-C while certificates are issued leaves nothing half-made', async () => {
    const names = Array.from({ length: 400 }, (_, i) => `many${i}`);
    const { child, ended } = start('issue', ...names);
    while (!existsSync(join(cwd, '.mtls', 'authority', 'lock'))) {
      if (child.exitCode !== null) assert.fail(`it ended without the lock: ${(await ended).stderr}`);
      await sleep(1);
    }
    child.kill('SIGINT');
    assert.equal((await ended).code, 130);
    assert.equal((await mtls(['issue', 'after'], { cwd })).code, 0);
    const { stdout } = await mtls(['list', '--json'], { cwd });
    const listed = (JSON.parse(stdout) as { certificates: { name: string }[] }).certificates.map(({ name }) => name);
    const shown = readdirSync(join(cwd, '.mtls', 'services'));
    assert.deepEqual(
      shown.filter((name) => !listed.includes(name)),
      [],
      'a certificate that the ledger does not know',
    );
    assert.deepEqual(
      readdirSync(join(cwd, '.mtls', 'authority')).filter((name) => /lock|\.tmp$/.test(name)),
      [],
    );
  });
});
