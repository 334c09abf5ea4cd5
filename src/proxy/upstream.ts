import { Agent } from 'node:http';
import { type Socket, connect, isIP } from 'node:net';
import { type Duplex } from 'node:stream';
import { type TLSSocket, connect as connectTls } from 'node:tls';
import { systemCode } from '../errors.js';
import type { Endpoint } from './endpoint.js';
import type { Gate } from './gate.js';

/** The upstream could not be reached, or is not who it must be; it stands in the audit under `id`. */
export class UpstreamError extends Error {
  override readonly name = 'UpstreamError';
  readonly id: string;
  readonly refused: boolean;

  constructor(id: string, reason: string, refused: boolean) {
    super(reason);
    this.id = id;
    this.refused = refused;
  }
}

const CONNECT_TIMEOUT_MS = 10_000;

/** What is spoken over a connection. */
export type Protocol = 'http/1.1' | 'bytes';

/** A connection to the plain upstream. Rejects with UpstreamError. */
export async function connectPlain({ host, port, url }: Endpoint, gate: Gate, protocol: Protocol): Promise<Socket> {
  return settled(connect({ host, port, allowHalfOpen: isHalfOpen(protocol) }), 'connect', url, gate);
}

/** An HTTP server that says it is done is done: a connection of which only half is left would be asked again, and never answer. */
const isHalfOpen = (protocol: Protocol): boolean => protocol === 'bytes';

/** A connection to an upstream that showed a certificate and was admitted, before a byte was sent. Rejects with UpstreamError. */
export async function connectMutual({ host, port, url }: Endpoint, gate: Gate, protocol: Protocol): Promise<TLSSocket> {
  const socket = connectTls({
    ...{ host, port, ...gate.credentials.tls, minVersion: 'TLSv1.2' },
    // the gate judges it: by its identity, and with a reason
    rejectUnauthorized: false,
    ...(isIP(host) === 0 ? { servername: host } : {}),
    ...(protocol === 'bytes' ? {} : { ALPNProtocols: [protocol] }),
  });
  // a TLS socket has no such option of its own
  socket.allowHalfOpen = isHalfOpen(protocol);
  await settled(socket, 'secureConnect', url, gate);
  const { id, decision } = gate.admit(socket, url);
  // what came right behind the handshake may have ended it already
  if (decision.allowed && socket.destroyed) throw failed('it closed the connection after the handshake', url, gate);
  if (decision.allowed) return socket;
  socket.destroy();
  throw new UpstreamError(id, decision.reason, true);
}

/** Waits for `event`, at most ten seconds. */
function settled<S extends Socket>(socket: S, event: 'connect' | 'secureConnect', url: string, gate: Gate): Promise<S> {
  return new Promise((resolve, reject) => {
    const fail = (reason: string): void => {
      clearTimeout(timer);
      socket.off('error', onError).off('close', onClose).destroy();
      reject(failed(reason, url, gate));
    };
    const timer = setTimeout(() => fail(`no answer within ${CONNECT_TIMEOUT_MS / 1000} s`), CONNECT_TIMEOUT_MS);
    const onError = (error: Error): void => fail(reasonOf(error));
    const onClose = (): void => fail('it closed the connection in the handshake');
    // one listener stays: between here and whoever takes the socket over, an error would end the process
    socket
      .on('error', () => {})
      .once('error', onError)
      .once('close', onClose);
    socket.once(event, () => {
      clearTimeout(timer);
      socket.off('error', onError).off('close', onClose);
      resolve(socket);
    });
  });
}

const failed = (reason: string, url: string, gate: Gate): UpstreamError =>
  new UpstreamError(gate.fail('UPSTREAM_UNAVAILABLE', reason, url), reason, false);

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ECONNRESET: 'it reset the connection',
  ETIMEDOUT: 'no answer',
  EHOSTUNREACH: 'no route to it',
  ENETUNREACH: 'no route to its network',
  ENOTFOUND: 'its name does not resolve',
  EAI_AGAIN: 'its name cannot be resolved now',
  EPIPE: 'it closed the connection',
};

/** What went wrong on a connection, by its code. */
export function reasonOf(error: unknown): string {
  // several addresses were tried: the last one speaks for all
  const one = error instanceof AggregateError ? (error.errors.at(-1) as unknown) : error;
  const code = systemCode(one) ?? 'unknown';
  return REASONS[code] === undefined ? code : `${REASONS[code]} (${code})`;
}

/** Was the connection closed by the other side while nobody used it? */
export const isStale = (error: unknown): boolean => ['ECONNRESET', 'EPIPE'].includes(systemCode(error) ?? '');

/** How long a connection is kept that nobody uses; less when the upstream says so. */
const IDLE_MS = 30_000;

/** Keeps connections to the upstream for further requests. Each is made, and judged, by `connect`. */
export class UpstreamAgent extends Agent {
  readonly #connect: () => Promise<Duplex>;
  #current = new WeakSet<Duplex>();

  constructor(connectUpstream: () => Promise<Duplex>) {
    // of the time, Node makes a limit for idle connections only
    super({ keepAlive: true, maxFreeSockets: 64, timeout: IDLE_MS });
    this.#connect = connectUpstream;
  }

  /** Lets go of connections that nobody uses, and of the others when they are done: the next ones are made by the credentials of then. */
  renew(): void {
    this.#current = new WeakSet();
    this.destroyIdle();
  }

  destroyIdle(): void {
    for (const sockets of Object.values(this.freeSockets)) for (const socket of [...(sockets ?? [])]) socket.destroy();
  }

  override keepSocketAlive(socket: Duplex): boolean {
    // the types say that nothing is returned; Node's own returns whether to keep it
    return (super.keepSocketAlive(socket) as unknown as boolean) && this.#current.has(socket);
  }

  override createConnection(_options: object, done?: (error: Error | null, socket: Duplex) => void): undefined {
    const current = this.#current;
    this.#connect().then(
      (socket) => {
        current.add(socket);
        done?.(null, socket);
      },
      (error: unknown) => done?.(error as Error, undefined as unknown as Duplex),
    );
  }
}
