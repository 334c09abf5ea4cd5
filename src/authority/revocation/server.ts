import { type IncomingMessage, type ServerResponse, createServer } from 'node:http';
import type { Clock } from '../../base/clock.js';
import { Connections, addressOf } from '../../base/connections.js';
import { listening } from '../../base/listen.js';
import type { Log } from '../../base/log.js';
import { systemCode } from '../../errors.js';
import { type Reply, type Route, plain } from './route.js';

export interface RevocationServerOptions {
  readonly host: string;
  readonly port: number;
  readonly route: Route;
  readonly clock: Clock;
  readonly log: Log;
  /** How long what is under way may take after `stop`; 10 s unless told otherwise. */
  readonly drainMs?: number;
}

/** A server at work. */
export interface RunningServer {
  readonly url: string;
  /** Takes no more connections, lets what is under way finish within the time to drain, and ends. */
  readonly stop: () => Promise<void>;
}

/** A request must be there within ten seconds, be it one octet after the other. */
const LIMITS = { headersTimeout: 10_000, requestTimeout: 10_000, keepAliveTimeout: 5_000, connectionsCheckingInterval: 1_000 };
/** Who reads nothing of the answer for twice as long is let go: Node looks a second time whether what waits became less. */
const IDLE_MS = 5_000;
/** The longest request that comes by GET has a third more octets than by POST, and percent signs. */
const HEAD_LIMIT = 16_384;
const CONNECTIONS = 1_000;
/** How long a client may go on sending what nobody wants, before it is cut off. */
const PATIENCE_MS = 2_000;

/** Starts an HTTP server for what is public: CRLs and OCSP. Throws LISTEN_FAILED. */
export async function startRevocationServer(options: RevocationServerOptions): Promise<RunningServer> {
  const { host, port, route, clock, log, drainMs = 10_000 } = options;
  const connections = new Connections();
  const server = createServer({ ...LIMITS, maxHeaderSize: HEAD_LIMIT }, (request, response) => {
    connections.uses(request.socket, response);
    void answer(request, response, { route, clock, log });
  });
  server.on('connection', (socket) => connections.opened(socket));
  server.setTimeout(IDLE_MS);
  server.maxConnections = CONNECTIONS;
  const urlOf = (at: number): string => `http://${host.includes(':') ? `[${host}]` : host}:${at}`;
  const url = urlOf(await listening(server, { host, port, url: urlOf(port) }));
  server.on('error', (error) => log.warn('accept failed', { code: systemCode(error) ?? 'unknown' }));
  let stopping: Promise<void> | undefined;
  return { url, stop: () => (stopping ??= connections.close(server, drainMs)) };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  { route, clock, log }: Pick<RevocationServerOptions, 'route' | 'clock' | 'log'>,
): Promise<void> {
  const { method = '', url: path = '', headers } = request;
  const about = { from: addressOf(request.socket), method };
  let reply: Reply;
  try {
    reply = await route({ method, path, headers, now: clock(), body: (limit) => bodyOf(request, limit) });
  } catch (error) {
    // it went away in the middle of what it sent
    if (request.destroyed && !request.complete) return;
    log.warn('failed', { ...about, reason: error instanceof Error ? error.message : String(error) });
    reply = plain(500, 'something is wrong here');
  }
  send(request, response, reply);
  log.info('answered', { ...about, status: reply.status, ...reply.about });
}

/** Throws when the client goes away before it has sent all. */
async function bodyOf(request: IncomingMessage, limit: number): Promise<Buffer | undefined> {
  if (Number(request.headers['content-length'] ?? 0) > limit) return undefined;
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > limit) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function send(request: IncomingMessage, response: ServerResponse, { status, fields, body }: Reply): void {
  const length = body === undefined ? {} : { 'Content-Length': String(body.length) };
  if (request.complete) {
    response.writeHead(status, { ...fields, ...length }).end(body);
    return;
  }
  // closing on a client that is still sending resets the connection, and the answer is lost with it (RFC 9112 §9.6)
  response.writeHead(status, { ...fields, ...length, Connection: 'close' });
  if (body !== undefined) response.write(body);
  const timer = setTimeout(() => response.end(), PATIENCE_MS);
  const end = (): void => {
    clearTimeout(timer);
    response.end();
  };
  request.resume().once('end', end).once('close', end);
}
