import assert from 'node:assert/strict';
import { isError } from '../../src/errors.js';
import { inspectEndpoint } from '../../src/probe/index.js';
import { freePort, serve, serveTls, testPki } from './support.js';

const { ca, server } = testPki();

describe('inspecting an endpoint', () => {
  it('shows the chain as it was sent, though the server refuses who has no certificate', async () => {
    const running = await serveTls({ leaf: server, chain: [ca.certificate], clientCa: ca.certificate });
    const view = await inspectEndpoint('127.0.0.1', running.port, { servername: 'localhost' });
    await running.stop();
    assert.deepEqual(
      view.chain.map((sent) => ('certificate' in sent ? sent.certificate.serial : '')),
      [server.certificate.serial, ca.certificate.serial],
    );
    assert.deepEqual(
      [view.endpoint, view.version, view.cipher, view.group],
      [`127.0.0.1:${running.port}`, 'TLSv1.3', 'TLS_AES_256_GCM_SHA384', 'x25519'],
    );
    assert.deepEqual(view.acceptedAuthorities, ['CN=test root']);
  });

  it('tells a server that asks for no certificate', async () => {
    const running = await serveTls({ leaf: server, maxVersion: 'TLSv1.2' });
    const view = await inspectEndpoint('127.0.0.1', running.port);
    await running.stop();
    assert.deepEqual([view.version, view.acceptedAuthorities], ['TLSv1.2', undefined]);
  });

  it('throws what is in the table of errors', async () => {
    await assert.rejects(
      inspectEndpoint('127.0.0.1', await freePort()),
      (error) => isError(error, 'CONNECT_FAILED') && /refused/.test(error.message),
    );
    await assert.rejects(inspectEndpoint('nowhere.invalid', 443), (error) => isError(error, 'HOST_NOT_FOUND'));
    const silent = await serve((socket) => void socket.end('SSH-2.0-x\r\n'));
    await assert.rejects(inspectEndpoint('127.0.0.1', silent.port, { timeoutMs: 500 }), (error) => isError(error, 'CONNECT_FAILED'));
    await silent.stop();
  });
});
