import { type IncomingMessage, type Server as HttpServer, createServer } from 'node:http';
import { type Server as HttpsServer, createServer as createMutualServer } from 'node:https';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { isMutual } from './endpoint.js';
import { type Route, forward, forwardUpgrade, refuse } from './forward.js';
import type { Admitted } from './gate.js';
import { FORWARDED_CERTIFICATE, forwardedCertificate } from './headers.js';
import { addressOf, attend, mutualOptions } from './mutual.js';
import type { Serving, ServingOptions } from './proxy.js';
import { UpstreamAgent, connectMutual, connectPlain } from './upstream.js';

/** How long a client that was refused may take to ask for anything, and be told. */
const REFUSED_IDLE_MS = 5_000;

/** HTTP/1.1 with mutual TLS on one side: requests are passed on one by one, over connections that are kept. */
export function httpServer({ listen, upstream, gate }: ServingOptions): Serving {
  const connect = isMutual(upstream) ? () => connectMutual(upstream, gate, 'http/1.1') : () => connectPlain(upstream, gate);
  const agent = new UpstreamAgent(connect);
  const admitted = new WeakMap<Duplex, Admitted>();
  let draining = false;
  const route: Route = {
    agent,
    authority: new URL(upstream.url).host,
    identify: ({ socket }) => identityFields(admitted.get(socket)),
    failed: (reason) => gate.fail('UPSTREAM_UNAVAILABLE', reason, upstream.url),
    isDraining: () => draining,
  };
  const identityFields = (client: Admitted | undefined): string[] => {
    const leaf = client === undefined || 'malformed' in client.shown ? undefined : client.shown.chain[0];
    return leaf === undefined ? [] : [FORWARDED_CERTIFICATE, forwardedCertificate(leaf, gate.credentials.chain[0]!)];
  };
  /** The id of the refusal, when this connection was refused. */
  const refusalOf = ({ socket }: IncomingMessage): string | undefined => {
    const client = admitted.get(socket);
    return client === undefined || client.decision.allowed ? undefined : client.id;
  };

  // a body may take as long as it takes; a head may not
  const limits = { requestTimeout: 0, headersTimeout: 30_000, keepAliveTimeout: 60_000 };
  const server = isMutual(listen)
    ? createMutualServer({ ...mutualOptions(gate.credentials), ...limits, ALPNProtocols: ['http/1.1'] })
    : createServer(limits);
  if (isMutual(listen)) {
    const mutual = server as HttpsServer;
    attend(mutual, gate);
    // before Node's own listener, which begins to read the first request
    mutual.prependListener('secureConnection', (socket: TLSSocket) => {
      const client = gate.admit(socket, addressOf(socket));
      admitted.set(socket, client);
      if (!client.decision.allowed) socket.setTimeout(REFUSED_IDLE_MS, () => socket.destroy());
    });
  } else gate.onReload(() => agent.destroyIdle());

  const answer: NonNullable<Parameters<typeof createServer>[1]> = (request, response) => {
    const refusal = refusalOf(request);
    if (refusal === undefined) forward(request, response, route);
    else refuse(response, 403, 'refused', refusal);
  };
  server.on('request', answer).on('checkContinue', answer);
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const refusal = refusalOf(request);
    if (refusal === undefined) forwardUpgrade(request, socket, head, route);
    else refuse(socket, 403, 'refused', refusal);
  });
  return {
    server,
    drain: () => {
      draining = true;
      (server as HttpServer).closeIdleConnections();
    },
    close: () => agent.destroy(),
  };
}
