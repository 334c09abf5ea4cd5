import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { findRevoked, readCrl } from '../../src/pki/crl.js';
import { readCertificates } from '../../src/pki/material.js';
import { readOcspResponse } from '../../src/pki/ocsp.js';
import { ocspRequestFor } from '../../src/pki/ocsp-request.js';
import { runningInWorkspace } from '../support/running.js';
import { mtls } from '../support/session.js';
import { told } from '../support/told.js';

type Line = Readonly<Record<string, unknown>> & { readonly event: string };

describe('commands that serve', function () {
  this.timeout(60_000);
  const { cwd, start } = runningInWorkspace();
  const serving = async (...args: readonly string[]) => {
    const { child, heard, ended } = start(...args, '--json', '--listen', '127.0.0.1:0');
    const lines: Line[] = [];
    const reader = createInterface(child.stdout);
    reader.on('line', (line) => lines.push(JSON.parse(line) as Line));
    while (!lines.some(({ event }) => event === 'listening')) {
      if (child.exitCode !== null) throw new Error(`it ended: ${heard.stderr}`);
      await sleep(20);
    }
    return { child, lines, ended, heard, url: lines.find(({ event }) => event === 'listening')!['url'] as string };
  };
  const leafOf = (name: string) => readCertificates(join(cwd, '.mtls', 'services', name, 'tls.crt'))[0]!;
  const root = () => readCertificates(join(cwd, '.mtls', 'authority', 'root.crt'))[0]!;
  const statusOf = async (url: string, name: string): Promise<string> => {
    const headers = { 'Content-Type': 'application/ocsp-request' };
    const response = await fetch(url, { method: 'POST', headers, body: ocspRequestFor(leafOf(name), root()) });
    return readOcspResponse(Buffer.from(await response.arrayBuffer())).responses[0]!.status;
  };
  const fetchCrl = async (url: string) => readCrl(Buffer.from(await (await fetch(`${url}/root.crl`)).arrayBuffer()));

  it('say what is revoked as soon as it is', async () => {
    const [ocsp, crl] = await Promise.all([serving('ocsp', 'serve'), serving('crl', 'serve')]);
    assert.equal(await statusOf(ocsp.url, 'web'), 'good');
    assert.equal(findRevoked(await fetchCrl(crl.url), leafOf('web').serial), undefined);
    assert.equal((await mtls(['revoke', 'web', '--reason', 'keyCompromise'], { cwd })).code, 0);
    await sleep(1_100);
    assert.equal(await statusOf(ocsp.url, 'web'), 'revoked');
    assert.equal(findRevoked(await fetchCrl(crl.url), leafOf('web').serial)?.reason, 'keyCompromise');
    assert.equal(await statusOf(ocsp.url, 'api'), 'good');
    while (ocsp.lines.length < 5) await sleep(20);
    assert.deepEqual(
      ocsp.lines.map(({ event, outcome }) => [event, outcome]),
      [['delegated', undefined], ['listening', undefined], ...Array<string[]>(3).fill(['answered', 'successful'])],
    );
    for (const { lines } of [ocsp, crl]) assert.ok(lines.every(({ time }) => typeof time === 'string'));
  });

  for (const [signal, code] of [
    ['SIGTERM', 0],
    ['SIGINT', 130],
  ] as const)
    it(`drain at ${signal}, and exit ${code}`, async () => {
      for (const topic of ['ocsp', 'crl']) {
        const { child, ended, lines, heard } = await serving(topic, 'serve');
        child.kill(signal);
        assert.deepEqual([await ended, heard.stderr, lines.at(-1)!.event], [code, '', 'draining']);
      }
    });

  it('tell people in lines: answers on stdout, the rest on stderr', async () => {
    const { child, heard, ended } = start('ocsp', 'serve', '--listen', '127.0.0.1:0');
    while (!heard.stderr.includes('serving on')) await sleep(20);
    const [, url] = /serving on (http:\S+)/.exec(heard.stderr)!;
    assert.equal(await statusOf(url!, 'api'), 'good');
    child.kill('SIGTERM');
    assert.equal(await ended, 0);
    assert.match(heard.stdout, /^\d\d:\d\d:\d\d ✓ POST 200 successful, [0-9a-f]+ good 127\.0\.0\.1:\d+\n$/);
    assert.match(heard.stderr, /^\S+ delegated ca=mtls root CA [0-9a-f]{8} until=\S+\n\S+ serving on http:\S+\n\S+ draining\n$/);
  });

  it('say what keeps them from it', async () => {
    const { url } = await serving('crl', 'serve');
    const taken = await told(['crl', 'serve', '--listen', new URL(url).host], { cwd });
    assert.equal(taken.code, 'LISTEN_FAILED');
    assert.deepEqual(await told(['crl', 'serve', '--listen', 'here'], { cwd }), {
      code: 'VALUE_INVALID',
      message: '--listen: expected HOST:PORT or [IPV6]:PORT, found "here"',
      hints: ['mtls crl serve --help'],
    });
    assert.equal((await told(['ocsp', 'serve', '--valid', 'long'], { cwd })).code, 'VALUE_INVALID');
    const ends = ['--as', 'web', '--listen', 'http://127.0.0.1:0', '--upstream', 'mtls://127.0.0.1:1', '--expect', 'api'];
    const outbound = await told(['proxy', ...ends, '--staple', 'x.der'], { cwd });
    assert.deepEqual([outbound.code, outbound.message], ['USAGE', "--staple is for the service's side: only a server staples"]);
    const inbound = ['--as', 'api', '--listen', 'mtls://127.0.0.1:0', '--upstream', 'http://127.0.0.1:1', '--allow', 'web'];
    assert.equal((await told(['proxy', ...inbound, '--staple', 'x.der'], { cwd })).code, 'FILE_NOT_FOUND');
    rmSync(join(cwd, '.mtls', 'authority', 'root.crl'));
    const without = await told(['crl', 'serve'], { cwd });
    assert.deepEqual([without.code, without.hints], ['FILE_NOT_FOUND', ['mtls crl']]);
  });
});
