import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type IncomingMessage, createServer as createHttpServer, request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { type AddressInfo, type Socket, connect } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import { isError } from '../../src/errors.js';
import { OID } from '../../src/pki/oids.js';
import { certificatePem, keyPem, testCa, testCrl, testLeaf } from '../support/material.js';
import { Closing, type Leaf, asClient, ask, echo, layFiles, service, sidecar, spiffe } from './support.js';

const A_PORT_WHERE_NOTHING_LISTENS = 'http://127.0.0.1:1';

describe('a sidecar before an HTTP service', () => {
  const open = new Closing();
  afterEach(() => open.all());

  const { ca, files, directory } = layFiles();
  after(directory.remove);
  const web = testLeaf(ca, { name: 'web' });
  const inbound = async (upstream: string, crl?: string) => {
    if (crl !== undefined) directory.file('ca.crl', crl);
    else directory.file('ca.crl', testCrl(ca));
    return open.add(await sidecar({ listen: 'mtls://127.0.0.1:0', upstream, files, allow: [spiffe('web')] }));
  };

  it('passes a request on, and tells the service who its caller is', async () => {
    const { url, audit } = await inbound(open.add(await echo()).url);
    const { status, body } = await ask(`${url}/path?a=1`, {
      ...asClient(web, ca),
      method: 'POST',
      body: 'hello',
      headers: { Host: 'api.shop.test', 'X-Forwarded-Client-Cert': 'URI=spiffe://evil', 'x-other': 'kept' },
    });
    assert.equal(status, 200);
    const got = JSON.parse(body) as { method: string; url: string; body: string; headers: Record<string, string>; rawHeaders: string[] };
    assert.deepEqual(
      [got.method, got.url, got.body, got.headers['host'], got.headers['x-other']],
      ['POST', '/path?a=1', 'hello', 'api.shop.test', 'kept'],
    );
    const told = got.headers['x-forwarded-client-cert']!;
    assert.match(told, new RegExp(`^By=${spiffe('api')};Hash=[0-9a-f]{64};Subject="CN=web";URI=${spiffe('web')};DNS=web;DNS=localhost$`));
    assert.equal(got.rawHeaders.filter((name) => name.toLowerCase() === 'x-forwarded-client-cert').length, 1);
    const [line, ...more] = audit;
    assert.deepEqual(more, []);
    assert.deepEqual(
      [line?.decision, line?.code, line?.direction, line?.peer.identity, line?.peer.serial?.length],
      ['allow', 'ALLOWED', 'inbound', spiffe('web'), web.certificate.serial.replace(/^00/, '').length],
    );
  });

  const refused: readonly [string, string, () => Leaf | undefined, (leaf: Leaf | undefined) => string][] = [
    ['nobody', 'NO_CERTIFICATE', () => undefined, () => testCrl(ca)],
    ['another CA', 'CERTIFICATE_UNTRUSTED', () => testLeaf(testCa(), { name: 'web' }), () => testCrl(ca)],
    [
      'what has ended',
      'CERTIFICATE_EXPIRED',
      () => testLeaf(ca, { name: 'web', notAfter: new Date(Date.now() - 1000) }),
      () => testCrl(ca),
    ],
    ['what was revoked', 'CERTIFICATE_REVOKED', () => testLeaf(ca, { name: 'web' }), (leaf) => testCrl(ca, [leaf!.certificate.serial])],
    ['a server', 'CERTIFICATE_PURPOSE', () => testLeaf(ca, { name: 'web', extendedKeyUsage: [OID.serverAuth] }), () => testCrl(ca)],
    ['somebody else', 'NOT_ALLOWED', () => testLeaf(ca, { name: 'billing' }), () => testCrl(ca)],
  ];
  for (const [who, code, leafOf, crlOf] of refused) {
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
      it(`refuses ${who} over ${version}: the client gets an id, the audit the reason`, async () => {
        let asked = 0;
        const upstream = open.add(await service((_request, response) => response.end(String(asked++))));
        const leaf = leafOf();
        const { url, audit } = await inbound(upstream.url, crlOf(leaf));
        const { status, body, headers } = await ask(url, { ...asClient(leaf, ca), minVersion: version, maxVersion: version });
        assert.deepEqual([status, headers.connection, asked], [403, 'close', 0]);
        const { error } = JSON.parse(body) as { error: { code: string; id: string } };
        const [line] = audit;
        assert.deepEqual(
          [line?.code, line?.decision, line?.id, error.code, Object.keys(error)],
          [code, 'deny', error.id, 'refused', ['code', 'id']],
        );
        assert.equal(line?.tls?.version, version);
      });
    }
  }

  it('streams what is large both ways, and waits for whoever is slower', async () => {
    const size = 64 * 1024 * 1024;
    let taken = 0;
    const source = function* (): Generator<Buffer> {
      const block = Buffer.alloc(64 * 1024, 7);
      for (taken = 0; taken < size; taken += block.length) yield block;
    };
    let received = 0;
    const upstream = open.add(
      await service((request, response) => {
        request.on('data', (part: Buffer) => (received += part.length)).on('end', () => void pipeline(source, response));
      }),
    );
    const { url } = await inbound(upstream.url);
    const request = httpsRequest(url.replace('mtls', 'https'), { ...asClient(web, ca), agent: false, method: 'PUT' });
    const answered = once(request, 'response') as Promise<[IncomingMessage]>;
    await pipeline(source, request);
    const [response] = await answered;
    assert.equal(received, size);
    // nobody reads: what is on its way fills the buffers of the sockets, and no more
    await sleep(500);
    const held = taken;
    assert.ok(held < size / 2, `${held} octets were taken from the service before anybody read them`);
    let got = 0;
    for await (const part of response as AsyncIterable<Buffer>) got += part.length;
    assert.equal(got, size);
  });

  it('passes trailers, status lines and repeated fields as they are', async () => {
    const upstream = open.add(
      await service((request, response) => {
        request.resume().on('end', () => {
          response.writeHead(299, 'Fine By Me', ['Set-Cookie', 'a=1', 'Set-Cookie', 'b=2', 'X-MiXeD', 'Case', 'Trailer', 'X-Sum']);
          response.write('part');
          response.addTrailers({ 'X-Sum': `got ${String(request.trailers['x-up'])}` });
          response.end();
        });
      }),
    );
    const { url } = await inbound(upstream.url);
    const headers = { 'Transfer-Encoding': 'chunked', Trailer: 'X-Up' };
    const answer = await ask(url, { ...asClient(web, ca), method: 'POST', headers, body: 'x', trailers: { 'X-Up': 'this' } });
    assert.equal(answer.status, 299);
    assert.deepEqual(answer.headers['set-cookie'], ['a=1', 'b=2']);
    assert.ok(answer.rawHeaders.includes('X-MiXeD'));
    assert.equal(answer.trailers['x-sum'], 'got this');
  });

  it('lets a client wait for 100 Continue, from the service itself', async () => {
    const upstream = createHttpServer();
    const seen: string[] = [];
    upstream.on('checkContinue', (request, response) => {
      seen.push('asked');
      response.writeContinue();
      request.on('data', () => seen.push('body')).on('end', () => response.end('done'));
    });
    await once(upstream.listen(0, '127.0.0.1'), 'listening');
    open.later(() => upstream.close());
    const { url } = await inbound(`http://127.0.0.1:${(upstream.address() as AddressInfo).port}`);
    const request = httpsRequest(url.replace('mtls', 'https'), {
      ...asClient(web, ca),
      agent: false,
      method: 'POST',
      headers: { Expect: '100-continue', 'Content-Length': 4 },
    });
    request.flushHeaders();
    await once(request, 'continue');
    assert.deepEqual(seen, ['asked']);
    request.end('body');
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    assert.equal((await response.toArray()).join(''), 'done');
    assert.deepEqual(seen, ['asked', 'body']);
  });

  it('carries an upgraded connection both ways, with what came early', async () => {
    const upstream = createHttpServer().on('upgrade', (request, socket: Socket, head: Buffer) => {
      assert.equal(request.headers['x-forwarded-client-cert']?.includes(`URI=${spiffe('web')}`), true);
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: test\r\n\r\nhello ');
      if (head.length > 0) socket.write(head);
      socket.pipe(socket);
    });
    await once(upstream.listen(0, '127.0.0.1'), 'listening');
    open.later(() => upstream.close());
    const { address } = await inbound(`http://127.0.0.1:${(upstream.address() as AddressInfo).port}`);
    const socket = connectTls({ ...address, ...asClient(web, ca) });
    socket.write('GET /chat HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: test\r\n\r\nearly ');
    let text = '';
    socket.setEncoding('utf8').on('data', (part: string) => (text += part));
    while (!text.endsWith('early ')) await once(socket, 'data');
    socket.end('late');
    await once(socket, 'close');
    assert.match(text, /^HTTP\/1\.1 101 Switching Protocols\r\n[^]*\r\n\r\nhello early late$/);
  });

  it('passes on that a service does not want to upgrade', async () => {
    const { address } = await inbound(open.add(await service((_request, response) => response.writeHead(426).end('no'))).url);
    const socket = connectTls({ ...address, ...asClient(web, ca) });
    socket.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: test\r\n\r\n');
    const text = Buffer.concat(await socket.toArray()).toString();
    assert.match(text, /^HTTP\/1\.1 426 Upgrade Required\r\n[^]*no$/);
  });

  it('answers 502 with an id when the service is away, and goes on', async () => {
    const { url, audit } = await inbound(A_PORT_WHERE_NOTHING_LISTENS);
    const { status, body } = await ask(url, asClient(web, ca));
    assert.equal(status, 502);
    const { error } = JSON.parse(body) as { error: { code: string; id: string } };
    const line = audit.find(({ id }) => id === error.id);
    assert.deepEqual(
      [error.code, line?.code, line?.reason],
      ['upstream-unavailable', 'UPSTREAM_UNAVAILABLE', 'nothing listens there (ECONNREFUSED)'],
    );
    assert.equal((await ask(url, asClient(web, ca))).status, 502);
  });

  it('answers 502 when the service breaks off before it answers, and breaks off when it does later', async () => {
    const { url } = await inbound(
      open.add(
        await service((request, response) => {
          if (request.url === '/later') response.write('begun', () => request.socket.destroy());
          else request.socket.destroy();
        }),
      ).url,
    );
    assert.equal((await ask(url, asClient(web, ca))).status, 502);
    await assert.rejects(ask(`${url}/later`, asClient(web, ca)));
  });

  it('takes the request back when the client goes away', async () => {
    let gone: (() => void) | undefined;
    const isGone = new Promise<void>((resolve) => (gone = resolve));
    const { url } = await inbound(open.add(await service((_request, response) => response.on('close', () => gone?.()))).url);
    const request = httpsRequest(url.replace('mtls', 'https'), { ...asClient(web, ca), agent: false });
    request.on('error', () => {}).end();
    await once(request, 'socket');
    setTimeout(() => request.destroy(), 200);
    await isGone;
  });

  it('writes down what is no handshake, and answers the next one', async () => {
    const { url, address, audit } = await inbound(open.add(await echo()).url);
    for (const noise of ['GET / HTTP/1.1\r\nHost: a\r\n\r\n', Buffer.alloc(2000, 0x16), '']) {
      const socket = connect(address);
      socket.on('error', () => {}).resume();
      socket.end(noise);
      await once(socket, 'close');
    }
    assert.equal((await ask(url, asClient(web, ca))).status, 200);
    assert.ok(audit.some(({ code, reason }) => code === 'HANDSHAKE_FAILED' && reason.includes('HTTP without TLS')));
  });

  it('does not let one request smuggle another', async () => {
    let asked = 0;
    const { address } = await inbound(open.add(await service((request, response) => (asked++, request.resume(), response.end()))).url);
    for (const head of [
      'Content-Length: 5\r\nTransfer-Encoding: chunked',
      'Content-Length: 5\r\nContent-Length: 6',
      'Transfer-Encoding: chunked, identity',
      'Transfer-Encoding : chunked',
    ]) {
      const socket = connectTls({ ...address, ...asClient(web, ca) });
      socket.on('error', () => {});
      socket.write(`POST / HTTP/1.1\r\nHost: a\r\n${head}\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n`);
      const text = Buffer.concat(await socket.toArray()).toString();
      assert.match(text, /^HTTP\/1\.1 400 /, head);
    }
    assert.equal(asked, 0);
  });
});

describe('a sidecar before a caller', () => {
  const open = new Closing();
  afterEach(() => open.all());
  const ca = testCa();
  const api = layFiles(ca, 'api');
  const web = layFiles(ca, 'web');
  after(() => [api, web].forEach(({ directory }) => directory.remove()));

  const outbound = async (upstream: string, expect: string[]) =>
    open.add(await sidecar({ listen: 'http://127.0.0.1:0', upstream, files: web.files, expect }));
  const inbound = async (upstream: string, allow: string[]) =>
    open.add(await sidecar({ listen: 'mtls://127.0.0.1:0', upstream, files: api.files, allow }));

  it('makes two sidecars and one request of it, by a connection that is kept', async () => {
    const far = await inbound(open.add(await echo()).url, [spiffe('web')]);
    const near = await outbound(far.url, [spiffe('api')]);
    for (let i = 0; i < 3; i++) {
      const { status, body } = await ask(`${near.url}/x`, { headers: { 'X-Forwarded-Client-Cert': 'forged' } });
      assert.equal(status, 200);
      assert.match(
        (JSON.parse(body) as { headers: Record<string, string> }).headers['x-forwarded-client-cert']!,
        new RegExp(`URI=${spiffe('web')}`),
      );
    }
    assert.deepEqual([far.audit.length, near.audit.length], [1, 1]);
    assert.deepEqual([near.audit[0]?.direction, near.audit[0]?.peer.identity], ['outbound', spiffe('api')]);
  });

  it('sends nothing to an upstream that is somebody else', async () => {
    let asked = 0;
    const far = await inbound(open.add(await service((_request, response) => response.end(String(asked++)))).url, [spiffe('web')]);
    const near = await outbound(far.url, [spiffe('billing')]);
    const { status, body } = await ask(near.url, { method: 'POST', body: 'secret' });
    const { error } = JSON.parse(body) as { error: { code: string; id: string } };
    assert.deepEqual([status, error.code, asked], [502, 'upstream-refused', 0]);
    assert.deepEqual([near.audit[0]?.code, near.audit[0]?.id], ['NOT_ALLOWED', error.id]);
  });

  it('sends nothing to an upstream of another CA, or one that has ended', async () => {
    for (const [leaf, code] of [
      [testLeaf(testCa(), { name: 'api' }), 'CERTIFICATE_UNTRUSTED'],
      [testLeaf(ca, { name: 'api', extendedKeyUsage: [OID.clientAuth] }), 'CERTIFICATE_PURPOSE'],
    ] as const) {
      let asked = 0;
      const { createServer } = await import('node:https');
      const server = createServer({ cert: certificatePem(leaf.certificate), key: keyPem(leaf.key) }, (_request, response) =>
        response.end(String(asked++)),
      );
      await once(server.listen(0, '127.0.0.1'), 'listening');
      open.later(() => server.close());
      const near = await outbound(`mtls://127.0.0.1:${(server.address() as AddressInfo).port}`, [spiffe('api')]);
      assert.equal((await ask(near.url)).status, 502);
      assert.deepEqual([near.audit[0]?.code, asked], [code, 0]);
    }
  });

  it('passes the refusal of the other sidecar on', async () => {
    const far = await inbound(open.add(await echo()).url, [spiffe('billing')]);
    const near = await outbound(far.url, [spiffe('api')]);
    assert.equal((await ask(near.url)).status, 403);
  });

  it('answers 502 when nothing is there, or no TLS', async () => {
    const plain = open.add(await echo());
    for (const upstream of ['mtls://127.0.0.1:1', plain.url.replace('http', 'mtls')]) {
      const near = await outbound(upstream, [spiffe('api')]);
      const { status, body } = await ask(near.url);
      assert.equal(status, 502);
      assert.match(body, /upstream-unavailable/);
      assert.equal(near.audit[0]?.code, 'UPSTREAM_UNAVAILABLE');
    }
  });

  it('carries an upgrade through both', async () => {
    const upstream = createHttpServer().on('upgrade', (_request, socket: Socket) => {
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: test\r\n\r\n');
      socket.pipe(socket);
    });
    await once(upstream.listen(0, '127.0.0.1'), 'listening');
    open.later(() => upstream.close());
    const far = await inbound(`http://127.0.0.1:${(upstream.address() as AddressInfo).port}`, [spiffe('web')]);
    const near = await outbound(far.url, [spiffe('api')]);
    const request = httpRequest(near.url, { headers: { Connection: 'Upgrade', Upgrade: 'test' } });
    request.end();
    const [, socket] = (await once(request, 'upgrade')) as [unknown, Socket];
    socket.end('through both');
    assert.equal(Buffer.concat(await socket.toArray()).toString(), 'through both');
  });
});

describe('a sidecar does not start', () => {
  const { files, directory } = layFiles();
  after(directory.remove);
  const start = (listen: string, upstream: string, more: object = {}) =>
    sidecar({ listen, upstream, files, allow: [spiffe('web')], expect: [spiffe('api')], ...more });
  const cases: readonly [string, string, Parameters<typeof start>][] = [
    ['without a policy', 'PROXY_OPEN_POLICY', ['mtls://127.0.0.1:0', 'http://127.0.0.1:1', { allow: [] }]],
    ['without knowing its upstream', 'PROXY_OPEN_UPSTREAM', ['http://127.0.0.1:0', 'mtls://127.0.0.1:1', { expect: undefined }]],
    ['to carry clear text from outside', 'PROXY_PLAINTEXT', ['http://0.0.0.0:0', 'mtls://127.0.0.1:1']],
    ['to carry clear text to outside', 'PROXY_PLAINTEXT', ['mtls://127.0.0.1:0', 'http://shop.test:80']],
    ['with two plain ends', 'VALUE_INVALID', ['http://127.0.0.1:0', 'http://127.0.0.1:1']],
    ['with two mutual ends', 'VALUE_INVALID', ['mtls://127.0.0.1:0', 'mtls://127.0.0.1:1']],
    ['between HTTP and bytes', 'VALUE_INVALID', ['mtls://127.0.0.1:0', 'tcp://127.0.0.1:1']],
    ['with a peer that means nothing', 'VALUE_INVALID', ['mtls://127.0.0.1:0', 'http://127.0.0.1:1', { allow: ['web'] }]],
    ['on an address that is not here', 'LISTEN_FAILED', ['mtls://192.0.2.1:0', 'http://127.0.0.1:1']],
  ];
  for (const [what, code, args] of cases)
    it(`${what}: ${code}`, () => assert.rejects(start(...args), (error) => isError(error, code as 'LISTEN_FAILED')));

  it('where something listens already: LISTEN_FAILED', async () => {
    const first = await start('mtls://127.0.0.1:0', 'http://127.0.0.1:1');
    await assert.rejects(start(`mtls://127.0.0.1:${first.address.port}`, 'http://127.0.0.1:1'), /something listens there already/);
    await first.stop();
  });

  it('with files that do not fit together', async () => {
    const ca = testCa();
    const attempt = (change: Partial<typeof files>) =>
      start('mtls://127.0.0.1:0', 'http://127.0.0.1:1', { files: { ...files, ...change } });
    const other = testLeaf(ca);
    await assert.rejects(attempt({ key: directory.file('other.key', keyPem(other.key)) }), (error) => isError(error, 'KEY_MISMATCH'));
    await assert.rejects(attempt({ crl: directory.file('other.crl', testCrl(ca)) }), (error) => isError(error, 'CRL_NOT_OF_CA'));
    await assert.rejects(attempt({ ca: '/nowhere' }), (error) => isError(error, 'FILE_NOT_FOUND'));
    const ended = testLeaf(ca, { notAfter: new Date(Date.now() - 1000) });
    const pair = {
      certificate: directory.file('e.crt', certificatePem(ended.certificate)),
      key: directory.file('e.key', keyPem(ended.key)),
    };
    await assert.rejects(attempt(pair), (error) => isError(error, 'CERTIFICATE_NOT_IN_FORCE'));
    directory.file('open.key', keyPem(other.key), 0o644);
    await assert.rejects(attempt({ key: `${directory.path}/open.key` }), (error) => isError(error, 'FILE_MODE_TOO_OPEN'));
  });
});
