import type { Server, Socket } from 'node:net';
import { MtlsError, systemCode } from '../errors.js';
import type { Clock } from '../base/clock.js';
import { listening } from '../base/listen.js';
import type { Log } from '../base/log.js';
import type { AuditLine } from './audit.js';
import { Connections } from '../base/connections.js';
import type { CredentialFiles } from './credentials.js';
import { type Endpoint, endpoint, isHttp, isLoopback, isMutual } from './endpoint.js';
import { Gate } from './gate.js';
import { httpServer } from './http-server.js';
import { parsePeers } from './peers.js';
import { Staples } from './staple.js';
import { tcpServer } from './tcp-server.js';

/** What a sidecar is to do. One of its ends is mutual TLS, the other plain. */
export interface ProxyOptions {
  readonly listen: Endpoint;
  readonly upstream: Endpoint;
  readonly files: CredentialFiles;
  /** Who may connect, when it listens in mutual TLS: SPIFFE IDs (a segment may be `*`) and `dns:NAME`. */
  readonly allow?: readonly string[] | 'any';
  /** Who the upstream must be, when that is mutual TLS. */
  readonly expect?: readonly string[];
  /** The plain end may leave this machine. */
  readonly unsafePlaintext?: boolean;
  /** Where it listens in mutual TLS, a file with the OCSP response to staple; else the responder is asked that its certificate names. */
  readonly staple?: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly audit: (line: AuditLine) => void;
  /** How long what is under way may take after `stop`; 10 s unless told otherwise. */
  readonly drainMs?: number;
}

/** A sidecar at work. */
export interface RunningProxy {
  readonly address: { readonly host: string; readonly port: number };
  readonly url: string;
  /** Reads its files now; false when something is wrong with them, and the old state stays. */
  readonly reload: () => boolean;
  /** Takes no more connections, lets what is under way finish within the time to drain, and ends. */
  readonly stop: () => Promise<void>;
}

/** What a kind of server gives to be run and stopped. */
export interface Serving {
  readonly server: Server;
  /** Connections to the upstream that nobody uses any more. */
  readonly close: () => void;
}

/** What a kind of server needs to know. */
export interface ServingOptions {
  readonly listen: Endpoint;
  readonly upstream: Endpoint;
  readonly gate: Gate;
  readonly connections: Connections;
}

/**
 * Starts a sidecar. Throws before it listens when it would be open (PROXY_OPEN_POLICY, PROXY_OPEN_UPSTREAM), would carry
 * clear text off this machine (PROXY_PLAINTEXT), when its files do not fit together, or LISTEN_FAILED.
 */
export async function startProxy(options: ProxyOptions): Promise<RunningProxy> {
  const { listen, upstream, drainMs = 10_000 } = options;
  assertEnds(options);
  const inbound = isMutual(listen);
  if (inbound && (options.allow === undefined || options.allow.length === 0)) throw new MtlsError('PROXY_OPEN_POLICY', {});
  if (!inbound && (options.expect === undefined || options.expect.length === 0)) throw new MtlsError('PROXY_OPEN_UPSTREAM', {});
  const peers = inbound ? parsePeers(options.allow!, '--allow') : parsePeers(options.expect!, '--expect');
  const { files, clock, log, audit } = options;
  const gate = new Gate({ files, peers, direction: inbound ? 'inbound' : 'outbound', clock, log, audit });
  const connections = new Connections();
  const serving = (isHttp(listen) ? httpServer : tcpServer)({ listen, upstream, gate, connections });
  const { server } = serving;
  server.prependListener('connection', (socket: Socket) => connections.opened(socket));
  let staples: Staples | undefined;
  let port: number;
  try {
    if (inbound) staples = stapling(server, gate, options);
    port = await listening(server, listen);
  } catch (error) {
    staples?.close();
    gate.close();
    throw error;
  }
  // what happens to a listening socket afterwards (too many open files) passes, and must not end the process
  server.on('error', (error) => log.warn('accept failed', { code: systemCode(error) ?? 'unknown' }));
  const stop = async (): Promise<void> => {
    await connections.close(server, drainMs);
    serving.close();
    staples?.close();
    gate.close();
  };
  let stopping: Promise<void> | undefined;
  return {
    address: { host: listen.host, port },
    url: endpoint(listen.scheme, listen.host, port).url,
    reload: () => gate.reload(),
    stop: () => (stopping ??= stop()),
  };
}

/** Whoever asks a server in the handshake whether its certificate is revoked gets what is at hand (RFC 6066 §8). */
function stapling(server: Server, gate: Gate, { staple, clock, log }: ProxyOptions): Staples {
  const staples = new Staples({ credentials: gate.credentials, file: staple, clock, log });
  gate.onReload((credentials) => staples.take(credentials));
  server.on('OCSPRequest', (_certificate: Buffer, _issuer: Buffer, done: (error: null, response: Buffer | null) => void) =>
    done(null, staples.current ?? null),
  );
  return staples;
}

function assertEnds({ listen, upstream, unsafePlaintext = false }: ProxyOptions): void {
  const fits = isMutual(listen) !== isMutual(upstream) && isHttp(listen) === isHttp(upstream);
  if (!fits) {
    const expected = 'one end mtls:// and the other http://, or mtls+tcp:// and tcp://';
    throw new MtlsError('VALUE_INVALID', { what: 'the two ends', found: `${listen.scheme} and ${upstream.scheme}`, expected });
  }
  const plain = isMutual(listen) ? upstream : listen;
  if (!unsafePlaintext && !isLoopback(plain)) throw new MtlsError('PROXY_PLAINTEXT', { endpoint: plain.url });
}
