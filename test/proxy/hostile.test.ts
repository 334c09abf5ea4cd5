import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { Agent, request as httpsRequest } from 'node:https';
import { type AddressInfo, type Socket, connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { type TLSSocket, connect as connectTls } from 'node:tls';
import { generateKeyPairSync } from 'node:crypto';
import { publicKeyInfo } from '../../src/pki/key.js';
import { OID } from '../../src/pki/oids.js';
import { signCertificate } from '../../src/pki/sign.js';
import { certificatePem, keyPem, testCrl, testLeaf } from '../support/material.js';
import { Closing, asClient, ask, layFiles, service, sidecar, spiffe, until } from './support.js';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

/** An upstream that answers whatever comes in one way, and what came. */
async function answering(answer: string | ((socket: Socket, connection: number) => void)) {
  const got: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    const number = sockets.size;
    socket.on('error', () => {});
    socket.on('data', (bytes) => {
      got.push(bytes.toString('latin1'));
      if (typeof answer === 'string') socket.write(answer, 'latin1');
      else answer(socket, number);
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const stop = async (): Promise<void> => {
    for (const socket of sockets) socket.destroy();
    server.close();
  };
  return { got, sockets, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, stop };
}

describe('a sidecar among hostile peers', () => {
  const open = new Closing();
  afterEach(() => open.all());
  const { ca, files, directory } = layFiles();
  after(directory.remove);
  const web = testLeaf(ca, { name: 'web' });
  const before = async (upstream: string, more: object = {}) =>
    open.add(await sidecar({ listen: 'mtls://127.0.0.1:0', upstream, files, allow: [spiffe('web')], ...more }));
  const dial = async (address: { host: string; port: number }, options: object = {}): Promise<TLSSocket> => {
    const socket = connectTls({ ...address, ...asClient(web, ca), ...options });
    socket.on('error', () => {});
    open.later(() => socket.destroy());
    await once(socket, 'secureConnect');
    return socket;
  };
  const textUntil = async (socket: TLSSocket, end: string): Promise<string> => {
    let text = '';
    socket.setEncoding('latin1').on('data', (part: string) => (text += part));
    await until(() => text.includes(end));
    return text;
  };

  const answers: readonly [what: string, answer: string, status: number][] = [
    ['Trailer without chunks', 'HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\nContent-Length: 2\r\n\r\nok', 200],
    ['a control character in the reason', 'HTTP/1.1 200 O\x01K\r\nContent-Length: 2\r\n\r\nok', 200],
    ['a control character in a field', 'HTTP/1.1 200 OK\r\nX: a\x01b\r\nContent-Length: 2\r\n\r\nok', 502],
    ['a hint that Node does not take', `HTTP/1.1 103 Early Hints\r\nLink: nonsense\r\n\r\n${OK}`, 200],
    ['the status 000', 'HTTP/1.1 000 X\r\nContent-Length: 2\r\n\r\nok', 502],
    ['the status 099', 'HTTP/1.1 099 X\r\nContent-Length: 2\r\n\r\nok', 502],
    ['a protocol that nobody asked for', 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\nbytes', 502],
    ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok', 502],
    ['noise', '\x16\x03\x01\x02\x00\x01', 502],
  ];
  for (const [what, answer, status] of answers) {
    it(`goes on when the service answers with ${what}`, async () => {
      const { url } = await before(open.add(await answering(answer)).url);
      assert.equal((await ask(url, asClient(web, ca))).status, status);
      assert.equal((await ask(url, asClient(web, ca))).status, status);
    });
  }

  it('does not let a request smuggle another behind two thousand fields', async () => {
    const upstream = open.add(await answering(OK));
    const { address } = await before(upstream.url);
    const socket = await dial(address);
    const body = 'GET /smuggled HTTP/1.1\r\nH: a\r\n\r\n';
    socket.write(`GET / HTTP/1.1\r\nHost: a\r\n${'a:\r\n'.repeat(2100)}Content-Length: ${body.length}\r\n\r\n${body}`);
    await textUntil(socket, 'ok');
    assert.match(upstream.got.join(''), new RegExp(`^GET / [^]*\r\nContent-Length: ${body.length}\r\n[^]*\r\n\r\nGET /smuggled`));
  });

  it('refuses a request to upgrade that has a body, and a coding that it would have to undo', async () => {
    const upstream = open.add(await answering(OK));
    const { address, audit } = await before(upstream.url);
    for (const head of [
      'Connection: Upgrade\r\nUpgrade: x\r\nContent-Length: 4\r\n\r\nbody',
      'Connection: Upgrade\r\nUpgrade: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      'Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n',
    ]) {
      const socket = await dial(address);
      socket.write(`POST / HTTP/1.1\r\nHost: a\r\n${head}`);
      assert.match(await textUntil(socket, '}}\n'), /^HTTP\/1\.1 400 [^]*"code":"bad-request"/);
    }
    assert.deepEqual(upstream.got, []);
    assert.equal(audit.filter(({ code }) => code === 'REQUEST_INVALID').length, 3);
  });

  it('does not pass on an upgrade to HTTP/2, past which nobody would see the requests', async () => {
    const upstream = open.add(await answering(OK));
    const { address } = await before(upstream.url);
    const socket = await dial(address);
    socket.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABk\r\nUpgrade: h2c\r\n\r\n');
    assert.match(await textUntil(socket, 'ok'), /^HTTP\/1\.1 200 /);
    assert.doesNotMatch(upstream.got.join(''), /h2c|HTTP2-Settings/i);
  });

  it('does not use a connection that the service has closed', async () => {
    const upstream = open.add(
      await answering((socket) => {
        socket.write(OK);
        setTimeout(() => socket.end(), 20);
      }),
    );
    const { url } = await before(upstream.url);
    assert.equal((await ask(url, asClient(web, ca))).status, 200);
    await sleep(200);
    assert.equal((await ask(url, asClient(web, ca))).status, 200);
  });

  it('asks again when the service closes a kept connection at that moment, and only for what may be asked twice', async () => {
    const asked = new Map<Socket, number>();
    const upstream = open.add(
      await answering((socket) => {
        const times = (asked.get(socket) ?? 0) + 1;
        asked.set(socket, times);
        if (times === 1) socket.write(OK);
        else socket.resetAndDestroy();
      }),
    );
    const { url } = await before(upstream.url);
    assert.equal((await ask(url, asClient(web, ca))).status, 200);
    assert.equal((await ask(url, asClient(web, ca))).status, 200);
    assert.equal((await ask(url, { ...asClient(web, ca), method: 'POST', body: 'once' })).status, 502);
    assert.equal(upstream.got.filter((text) => text.startsWith('POST')).length, 1);
  });

  it('tells a client that was refused, even while it is still sending', async () => {
    const { url } = await before(open.add(await answering(OK)).url, { allow: [spiffe('nobody')] });
    const { status, body } = await ask(url, { ...asClient(web, ca), method: 'POST', body: 'x'.repeat(8_000_000) });
    assert.equal(status, 403);
    assert.match(body, /"code":"refused"/);
  });

  it('does not let a client change its certificate in the middle', async () => {
    const { address } = await before(open.add(await answering(OK)).url);
    const socket = await dial(address, { maxVersion: 'TLSv1.2' });
    const outcome = new Promise<string>((resolve) => {
      socket.once('error', () => resolve('refused'));
      socket.renegotiate({}, (error) => resolve(error === null ? 'renegotiated' : 'refused'));
    });
    assert.equal(await outcome, 'refused');
  });

  it('lets no service take the broken end of a stream for its end', async () => {
    const plain = open.add(await answering((socket) => socket.write('half')));
    const near = open.add(
      await sidecar({ listen: 'mtls+tcp://127.0.0.1:0', upstream: plain.url.replace('http', 'tcp'), files, allow: [spiffe('web')] }),
    );
    const socket = await dial(near.address);
    socket.write('begun');
    await until(() => plain.got.length === 1);
    const [behind] = [...plain.sockets];
    const end = new Promise<string>((resolve) => {
      behind!.on('error', () => resolve('reset')).on('end', () => resolve('end'));
    });
    open.later(() => behind!.destroy());
    near.audit.length = 0;
    directory.file('ca.crl', testCrl(ca, [web.certificate.serial]));
    assert.equal(near.reload(), true);
    assert.equal(await end, 'reset');
    assert.equal(near.audit.at(-1)?.event, 'ended');
    directory.file('ca.crl', testCrl(ca));
  });

  it('keeps what it has when OpenSSL does not take the new key', async () => {
    const own = layFiles(ca);
    open.later(own.directory.remove);
    const running = open.add(
      await sidecar({
        listen: 'mtls://127.0.0.1:0',
        upstream: open.add(await answering(OK)).url,
        files: own.files,
        allow: [spiffe('web')],
      }),
    );
    const key = generateKeyPairSync('rsa', { modulusLength: 512 }).privateKey;
    const weak = signCertificate(
      {
        subject: [[OID.commonName, 'api']],
        publicKey: publicKeyInfo(key),
        notBefore: new Date(Date.now() - 1000),
        notAfter: new Date(Date.now() + 3_600_000),
        keyUsage: ['digitalSignature'],
      },
      ca,
    );
    own.directory.file('tls.crt', certificatePem(weak));
    own.directory.file('tls.key', keyPem(key));
    assert.equal(running.reload(), false);
    assert.equal((await ask(running.url, asClient(web, ca))).status, 200);
  });
});

describe('a sidecar that is stopped', () => {
  const open = new Closing();
  afterEach(() => open.all());
  const { ca, files, directory } = layFiles();
  after(directory.remove);
  const web = testLeaf(ca, { name: 'web' });
  // far longer than a test may take: whatever waits for it fails
  const start = (upstream: string) => sidecar({ listen: 'mtls://127.0.0.1:0', upstream, files, allow: [spiffe('web')], drainMs: 60_000 });

  it('does not wait for a handshake that nobody finishes, nor for a connection that nobody uses', async () => {
    const running = await start('http://127.0.0.1:1');
    const silent = connect(running.address);
    const unused = connectTls({ ...running.address, ...asClient(web, ca) });
    for (const socket of [silent, unused]) socket.on('error', () => {}).resume();
    await Promise.all([once(silent, 'connect'), once(unused, 'secureConnect')]);
    await until(() => running.audit.length === 1);
    await Promise.all([running.stop(), once(unused, 'close')]);
  });

  it('lets a connection go as soon as its last answer is through', async () => {
    let end: (() => void) | undefined;
    const upstream = open.add(
      await service((_request, response) => {
        response.write('begun ');
        end = () => response.end('done');
      }),
    );
    const running = await start(upstream.url);
    const agent = new Agent({ ...asClient(web, ca), keepAlive: true });
    open.later(() => agent.destroy());
    const request = httpsRequest(running.url.replace('mtls', 'https'), { agent });
    request.end();
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    const stopped = running.stop();
    end!();
    assert.equal((await response.toArray()).join(''), 'begun done');
    await stopped;
  });
});
