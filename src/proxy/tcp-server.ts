import { type Socket, createServer } from 'node:net';
import { type TLSSocket, createServer as createMutualServer } from 'node:tls';
import { isMutual } from './endpoint.js';
import { addressOf } from '../base/connections.js';
import { attend, mutualOptions } from './mutual.js';
import type { Serving, ServingOptions } from './proxy.js';
import { tunnel } from './tunnel.js';
import { UpstreamError, connectMutual, connectPlain } from './upstream.js';

/** Bytes, with mutual TLS on one side: a connection there for each one here. */
export function tcpServer({ listen, upstream, gate, connections }: ServingOptions): Serving {
  const carry = (client: Socket): void => {
    connections.uses(client, client);
    // who goes away before the upstream is there
    const onError = (): void => void client.destroy();
    client.on('error', onError).pause();
    const connecting: Promise<Socket> = (isMutual(upstream) ? connectMutual : connectPlain)(upstream, gate, 'bytes');
    connecting.then(
      (far) => {
        if (client.destroyed) far.destroy();
        else tunnel(client, far);
      },
      (error: unknown) => {
        client.destroy();
        // it stands in the audit already
        if (!(error instanceof UpstreamError)) throw error;
      },
    );
  };
  const server = isMutual(listen) ? createMutualServer(mutualOptions(gate.credentials)) : createServer({ allowHalfOpen: true });
  if (isMutual(listen)) {
    const mutual = server as ReturnType<typeof createMutualServer>;
    attend(mutual, gate, connections);
    mutual.on('secureConnection', (socket: TLSSocket) => {
      if (gate.admit(socket, addressOf(socket)).decision.allowed) carry(socket);
      else socket.on('error', () => {}).destroy();
    });
  } else server.on('connection', carry);
  return { server, close: () => {} };
}
