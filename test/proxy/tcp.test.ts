import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, type Socket, connect, createServer } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { testCa, testLeaf } from '../support/material.js';
import { Closing, asClient, layFiles, sidecar, spiffe, until } from './support.js';

describe('a sidecar that carries bytes', () => {
  const open = new Closing();
  afterEach(() => open.all());
  const ca = testCa();
  const api = layFiles(ca, 'api');
  const web = layFiles(ca, 'web');
  after(() => [api, web].forEach(({ directory }) => directory.remove()));

  const serve = async (onConnection: (socket: Socket) => void) => {
    const sockets = new Set<Socket>();
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      sockets.add(socket.on('error', () => {}));
      onConnection(socket);
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    open.later(() => {
      sockets.forEach((socket) => socket.destroy());
      server.close();
    });
    return { url: `tcp://127.0.0.1:${(server.address() as AddressInfo).port}`, sockets };
  };
  const inbound = async (upstream: string, allow = [spiffe('web')]) =>
    open.add(await sidecar({ listen: 'mtls+tcp://127.0.0.1:0', upstream, files: api.files, allow }));
  const outbound = async (upstream: string, expect = [spiffe('api')]) =>
    open.add(await sidecar({ listen: 'tcp://127.0.0.1:0', upstream, files: web.files, expect }));

  it('carries them both ways, through both sidecars, and an end of one side alone', async () => {
    // answers only when everything has come: an end must travel without ending the way back
    const upstream = await serve((socket) => {
      let size = 0;
      socket.on('data', (part) => (size += part.length)).on('end', () => socket.end(`got ${size}`));
    });
    const near = await outbound((await inbound(upstream.url)).url);
    const socket = connect({ ...near.address, allowHalfOpen: true });
    socket.end(Buffer.alloc(5_000_000, 1));
    assert.equal(Buffer.concat(await socket.toArray()).toString(), 'got 5000000');
  });

  it('lets the service speak first', async () => {
    const upstream = await serve((socket) => socket.end('220 ready\r\n'));
    const near = await outbound((await inbound(upstream.url)).url);
    assert.equal(
      Buffer.concat(
        await connect({ ...near.address, allowHalfOpen: true })
          .on('end', function (this: Socket) {
            this.end();
          })
          .toArray(),
      ).toString(),
      '220 ready\r\n',
    );
  });

  it('gives no byte to the service for whoever is refused', async () => {
    const upstream = await serve((socket) => socket.end('secret'));
    const far = await inbound(upstream.url);
    for (const leaf of [undefined, testLeaf(testCa(), { name: 'web' }), testLeaf(ca, { name: 'billing' })]) {
      const socket = connectTls({ ...far.address, ...asClient(leaf, ca) });
      socket.on('error', () => {}).write('hello');
      let got = '';
      socket.setEncoding('utf8').on('data', (part: string) => (got += part));
      await once(socket, 'close');
      assert.equal(got, '');
    }
    assert.deepEqual(
      far.audit.map(({ code }) => code),
      ['NO_CERTIFICATE', 'CERTIFICATE_UNTRUSTED', 'NOT_ALLOWED'],
    );
    assert.equal(upstream.sockets.size, 0);
  });

  it('gives no byte to an upstream that is somebody else', async () => {
    let got = 0;
    const upstream = await serve((socket) => socket.on('data', (part) => (got += part.length)));
    const near = await outbound((await inbound(upstream.url)).url, [spiffe('billing')]);
    const socket = connect(near.address);
    socket.on('error', () => {}).end('secret');
    await once(socket, 'close');
    assert.deepEqual([near.audit[0]?.code, got], ['NOT_ALLOWED', 0]);
  });

  it('closes the client when the upstream is away, and says so', async () => {
    const far = await inbound('tcp://127.0.0.1:1');
    const socket = connectTls({ ...far.address, ...asClient(testLeaf(ca, { name: 'web' }), ca) });
    socket.on('error', () => {});
    await once(socket, 'close');
    assert.deepEqual(
      far.audit.map(({ code }) => code),
      ['ALLOWED', 'UPSTREAM_UNAVAILABLE'],
    );
  });

  it('breaks off on both sides when one side does', async () => {
    const upstream = await serve((socket) => socket.resume().on('end', () => socket.end()));
    const far = await inbound(upstream.url);
    const socket = connectTls({ ...far.address, ...asClient(testLeaf(ca, { name: 'web' }), ca) });
    socket.on('error', () => {});
    await until(() => upstream.sockets.size === 1);
    const [served] = [...upstream.sockets];
    const closed = once(socket, 'close');
    served!.resetAndDestroy();
    await closed;
    const again = connectTls({ ...far.address, ...asClient(testLeaf(ca, { name: 'web' }), ca) });
    again.on('error', () => {});
    await until(() => upstream.sockets.size === 2);
    const ended = new Promise((resolve) => [...upstream.sockets][1]!.on('close', resolve));
    again.destroy();
    await ended;
  });
});
