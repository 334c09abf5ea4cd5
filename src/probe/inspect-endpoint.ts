import { MtlsError } from '../errors.js';
import type { Certificate } from '../pki/certificate.js';
import { formatName } from '../pki/name.js';
import { CIPHER_SUITES, GROUPS, VERSIONS, nameOf } from './codepoints.js';
import { connectToFirst, resolve } from './connect.js';
import { readChain } from './examine.js';
import { describeFailure } from './failure.js';
import { type Attempt, type ClientIdentity, shakeHands, whyNotPresentable } from './handshake.js';
import { DEFAULT_TIMEOUT_MS, assertOptions, endpointOf, servernameOf } from './options.js';
import { refusalOf } from './refusal.js';
import type { StarttlsProtocol } from './starttls.js';

/** How a server is asked for its certificates. */
export interface InspectOptions {
  readonly servername?: string;
  /** Who comes; nobody in particular when it is left out. */
  readonly client?: ClientIdentity;
  readonly starttls?: StarttlsProtocol;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** What a server shows to whoever connects: nothing is judged. */
export interface EndpointView {
  readonly endpoint: string;
  readonly version: string;
  readonly cipher: string;
  readonly group: string | undefined;
  /** Leaf first, as they were sent; one that is malformed with its DER and its problem. */
  readonly chain: readonly ({ readonly certificate: Certificate } | { readonly der: Buffer; readonly problem: string })[];
  /** The CAs whose certificates the server accepts; undefined when it asks for no client certificate. */
  readonly acceptedAuthorities: readonly string[] | undefined;
  readonly client: {
    /** The subject of the certificate that went out; undefined when none did. */
    readonly sent: string | undefined;
    /** What was seen of the handshake's failing; undefined when it went through. Over TLS 1.3 a server may still say no later. */
    readonly problem: string | undefined;
  };
}

/**
 * The certificates that a server sends, by one handshake with a client certificate or without; it need not succeed.
 * Throws HOST_NOT_FOUND, CONNECT_FAILED when the server shows none, or VALUE_INVALID for what cannot be sent.
 */
export async function inspectEndpoint(host: string, port: number, options: InspectOptions = {}): Promise<EndpointView> {
  const { timeoutMs = DEFAULT_TIMEOUT_MS, signal, starttls, client } = options;
  // nobody asks for the time here: nothing is judged
  assertOptions({ ...options, host, port, retries: false, clock: () => new Date(0) });
  assertPresentable(client);
  const endpoint = endpointOf({ host, port });
  const resolution = await resolve(host, { timeoutMs, signal });
  if ('failure' in resolution) throw new MtlsError('HOST_NOT_FOUND', { host });
  const connection = await connectToFirst(resolution.addresses, port, { timeoutMs, signal });
  if ('failure' in connection) throw new MtlsError('CONNECT_FAILED', { endpoint, reason: connection.reason });
  const offer = { servername: servernameOf({ host, ...options }) };
  const attempt = await shakeHands(connection.socket, { offer, client, starttls, timeoutMs, signal });
  const { serverHello, serverCertificates, group, certificateRequest, clientCertificates = [] } = attempt.transcript;
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
    client: {
      sent: client === undefined || clientCertificates.length === 0 ? undefined : formatName(client.chain[0]!.subject),
      problem: problemOf(attempt),
    },
  };
}

function assertPresentable(client: ClientIdentity | undefined): void {
  const problem = client === undefined ? undefined : whyNotPresentable(client);
  if (problem === undefined) return;
  throw new MtlsError('VALUE_INVALID', {
    what: 'client certificate',
    found: problem,
    expected: 'a certificate and key that OpenSSL presents',
  });
}

function problemOf(attempt: Attempt): string | undefined {
  const refusal = refusalOf(attempt, false);
  if (refusal !== undefined) return refusal.seen;
  return attempt.secured ? undefined : describeFailure(attempt).join('; ') || 'the handshake did not end';
}
