import assert from 'node:assert/strict';
import { once } from 'node:events';
import { renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent, request as httpsRequest } from 'node:https';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ConnectionOptions, type TLSSocket, connect as connectTls } from 'node:tls';
import { initializeWorkspace, issueCertificates, servicePaths } from '../../src/authority/index.js';
import { certificatePem, keyPem, temporaryDirectory, testCa, testCrl, testLeaf } from '../support/material.js';
import { Closing, asClient, ask, echo, layFiles, service, sidecar, spiffe, until } from './support.js';

/** A connection that stays open, past the answer to one request. */
async function stay(address: { host: string; port: number }, options: ConnectionOptions): Promise<TLSSocket> {
  const socket = connectTls({ ...address, ...options });
  socket.on('error', () => {}).write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  await once(socket, 'data');
  return socket;
}

describe('a sidecar that is left running', () => {
  const open = new Closing();
  afterEach(() => open.all());

  const start = async (more: { clock?: () => Date } = {}) => {
    const laid = layFiles();
    open.later(laid.directory.remove);
    const running = open.add(
      await sidecar({
        listen: 'mtls://127.0.0.1:0',
        upstream: open.add(await echo()).url,
        files: laid.files,
        allow: [spiffe('web')],
        ...more,
      }),
    );
    return { ...laid, ...running, web: testLeaf(laid.ca, { name: 'web' }) };
  };

  it('sees a new CRL by itself, and ends the connections of whoever is in it', async () => {
    const { ca, web, address, audit, directory } = await start();
    const other = testLeaf(ca, { name: 'web' });
    const [revoked, kept] = [await stay(address, asClient(web, ca)), await stay(address, asClient(other, ca))];
    directory.file('ca.crl', testCrl(ca, [web.certificate.serial]));
    await once(revoked, 'close');
    const [line] = audit.filter(({ event }) => event === 'ended');
    assert.deepEqual([line?.code, line?.id], ['CERTIFICATE_REVOKED', audit[0]?.id]);
    assert.equal(kept.destroyed, false);
    kept.destroy();
  });

  it('ends a connection when its certificate ends', async () => {
    let now = new Date();
    const { ca, web, address, audit } = await start({ clock: () => now });
    const socket = await stay(address, asClient(web, ca));
    now = new Date(web.certificate.notAfter + 2_000);
    await once(socket, 'close');
    assert.deepEqual(
      audit.map(({ code }) => code),
      ['ALLOWED', 'CERTIFICATE_EXPIRED'],
    );
  });

  it('ends connections when the CRL is late: nobody can tell then', async () => {
    let now = new Date();
    const { ca, web, address, audit } = await start({ clock: () => now });
    const socket = await stay(address, asClient(web, ca));
    now = new Date(now.getTime() + 2 * 3_600_000);
    await once(socket, 'close');
    assert.equal(audit.at(-1)?.code, 'CRL_UNUSABLE');
  });

  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    it(`judges a resumed session over ${version} anew`, async () => {
      const { ca, web, url, audit, directory, reload } = await start();
      // a client that comes back with the session it was given
      const agent = new Agent({ ...asClient(web, ca), minVersion: version, maxVersion: version, keepAlive: false, maxCachedSessions: 10 });
      const send = (): Promise<number> =>
        new Promise((resolve, reject) => {
          httpsRequest(url.replace('mtls', 'https'), { agent }, (response: IncomingMessage) => {
            response.resume().on('end', () => resolve(response.statusCode!));
          })
            .on('error', reject)
            .end();
        });
      assert.equal(await send(), 200);
      assert.equal(await send(), 200);
      assert.deepEqual(
        audit.map(({ tls }) => tls?.resumed),
        [false, true],
      );
      assert.deepEqual(audit[1]?.peer.identity, spiffe('web'));
      directory.file('ca.crl', testCrl(ca, [web.certificate.serial]));
      assert.equal(reload(), true);
      assert.equal(await send(), 403);
      assert.equal(audit.at(-1)?.code, 'CERTIFICATE_REVOKED');
      agent.destroy();
    });
  }

  it('takes a chain with an intermediate again when its session comes back', async () => {
    const { ca, files, directory } = layFiles();
    open.later(directory.remove);
    const issuing = testCa({ name: 'issuing', issuer: ca, pathLength: 0 });
    const web = testLeaf(issuing, { name: 'web' });
    const { crl: _none, ...withoutCrl } = files;
    const running = open.add(
      await sidecar({
        listen: 'mtls+tcp://127.0.0.1:0',
        upstream: open.add(await echo()).url.replace('http', 'tcp'),
        files: withoutCrl,
        allow: [spiffe('web')],
      }),
    );
    const options = { ...asClient(web, ca), cert: certificatePem(web.certificate, issuing.certificate) };
    const first = connectTls({ ...running.address, ...options });
    first.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    const [session] = (await once(first, 'session')) as [Buffer];
    first.destroy();
    const second = connectTls({ ...running.address, ...options, session });
    await once(second, 'secureConnect');
    assert.equal(second.isSessionReused(), true);
    await until(() => running.audit.length === 2);
    assert.deepEqual(
      running.audit.map(({ code }) => code),
      ['ALLOWED', 'ALLOWED'],
    );
    second.destroy();
  });

  it('shows its new certificate after the switch of a link, and loses no connection', async () => {
    const directory = temporaryDirectory();
    open.later(directory.remove);
    const clock = (): Date => new Date();
    const { workspace, root } = initializeWorkspace({ directory: join(directory.path, '.mtls'), clock, trustDomain: 'shop.test' });
    const first = (await issueCertificates(workspace, [{ name: 'api' }, { name: 'web' }], clock))[0]!;
    const { certificate, key, ca } = servicePaths(workspace, 'api');
    const running = open.add(
      await sidecar({
        listen: 'mtls://127.0.0.1:0',
        upstream: open.add(await echo()).url,
        files: { certificate, key, ca, crl: workspace.paths.root.crl },
        allow: [spiffe('web')],
      }),
    );
    const { readFileSync } = await import('node:fs');
    const web = servicePaths(workspace, 'web');
    const client = { ca: certificatePem(root), servername: 'localhost', cert: readFileSync(web.certificate), key: readFileSync(web.key) };
    const serialShown = async (): Promise<string> => {
      const socket = connectTls({ ...running.address, ...client });
      await once(socket, 'secureConnect');
      const serial = socket.getPeerX509Certificate()!.serialNumber.toLowerCase();
      socket.destroy();
      return serial;
    };
    const old = await stay(running.address, client);
    assert.equal(BigInt(`0x${await serialShown()}`), BigInt(`0x${first.entry.serial}`));
    const [second] = await issueCertificates(workspace, [{ name: 'api' }], clock);
    await until(() => running.logged.some(({ event }) => event === 'reloaded'));
    assert.equal(BigInt(`0x${await serialShown()}`), BigInt(`0x${second!.entry.serial}`));
    old.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await once(old, 'data');
    old.destroy();
  });

  it('keeps what it has while a pair is torn or a file is nothing, says so, and takes the next good one', async () => {
    const { ca, web, url, files, directory, logged, leaf } = await start();
    const next = testLeaf(ca, { name: 'api' });
    const failures = () => logged.filter(({ event }) => event.startsWith('reload failed')).map(({ fields }) => fields['code']);
    writeFileSync(files.certificate, certificatePem(next.certificate));
    await until(() => failures().length === 1);
    writeFileSync(files.crl, 'nonsense');
    await until(() => failures().length === 2);
    assert.equal((await ask(url, asClient(web, ca))).status, 200);
    assert.equal(failures()[0], 'KEY_MISMATCH');
    writeFileSync(files.crl, testCrl(ca));
    // a rename, as most tools write
    renameSync(directory.file('next.key', keyPem(next.key)), files.key);
    await until(() => logged.some(({ event }) => event === 'reloaded'));
    assert.notEqual(next.certificate.serial, leaf.certificate.serial);
    assert.equal((await ask(url, asClient(web, ca))).status, 200);
  });

  it('trusts the CAs of a new bundle, and no longer those of the old one', async () => {
    const { ca, web, url, address, files, directory, reload, logged } = await start();
    const live = await stay(address, asClient(web, ca));
    const other = testCa({ name: 'next root' });
    const own = testLeaf(other, { name: 'api' });
    for (const [name, text] of [
      ['tls.crt', certificatePem(own.certificate)],
      ['tls.key', keyPem(own.key)],
      ['ca.crt', certificatePem(other.certificate)],
      ['ca.crl', testCrl(other)],
    ] as const)
      directory.file(`new-${name}`, text);
    for (const [path, name] of [
      [files.certificate, 'tls.crt'],
      [files.key, 'tls.key'],
      [files.ca, 'ca.crt'],
      [files.crl, 'ca.crl'],
    ] as const) {
      symlinkSync(join(directory.path, `new-${name}`), `${path}.link`);
      renameSync(`${path}.link`, path);
    }
    const closed = once(live, 'close');
    reload();
    await closed;
    assert.ok(logged.some(({ event }) => event === 'reloaded'));
    assert.equal((await ask(url, { ...asClient(testLeaf(other, { name: 'web' }), other) })).status, 200);
    assert.equal((await ask(url, { ...asClient(web, ca), ca: certificatePem(other.certificate) })).status, 403);
  });

  it('lets what is under way finish when it is stopped, takes nothing new, and tells the client to go', async () => {
    let release: (() => void) | undefined;
    const slow = open.add(
      await service((_request, response) => {
        response.write('begun ');
        release = () => response.end('done');
      }),
    );
    const { ca, files, directory } = layFiles();
    open.later(directory.remove);
    const running = await sidecar({ listen: 'mtls://127.0.0.1:0', upstream: slow.url, files, allow: [spiffe('web')], drainMs: 5_000 });
    const web = testLeaf(ca, { name: 'web' });
    const idle = connectTls({ ...running.address, ...asClient(web, ca) });
    await once(idle, 'secureConnect');
    const request = httpsRequest(running.url.replace('mtls', 'https'), { ...asClient(web, ca), agent: false });
    request.end();
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    const stopped = running.stop();
    await assert.rejects(ask(running.url, asClient(web, ca)), { code: 'ECONNREFUSED' });
    release!();
    assert.equal((await response.toArray()).join(''), 'begun done');
    idle.on('error', () => {}).destroy();
    await stopped;
  });

  it('does not wait longer than it may', async () => {
    const stuck = open.add(await service((_request, response) => response.write('begun')));
    const { ca, files, directory } = layFiles();
    open.later(directory.remove);
    const running = await sidecar({ listen: 'mtls://127.0.0.1:0', upstream: stuck.url, files, allow: [spiffe('web')], drainMs: 200 });
    const request = httpsRequest(running.url.replace('mtls', 'https'), { ...asClient(testLeaf(ca, { name: 'web' }), ca), agent: false });
    request.on('error', () => {}).end();
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    response.on('error', () => {});
    const closed = new Promise((resolve) => response.on('close', resolve));
    await running.stop();
    await closed;
  });

  it('makes new connections to the upstream with a new certificate of its own', async () => {
    const { ca, ...api } = layFiles();
    const web = layFiles(ca, 'web');
    open.later(() => [api, web].forEach(({ directory }) => directory.remove()));
    const far = open.add(
      await sidecar({ listen: 'mtls://127.0.0.1:0', upstream: open.add(await echo()).url, files: api.files, allow: [spiffe('web')] }),
    );
    const near = open.add(await sidecar({ listen: 'http://127.0.0.1:0', upstream: far.url, files: web.files, expect: [spiffe('api')] }));
    const send = (): Promise<void> =>
      new Promise((resolve, reject) => {
        httpRequest(near.url, { agent: false }, (response) => response.resume().on('end', () => resolve()))
          .on('error', reject)
          .end();
      });
    await send();
    const next = testLeaf(ca, { name: 'web' });
    writeFileSync(web.files.certificate, certificatePem(next.certificate));
    writeFileSync(web.files.key, keyPem(next.key));
    assert.equal(near.reload(), true);
    await sleep(50);
    await send();
    const serials = far.audit.map(({ peer }) => BigInt(`0x${peer.serial}`));
    assert.deepEqual(
      serials,
      [web.leaf, next].map(({ certificate }) => BigInt(`0x${certificate.serial}`)),
    );
  });
});
