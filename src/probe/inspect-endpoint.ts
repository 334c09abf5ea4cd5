import { MtlsError } from '../errors.js';
import type { Certificate } from '../pki/certificate.js';
import { CIPHER_SUITES, GROUPS, VERSIONS, nameOf } from './codepoints.js';
import { connectToFirst, resolve } from './connect.js';
import { readChain } from './examine.js';
import { describeFailure } from './failure.js';
import { shakeHands } from './handshake.js';
import { DEFAULT_TIMEOUT_MS, endpointOf, servernameOf } from './options.js';
import type { StarttlsProtocol } from './starttls.js';

/** How a server is asked for its certificates. */
export interface InspectOptions {
  readonly servername?: string;
  readonly starttls?: StarttlsProtocol;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** What a server shows to anybody who connects: nothing is judged. */
export interface EndpointView {
  readonly endpoint: string;
  readonly version: string;
  readonly cipher: string;
  readonly group: string | undefined;
  /** Leaf first, as they were sent; one that is malformed with its DER and its problem. */
  readonly chain: readonly ({ readonly certificate: Certificate } | { readonly der: Buffer; readonly problem: string })[];
  /** The CAs whose certificates the server accepts; undefined when it asks for no client certificate. */
  readonly acceptedAuthorities: readonly string[] | undefined;
}

/**
 * The certificates that a server sends, by one handshake without a client certificate; it need not succeed. Throws
 * HOST_NOT_FOUND, or CONNECT_FAILED when the server shows none.
 */
export async function inspectEndpoint(host: string, port: number, options: InspectOptions = {}): Promise<EndpointView> {
  const { timeoutMs = DEFAULT_TIMEOUT_MS, signal, starttls } = options;
  const endpoint = endpointOf({ host, port });
  const resolution = await resolve(host, { timeoutMs, signal });
  if ('failure' in resolution) throw new MtlsError('HOST_NOT_FOUND', { host });
  const connection = await connectToFirst(resolution.addresses, port, { timeoutMs, signal });
  if ('failure' in connection) throw new MtlsError('CONNECT_FAILED', { endpoint, reason: connection.reason });
  const offer = { servername: servernameOf({ host, ...options }) };
  const attempt = await shakeHands(connection.socket, { offer, starttls, timeoutMs, signal });
  const { serverHello, serverCertificates, group, certificateRequest } = attempt.transcript;
  if (serverHello === undefined || serverCertificates === undefined) {
    const reason = attempt.notUpgraded ?? (describeFailure(attempt).join('; ') || 'no certificate came');
    throw new MtlsError('CONNECT_FAILED', { endpoint, reason });
  }
  return {
    endpoint,
    version: nameOf(VERSIONS, serverHello.version),
    cipher: nameOf(CIPHER_SUITES, serverHello.cipher),
    group: group === undefined ? undefined : nameOf(GROUPS, group),
    chain: readChain(serverCertificates),
    acceptedAuthorities: certificateRequest?.authorities.map(({ text }) => text),
  };
}
