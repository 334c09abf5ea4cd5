import { type ClientRequest, type IncomingMessage, type ServerResponse, request as httpRequest } from 'node:http';
import { type Duplex, pipeline } from 'node:stream';
import type { FailureCode } from './audit.js';
import { FORWARDED_CERTIFICATE, endToEnd, pairs } from './headers.js';
import { refuse } from './refuse.js';
import { tunnel } from './tunnel.js';
import { type UpstreamAgent, UpstreamError, isStale, reasonOf } from './upstream.js';

/** How requests of one listener are passed on. */
export interface Route {
  readonly agent: UpstreamAgent;
  /** The upstream as a Host field, for a client of HTTP/1.0 that sends none. */
  readonly authority: string;
  /** What the upstream is told about the caller, as fields; nothing in the direction of the mesh. */
  readonly identify: (request: IncomingMessage) => readonly string[];
  /** Writes down what went wrong; its id. */
  readonly failed: (code: FailureCode, reason: string) => string;
  /** No further request is to come on the connections that are open. */
  readonly isDraining: () => boolean;
}

/** Passes one request on and its answer back, both as streams. */
export function forward(request: IncomingMessage, response: ServerResponse, route: Route): void {
  const coding = request.headers['transfer-encoding'];
  // the other codings of RFC 9112 §7 would have to be undone here, and nobody sends them
  if (coding !== undefined && coding.trim().toLowerCase() !== 'chunked') {
    refuse(response, 400, 'bad-request', route.failed('REQUEST_INVALID', 'a transfer coding other than chunked'));
    return;
  }
  response.sendDate = false;
  pass(request, response, route, isRepeatable(request));
}

function pass(request: IncomingMessage, response: ServerResponse, route: Route, repeatable: boolean): void {
  const again = (): void => {
    route.agent.destroyIdle();
    pass(request, response, route, false);
  };
  const upstream = ask(request, response, route, framing(request), repeatable ? again : undefined);
  if (upstream === undefined) return;
  // HTTP/1.0 knows no interim answers (RFC 9110 §15.2)
  if (request.httpVersion === '1.1') {
    upstream.on('continue', () => response.writeContinue());
    upstream.on('information', ({ statusCode, rawHeaders }) => passHints(statusCode, rawHeaders, response));
  }
  upstream.on('response', (answer) => {
    if (response.headersSent) return;
    // whether a body that the upstream did not ask for will still come, only the caller knows (RFC 9110 §10.1.1)
    const isUnsettled = request.headers.expect !== undefined && !request.complete;
    if (route.isDraining() || isUnsettled) response.shouldKeepAlive = false;
    response.writeHead(
      answer.statusCode!,
      reasonPhrase(answer),
      endToEnd(answer.rawHeaders, isChunked(request, answer) ? [] : ['Trailer']),
    );
    // the pipe before this one: trailers are known when the last byte is
    answer.on('end', () => response.addTrailers(pairs(answer.rawTrailers)));
    pipeline(answer, response, (error) => error !== undefined && error !== null && upstream.destroy());
  });
  // a caller that goes away in the middle takes its request along
  response.on('close', () => !response.writableFinished && upstream.destroy());
  if (!hasBody(request)) {
    request.resume();
    upstream.end();
    return;
  }
  request.on('end', () => upstream.addTrailers(pairs(request.rawTrailers)));
  request.pipe(upstream);
  // what the upstream did not want to hear is heard out, so that the caller comes to read the answer
  upstream.on('close', () => request.resume());
  // the head goes out at once: the caller may be waiting for an answer before it sends more
  upstream.flushHeaders();
}

/** Passes on a request to change the protocol (RFC 9110 §7.8), and carries whatever is spoken then. */
export function forwardUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer, route: Route): void {
  if (hasBody(request)) {
    // Node reads no body here: its octets would be taken for the other protocol's
    refuse(socket, 400, 'bad-request', route.failed('REQUEST_INVALID', 'a request to upgrade that has a body'));
    return;
  }
  const protocol = request.headers.upgrade ?? '';
  // HTTP/2 in clear text would carry further requests past whoever looks at each (and RFC 9113 took it back)
  const isRefused = protocol.split(',').some((each) => each.trim().toLowerCase().startsWith('h2c'));
  const upstream = ask(request, socket, route, isRefused ? [] : ['Connection', 'Upgrade', 'Upgrade', protocol]);
  if (upstream === undefined) return;
  const giveUp = (): void => void upstream.destroy();
  // Node's server, the tunnel and the gate all listen for its end
  socket.setMaxListeners(32);
  socket.on('error', giveUp).on('close', giveUp);
  if (!isRefused) {
    upstream.on('upgrade', (answer, far, farHead) => {
      socket.write(rawHead(answer, answer.rawHeaders), 'latin1');
      if (farHead.length > 0) far.unshift(farHead);
      if (head.length > 0) socket.unshift(head);
      socket.off('error', giveUp).off('close', giveUp);
      tunnel(socket, far);
    });
  }
  upstream.on('response', (answer) => {
    if (socket.writableEnded) return;
    socket.write(rawHead(answer, [...endToEnd(answer.rawHeaders, ['Trailer']), 'Connection', 'close']), 'latin1');
    pipeline(answer, socket, () => socket.destroy());
  });
  upstream.end();
}

/**
 * The request to the upstream, with its failures answered; undefined when there can be none. `again` is for a request
 * that met a connection which the upstream was just closing, and that may be sent twice (RFC 9110 §9.2.2).
 */
function ask(
  request: IncomingMessage,
  to: ServerResponse | Duplex,
  route: Route,
  fields: readonly string[],
  again?: () => void,
): ClientRequest | undefined {
  const { rawHeaders, method, url } = request;
  const without = [FORWARDED_CERTIFICATE, ...(request.headers['transfer-encoding'] === undefined ? ['Trailer'] : [])];
  const host = request.headers.host === undefined ? ['Host', route.authority] : [];
  const headers = [...host, ...endToEnd(rawHeaders, without), ...fields, ...route.identify(request)];
  let upstream: ClientRequest;
  try {
    upstream = httpRequest({ agent: route.agent, method: method!, path: url!, headers, insecureHTTPParser: false });
  } catch (error) {
    refuse(to, 400, 'bad-request', route.failed('REQUEST_INVALID', `it cannot be passed on: ${reasonOf(error)}`));
    return undefined;
  }
  upstream.maxHeadersCount = 0; // Node would leave out what is above 2000, be it the length of the body
  let settled = false;
  const fail = (error: unknown, reason: string): void => {
    if (settled || to.destroyed) return;
    settled = true;
    if (again !== undefined && upstream.reusedSocket && isStale(error)) again();
    else if (error instanceof UpstreamError) refuse(to, 502, error.refused ? 'upstream-refused' : 'upstream-unavailable', error.id);
    else refuse(to, 502, 'upstream-unavailable', route.failed('UPSTREAM_UNAVAILABLE', reason));
  };
  // once an answer has begun, its stream tells how it ends
  upstream.on('response', (answer) => {
    if (answer.statusCode! >= 200) settled = true;
    else {
      fail(undefined, `it answered with the status ${answer.statusCode}`);
      upstream.destroy();
    }
  });
  upstream.on('upgrade', (_answer, socket) => {
    const asked = fields.includes('Upgrade');
    if (!asked) fail(undefined, 'it changed the protocol without being asked');
    settled = true;
    if (!asked) socket.destroy();
  });
  upstream.on('error', (error) => fail(error, reasonOf(error)));
  upstream.on('close', () => fail(undefined, 'it closed the connection without an answer'));
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

const hasBody = ({ headers }: IncomingMessage): boolean =>
  headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0';

/** May it reach the upstream twice (RFC 9110 §9.2.2), and is all of it still at hand? */
const isRepeatable = (request: IncomingMessage): boolean => BODILESS.has(request.method!) && !hasBody(request);

/** Will this answer go out in chunks, so that trailers can follow? */
const isChunked = ({ method, httpVersion }: IncomingMessage, { headers, statusCode }: IncomingMessage): boolean =>
  headers['transfer-encoding'] !== undefined && httpVersion === '1.1' && method !== 'HEAD' && statusCode !== 204 && statusCode !== 304;

function passHints(status: number, rawHeaders: readonly string[], response: ServerResponse): void {
  const link = pairs(rawHeaders).flatMap(([name, value]) => (name.toLowerCase() === 'link' ? [value] : []));
  try {
    if (status === 102) response.writeProcessing();
    if (status === 103 && link.length > 0) response.writeEarlyHints({ link });
  } catch {
    // Node takes less for a link than RFC 8288 does; a hint may be lost
  }
}

/** The parser takes control characters here, which nothing writes. */
const reasonPhrase = ({ statusMessage = '' }: IncomingMessage): string => statusMessage.replace(/[^\t\x20-\x7e\x80-\xff]/g, ' ');

const rawHead = (answer: IncomingMessage, fields: readonly string[]): string =>
  `HTTP/1.1 ${answer.statusCode} ${reasonPhrase(answer)}\r\n${pairs(fields)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('')}\r\n`;
