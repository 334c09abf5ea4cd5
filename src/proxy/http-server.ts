import { type IncomingMessage, createServer } from 'node:http';
import { type Server as HttpsServer, createServer as createMutualServer } from 'node:https';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { addressOf } from '../base/connections.js';
import { isMutual } from './endpoint.js';
import { type Route, forward, forwardUpgrade } from './forward.js';
import type { Admitted } from './gate.js';
import { FORWARDED_CERTIFICATE, forwardedCertificate } from './headers.js';
import { attend, mutualOptions } from './mutual.js';
import type { Serving, ServingOptions } from './proxy.js';
import { refuse } from './refuse.js';
import { UpstreamAgent, connectMutual, connectPlain } from './upstream.js';

/** How long a client that was refused may take to ask for anything, and be told. */
const REFUSED_IDLE_MS = 5_000;

/** HTTP/1.1 with mutual TLS on one side: requests are passed on one by one, over connections that are kept. */
export function httpServer({ listen, upstream, gate, connections }: ServingOptions): Serving {
  const agent = new UpstreamAgent(() => (isMutual(upstream) ? connectMutual : connectPlain)(upstream, gate, 'http/1.1'));
  const admitted = new WeakMap<Duplex, Admitted>();
  const route: Route = {
    agent,
    authority: new URL(upstream.url).host,
    identify: ({ socket }) => identityFields(admitted.get(socket)),
    failed: (code, reason) => gate.fail(code, reason, upstream.url),
    isDraining: () => connections.isDraining,
  };
  const identityFields = (client: Admitted | undefined): string[] => {
    const leaf = client === undefined || 'malformed' in client.shown ? undefined : client.shown.chain[0];
    return leaf === undefined ? [] : [FORWARDED_CERTIFICATE, forwardedCertificate(leaf, gate.credentials.chain[0]!)];
  };
  const admit = (socket: TLSSocket): Admitted => {
    const client = gate.admit(socket, addressOf(socket));
    admitted.set(socket, client);
    if (!client.decision.allowed) socket.setTimeout(REFUSED_IDLE_MS, () => socket.destroy());
    return client;
  };
  /** The id of the refusal, when this connection was refused. */
  const refusalOf = ({ socket }: IncomingMessage): string | undefined => {
    if (!isMutual(listen)) return undefined;
    // closed by default: nobody is served whom nobody judged
    const { decision, id } = admitted.get(socket) ?? admit(socket as TLSSocket);
    return decision.allowed ? undefined : id;
  };

  // a body may take as long as it takes; a head may not
  const limits = { requestTimeout: 0, headersTimeout: 30_000, keepAliveTimeout: 60_000, insecureHTTPParser: false };
  const server = isMutual(listen)
    ? createMutualServer({ ...mutualOptions(gate.credentials), ...limits, ALPNProtocols: ['http/1.1'] })
    : createServer(limits);
  if (isMutual(listen)) {
    const mutual = server as HttpsServer;
    attend(mutual, gate, connections);
    // before Node's own listener, which begins to read the first request
    mutual.prependListener('secureConnection', admit);
  } else gate.onReload(() => agent.renew());
  // Node would leave out what is above 2000, be it the length of the body; the head is bounded by its octets
  server.maxHeadersCount = 0;

  const answer: NonNullable<Parameters<typeof createServer>[1]> = (request, response) => {
    connections.uses(request.socket, response);
    const refusal = refusalOf(request);
    if (refusal === undefined) forward(request, response, route);
    else refuse(response, 403, 'refused', refusal);
  };
  server.on('request', answer).on('checkContinue', answer);
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    connections.uses(request.socket, socket);
    const refusal = refusalOf(request);
    if (refusal === undefined) forwardUpgrade(request, socket, head, route);
    else refuse(socket, 403, 'refused', refusal);
  });
  return { server, close: () => agent.destroy() };
}
