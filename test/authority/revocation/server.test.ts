import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type Socket, connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { isError } from '../../../src/errors.js';
import { nullLog } from '../../../src/base/log.js';
import { TAG } from '../../../src/pki/der.js';
import { ocspRequestFor } from '../../../src/pki/ocsp-request.js';
import { startRevocationServer } from '../../../src/authority/revocation/server.js';
import { plain } from '../../../src/authority/revocation/route.js';
import { nested } from '../../../scripts/fuzz/mutate-der.js';
import { type Served, livePki, served, servedOcsp } from './support.js';

/** A connection on which anything may be said; what came back so far, and its end. */
function talk(server: Served): { socket: Socket; heard: () => string; closed: Promise<unknown> } {
  const socket = connect(Number(new URL(server.url).port), '127.0.0.1');
  let text = '';
  socket.setEncoding('latin1').on('data', (part: string) => (text += part));
  socket.on('error', () => {});
  return { socket, heard: () => text, closed: once(socket, 'close') };
}

const POST = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/ocsp-request\r\n';

describe('the server for what is public', function () {
  this.timeout(30_000);
  const pki = livePki();
  const request = ocspRequestFor(pki.good.certificate, pki.ca.certificate);
  let server: Served;
  before(async () => void (server = await servedOcsp(pki.answering)));
  after(() => server.stop());

  const isWell = async (): Promise<void> => {
    const headers = { 'Content-Type': 'application/ocsp-request' };
    assert.equal((await fetch(server.url, { method: 'POST', body: request, headers })).status, 200);
  };
  const says = async (bytes: string | Buffer): Promise<string> => {
    const { socket, heard, closed } = talk(server);
    socket.write(bytes);
    await closed;
    return heard();
  };

  it('keeps a connection for several requests', async () => {
    const { socket, heard } = talk(server);
    const one = Buffer.concat([Buffer.from(`${POST}Content-Length: ${request.length}\r\n\r\n`), request]);
    socket.write(one);
    await once(socket, 'data');
    socket.write(Buffer.concat([one, one]));
    while (heard().split('HTTP/1.1 200 OK').length < 4) await once(socket, 'data');
    socket.destroy();
  });

  it('is not disturbed by what is no HTTP', async () => {
    for (let i = 0; i < 50; i++) await says(Buffer.concat([randomBytes(200), Buffer.from('\r\n\r\n')]));
    assert.match(await says(`GET /${'a'.repeat(20_000)} HTTP/1.1\r\n\r\n`), /^HTTP\/1\.1 431 /);
    assert.match(await says(`${POST}Content-Length: x\r\n\r\n`), /^HTTP\/1\.1 400 /);
    assert.match(await says(`${POST}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n`), /^HTTP\/1\.1 400 /);
    await isWell();
  });

  it('refuses a body that is too large, by what it says and by what comes', async () => {
    const start = performance.now();
    assert.match(await says(`${POST}Content-Length: 1000000000\r\n\r\n`), /^HTTP\/1\.1 413 [^]*at most 4096 octets\n$/);
    const { socket, heard, closed } = talk(server);
    socket.write(`${POST}Transfer-Encoding: chunked\r\n\r\n`);
    const sending = setInterval(() => socket.write(`1000\r\n${'x'.repeat(0x1000)}\r\n`), 20);
    await closed;
    clearInterval(sending);
    assert.match(heard(), /^HTTP\/1\.1 413 /);
    assert.ok(performance.now() - start < 8_000);
    await isWell();
  });

  it('refuses requests that are no request, whatever they are made of', async () => {
    const headers = { 'Content-Type': 'application/ocsp-request' };
    for (const body of [nested(Buffer.alloc(0), TAG.sequence, 900), randomBytes(4_096), request.subarray(1), Buffer.from([0x30, 0x80])]) {
      const response = await fetch(server.url, { method: 'POST', body, headers });
      assert.equal(Buffer.from(await response.arrayBuffer()).toString('hex'), '30030a0101');
    }
    for (let at = 0; at < request.length; at++) {
      const torn = Buffer.from(request);
      torn[at]! ^= 0xff;
      const response = await fetch(server.url, { method: 'POST', body: torn, headers });
      assert.equal(response.status, 200);
      await response.arrayBuffer();
    }
  });

  it('does not wait for who is slow: with the head, with the body, or in reading', async () => {
    const large = await served(async () => plain(200, 'x'.repeat(50_000_000)));
    const start = performance.now();
    const drips: NodeJS.Timeout[] = [];
    const drip = ({ socket }: ReturnType<typeof talk>): void => void drips.push(setInterval(() => socket.write('a'), 500));
    const [head, body, reader] = [talk(server), talk(server), talk(large)];
    head.socket.write('GET /');
    body.socket.write(`${POST}Content-Length: 1000\r\n\r\n`);
    reader.socket.pause().write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    for (const each of [head, body]) drip(each);
    await Promise.all([head, body].map(({ closed }) => closed));
    for (const each of drips) clearInterval(each);
    for (const { heard } of [head, body]) assert.match(heard(), /^HTTP\/1\.1 408 /);
    await sleep(1_500);
    reader.socket.resume();
    await reader.closed;
    await large.stop();
    assert.ok(reader.heard().length < 50_000_000, 'cut off in the middle');
    assert.ok(performance.now() - start < 18_000, `${performance.now() - start} ms`);
    await isWell();
  });

  it('says nothing of what is wrong inside', async () => {
    const broken = await served(() => Promise.reject(new TypeError('secret is undefined')));
    const response = await fetch(broken.url);
    assert.deepEqual([response.status, await response.text()], [500, 'something is wrong here\n']);
    assert.equal(broken.logged[0]!.fields['reason'], 'secret is undefined');
    await broken.stop();
  });

  it('lets what is under way finish when it stops, and takes nothing more', async () => {
    const slow = await served(async ({ method }) => {
      await sleep(400);
      return plain(200, method);
    });
    const idle = talk(slow);
    await once(idle.socket, 'connect');
    const under = talk(slow);
    under.socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await sleep(100);
    const start = performance.now();
    const stopping = slow.stop();
    assert.equal(slow.stop(), stopping);
    await assert.rejects(fetch(slow.url));
    await stopping;
    await Promise.all([under.closed, idle.closed]);
    assert.match(under.heard(), /^HTTP\/1\.1 200 OK\r\n[^]*GET\n$/);
    assert.ok(performance.now() - start < 3_000, 'nor does it wait for who asks nothing');
  });

  it('does not wait for ever when it stops', async () => {
    const stuck = await served(() => new Promise(() => {}), { drainMs: 200 });
    const { socket, closed } = talk(stuck);
    socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await sleep(100);
    const start = performance.now();
    await stuck.stop();
    await closed;
    assert.ok(performance.now() - start < 2_000);
  });

  it('says where it cannot listen', async () => {
    const port = Number(new URL(server.url).port);
    const options = { host: '127.0.0.1', route: async () => plain(200, ''), clock: () => new Date(), log: nullLog };
    await assert.rejects(
      startRevocationServer({ ...options, port }),
      (error) => isError(error, 'LISTEN_FAILED') && error.facts.taken === port,
    );
    const six = await startRevocationServer({ ...options, host: '::1', port: 0 });
    assert.match(six.url, /^http:\/\/\[::1\]:\d+$/);
    await six.stop();
  });
});
