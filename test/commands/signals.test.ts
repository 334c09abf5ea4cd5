import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { createServer, get } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { runningInWorkspace } from '../support/running.js';
import { mtls } from '../support/session.js';

describe('signals', function () {
  this.timeout(60_000);
  const { cwd, start } = runningInWorkspace();
  const sidecar = async (upstream: string, ...more: readonly string[]) => {
    const ends = ['--as', 'web', '--listen', 'http://127.0.0.1:0', '--upstream', upstream, '--expect', 'api'];
    const { child, heard, ended } = start('proxy', '--json', ...ends, ...more);
    const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
    return { child, heard, ended, url: (JSON.parse(line) as { url: string }).url };
  };

  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 0],
  ] as const) {
    it(`a sidecar drains at ${signal}, and exits ${code}`, async () => {
      const { child, heard, ended } = await sidecar('mtls://127.0.0.1:1');
      child.kill(signal);
      assert.deepEqual([await ended, heard.stderr], [code, '']);
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
    const code = await ended;
    service.close();
    service.closeAllConnections();
    assert.equal(code, 130);
  });

  it('Ctrl-C while certificates are issued leaves nothing half-made', async () => {
    const names = Array.from({ length: 400 }, (_, i) => `many${i}`);
    const { child, heard, ended } = start('issue', ...names);
    while (!existsSync(join(cwd, '.mtls', 'authority', 'lock'))) {
      if (child.exitCode !== null) assert.fail(`it ended without the lock: ${heard.stderr}`);
      await sleep(1);
    }
    child.kill('SIGINT');
    assert.equal(await ended, 130);
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
