import { type Agent, type ClientRequest, type IncomingMessage, type ServerResponse, request as httpRequest } from 'node:http';
import { type Duplex, pipeline } from 'node:stream';
import { FORWARDED_CERTIFICATE, endToEnd, pairs } from './headers.js';
import { tunnel } from './tunnel.js';
import { UpstreamError, reasonOf } from './upstream.js';

/** How requests of one listener are passed on. */
export interface Route {
  readonly agent: Agent;
  /** The upstream as a Host field, for a client of HTTP/1.0 that sends none. */
  readonly authority: string;
  /** What the upstream is told about the caller, as fields; nothing in the direction of the mesh. */
  readonly identify: (request: IncomingMessage) => readonly string[];
  /** Writes down what went wrong with the upstream; its id. */
  readonly failed: (reason: string) => string;
  /** No further request is to come on the connections that are open. */
  readonly isDraining: () => boolean;
}

/** Passes one request on and its answer back, both as streams. */
export function forward(request: IncomingMessage, response: ServerResponse, route: Route): void {
  const upstream = ask(request, response, route, framing(request));
  if (upstream === undefined) return;
  response.sendDate = false;
  upstream.on('continue', () => response.writeContinue());
  upstream.on('information', ({ statusCode, rawHeaders }) => {
    const links = pairs(rawHeaders).flatMap(([name, value]) => (name.toLowerCase() === 'link' ? [value] : []));
    if (statusCode === 103 && links.length > 0) response.writeEarlyHints({ link: links });
  });
  upstream.on('response', (answer) => {
    if (route.isDraining()) response.shouldKeepAlive = false;
    response.writeHead(answer.statusCode!, answer.statusMessage, endToEnd(answer.rawHeaders));
    // the pipe before this one: trailers are known when the last byte is
    answer.on('end', () => response.addTrailers(pairs(answer.rawTrailers)));
    pipeline(answer, response, (error) => error !== undefined && error !== null && upstream.destroy());
  });
  request.on('end', () => upstream.addTrailers(pairs(request.rawTrailers)));
  // a caller that goes away in the middle takes its request along
  response.on('close', () => !response.writableFinished && upstream.destroy());
  request.pipe(upstream);
  // the head goes out at once: the caller may be waiting for an answer before it sends more
  upstream.flushHeaders();
}

/** Passes on a request to change the protocol (RFC 9110 §7.8), and carries whatever is spoken then. */
export function forwardUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer, route: Route): void {
  const fields = ['Connection', 'Upgrade', 'Upgrade', request.headers.upgrade ?? ''];
  const upstream = ask(request, socket, route, fields);
  if (upstream === undefined) return;
  const giveUp = (): void => void upstream.destroy();
  socket.on('error', giveUp).on('close', giveUp);
  upstream.on('upgrade', (answer, far, farHead) => {
    socket.write(rawHead(answer, answer.rawHeaders));
    if (farHead.length > 0) far.unshift(farHead);
    if (head.length > 0) socket.unshift(head);
    socket.off('error', giveUp).off('close', giveUp);
    tunnel(socket, far);
  });
  upstream.on('response', (answer) => {
    socket.write(rawHead(answer, [...endToEnd(answer.rawHeaders), 'Connection', 'close']));
    pipeline(answer, socket, () => socket.destroy());
  });
  upstream.end();
}

/** Answers a request that is not passed on: a generic code and the id, nothing else (the reason is in the audit). */
export function refuse(to: ServerResponse | Duplex, status: 400 | 403 | 502, code: string, id: string): void {
  const body = `${JSON.stringify({ error: { code, id } })}\n`;
  const fields = { 'Content-Type': 'application/json', 'Content-Length': String(Buffer.byteLength(body)), Connection: 'close' };
  if ('writeHead' in to) {
    if (to.headersSent) to.destroy();
    else to.writeHead(status, fields).end(body);
    return;
  }
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
  to.end(`HTTP/1.1 ${status} ${REASON_PHRASES[status]}\r\n${lines.join('')}\r\n${body}`);
}

const REASON_PHRASES = { 400: 'Bad Request', 403: 'Forbidden', 502: 'Bad Gateway' } as const;

/** The request to the upstream, with its errors answered; undefined when there can be none. */
function ask(request: IncomingMessage, to: ServerResponse | Duplex, route: Route, fields: readonly string[]): ClientRequest | undefined {
  const host = request.headers.host === undefined ? ['Host', route.authority] : [];
  const headers = [...host, ...endToEnd(request.rawHeaders, [FORWARDED_CERTIFICATE]), ...fields, ...route.identify(request)];
  let upstream: ClientRequest;
  try {
    upstream = httpRequest({ agent: route.agent, method: request.method!, path: request.url!, headers });
  } catch (error) {
    refuse(to, 400, 'bad-request', route.failed(`a request that cannot be passed on: ${reasonOf(error)}`));
    return undefined;
  }
  upstream.on('error', (error) => {
    if (to.destroyed) return;
    const known = error instanceof UpstreamError;
    refuse(to, 502, known && error.refused ? 'upstream-refused' : 'upstream-unavailable', known ? error.id : route.failed(reasonOf(error)));
  });
  return upstream;
}

/** How the body is framed upstream: by its length where that is known (then it is among the other fields), else in chunks. */
function framing({ headers, method }: IncomingMessage): readonly string[] {
  if (headers['transfer-encoding'] !== undefined) return ['Transfer-Encoding', 'chunked'];
  // without this Node would send an empty body in chunks, which is more than the caller said
  return headers['content-length'] === undefined && !BODILESS.has(method!) ? ['Content-Length', '0'] : [];
}

/** Methods for which Node adds no framing of its own. */
const BODILESS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'DELETE', 'OPTIONS', 'TRACE']);

const rawHead = ({ statusCode, statusMessage }: IncomingMessage, fields: readonly string[]): string =>
  `HTTP/1.1 ${statusCode} ${statusMessage}\r\n${pairs(fields)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('')}\r\n`;
