import assert from 'node:assert/strict';
import { isError } from '../../src/errors.js';
import { inspectEndpoint } from '../../src/probe/index.js';
import { generateKey } from '../../src/pki/key.js';
import { freePort, identity, serve, serveTls, testPki } from './support.js';

const { ca, server, client } = testPki();

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
    assert.equal(view.client.sent, undefined);
    assert.match(view.client.problem!, /the server sent alert 116 certificate_required/);
  });

  it('tells a server that asks for no certificate', async () => {
    const running = await serveTls({ leaf: server, maxVersion: 'TLSv1.2' });
    const view = await inspectEndpoint('127.0.0.1', running.port);
    await running.stop();
    assert.deepEqual([view.version, view.acceptedAuthorities], ['TLSv1.2', undefined]);
    assert.deepEqual(view.client, { sent: undefined, problem: undefined });
  });

  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
    it(`comes with a client certificate where one is given, over ${maxVersion}`, async () => {
      const running = await serveTls({ leaf: server, chain: [ca.certificate], clientCa: ca.certificate, maxVersion });
      const taken = await inspectEndpoint('127.0.0.1', running.port, { client: identity(client) });
      const stranger = await inspectEndpoint('127.0.0.1', running.port, { client: identity(testPki().client) });
      await running.stop();
      assert.deepEqual(taken.client, { sent: 'CN=web', problem: undefined });
      assert.equal(stranger.client.sent, 'CN=web');
      assert.match(stranger.client.problem!, /the server (sent alert|closed the connection|reset the connection)/);
      assert.equal(stranger.chain.length, 2);
    });
  }

  it('says that nothing was sent where the server did not ask', async () => {
    const running = await serveTls({ leaf: server });
    const view = await inspectEndpoint('127.0.0.1', running.port, { client: identity(client) });
    await running.stop();
    assert.deepEqual(view.client, { sent: undefined, problem: undefined });
  });

  it('refuses what cannot be sent before anything is', async () => {
    const other = { chain: [client.certificate], key: generateKey('ecdsa-p256') };
    const invalid = (error: unknown): boolean => isError(error, 'VALUE_INVALID');
    await assert.rejects(inspectEndpoint('127.0.0.1', 1, { client: other }), invalid);
    await assert.rejects(inspectEndpoint('127.0.0.1', 1, { client: { ...other, chain: [] } }), invalid);
    await assert.rejects(inspectEndpoint('127.0.0.1', 1, { servername: 'a b' }), invalid);
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
