import { setImmediate } from 'node:timers/promises';
import { generateKey, publicKeyInfo } from '../pki/key.js';
import { OID } from '../pki/oids.js';
import { connectTo, withinTime } from './connect.js';
import { type Attempt, type ClientIdentity, type HandshakeOptions, shakeHands } from './handshake.js';
import { type HttpAnswer, get } from './http.js';
import type { ProbeOptions } from './options.js';
import { refusalOf } from './refusal.js';
import { POSTGRES_SSL_REQUEST } from './starttls.js';

/** What came of trying again differently. What is undefined was not tried, or did not connect. */
export interface Again {
  readonly withoutCertificate?: Attempt | undefined;
  readonly withStranger?: Attempt | undefined;
  /** The same once more, with a GET at the end: for a server that refuses in HTTP only. */
  readonly withRequest?: Attempt | undefined;
  /** Every version, suite and group that we have. */
  readonly wide?: Attempt | undefined;
  readonly withoutServername?: Attempt | undefined;
  readonly withoutAlpn?: Attempt | undefined;
  readonly withProxyHeader?: Attempt | undefined;
  /** A GET in clear text. */
  readonly plainGet?: HttpAnswer | undefined;
  /** What the server says to one who says nothing, and whether it hangs up on him. */
  readonly silent?: { readonly said: Buffer; readonly closed: boolean } | undefined;
  /** The answer to PostgreSQL's SSLRequest. */
  readonly postgres?: Buffer | undefined;
}

/** Where and how the first attempt was made. */
interface First {
  readonly address: string;
  readonly port: number;
  readonly host: string;
  readonly handshake: HandshakeOptions;
  readonly attempt: Attempt;
  readonly options: ProbeOptions;
}

/** Each further try is short: the server is known to be there. One that never answered gets less. */
const TRY_MS = 2_000;
const TRY_SILENT_MS = 1_000;
/** How long a banner may take, for one who says nothing. */
const SILENCE_MS = 500;

/** Tries again, as the first attempt asks for it; one after the other, as some servers serve one client at a time. */
export async function tryAgain(first: First): Promise<Again> {
  const { attempt } = first;
  if (attempt.notUpgraded !== undefined) return {};
  if (attempt.transcript.serverHello === undefined) return afterNoHello(first);
  if (attempt.transcript.certificateRequest === undefined) return {};
  const refusal = refusalOf(attempt, first.options.httpPath !== undefined);
  if (refusal === undefined) return afterWelcome(first);
  return refusal.how === 'closed' ? afterSilentRefusal(first) : {};
}

/** It hung up without a word. If it tells a stranger why, it was not our certificate that it minded. */
async function afterSilentRefusal(first: First): Promise<Again> {
  const { client } = first.handshake;
  return client === undefined ? {} : { withStranger: await shakeAgain(first, { client: await stranger(client) }) };
}

/** No ServerHello: what else is this, or what did the server dislike? Ends with the first try that tells. */
async function afterNoHello(first: First): Promise<Again> {
  const { attempt, handshake } = first;
  const { offer } = handshake;
  const alert = attempt.transcript.alerts.find(({ from }) => from === 'server');
  const again: { -readonly [Key in keyof Again]: Again[Key] } = {};
  if (alert === undefined && attempt.serverSaid.length > 0) return again;
  if (alert === undefined && handshake.starttls === undefined) {
    again.silent = await listen(first);
    if (again.silent !== undefined && (again.silent.said.length > 0 || again.silent.closed)) return again;
    again.plainGet = await plainGet(first);
    if (again.plainGet?.kind === 'http') return again;
    again.postgres = await askPostgres(first);
    if (again.postgres?.toString('latin1') === 'S') return again;
    again.withProxyHeader = await shakeAgain(first, { preamble: 'PROXY TCP4 127.0.0.1 127.0.0.1 50000 443\r\n' });
    if (greeted(again.withProxyHeader)) return again;
  }
  if (attempt.timedOut) return again;
  if (offer.servername !== '') again.withoutServername = await shakeAgain(first, { offer: { ...offer, servername: '' } });
  if (greeted(again.withoutServername)) return again;
  if ((offer.alpn?.length ?? 0) > 0) again.withoutAlpn = await shakeAgain(first, { offer: { ...offer, alpn: [] } });
  if (greeted(again.withoutAlpn)) return again;
  const wide = { servername: offer.servername, alpn: offer.alpn, minVersion: 'TLSv1', maxVersion: 'TLSv1.3' } as const;
  again.wide = await shakeAgain(first, { offer: wide });
  return again;
}

/** Did a ServerHello come? */
export const greeted = (attempt: Attempt | undefined): boolean => attempt?.transcript.serverHello?.isRetry === false;

/**
 * The server took what it got. Does it take anybody? Without a certificate, then with a self-made one; the request at
 * the end shows a server that refuses in HTTP only.
 */
async function afterWelcome(first: First): Promise<Again> {
  const { handshake, options, host } = first;
  const request = handshake.starttls === undefined ? { path: options.httpPath ?? '/', host } : undefined;
  const asked = handshake.request !== undefined;
  if (handshake.client === undefined) return asked || request === undefined ? {} : { withRequest: await shakeAgain(first, { request }) };
  const withoutCertificate = await shakeAgain(first, { client: undefined, request });
  if (withoutCertificate === undefined) return {};
  const inHttp = withoutCertificate.answer?.kind === 'http';
  const withRequest = inHttp && !asked ? await shakeAgain(first, { request }) : undefined;
  if (refusalOf(withoutCertificate, false) === undefined) return { withoutCertificate, withRequest };
  const withStranger = await shakeAgain(first, { client: await stranger(handshake.client), request });
  return { withoutCertificate, withRequest, withStranger };
}

/** A certificate that nobody has reason to accept: the names of ours, self-signed by a new key. */
async function stranger(client: ClientIdentity): Promise<ClientIdentity> {
  // the encoder is heavy and needed here only
  const { signCertificate } = await import('../pki/sign.js');
  const key = generateKey(client.key.asymmetricKeyType === 'rsa' ? 'rsa-2048' : 'ecdsa-p256');
  const { notBefore, notAfter, subjectAltName } = client.chain[0]!;
  const template = {
    subject: [[OID.commonName, 'mtls probe stranger']] as const,
    publicKey: publicKeyInfo(key),
    notBefore: new Date(notBefore),
    notAfter: new Date(notAfter),
    keyUsage: ['digitalSignature'] as const,
    extendedKeyUsage: [OID.clientAuth],
    names: { dns: subjectAltName.dns, ip: [], uri: [] },
  };
  return { chain: [signCertificate(template, { key })], key };
}

async function shakeAgain(first: First, change: Partial<HandshakeOptions>): Promise<Attempt | undefined> {
  const limits = limitsOf(first);
  const connection = await connectTo(first.address, first.port, limits);
  if (!('socket' in connection)) return undefined;
  const attempt = await shakeHands(connection.socket, { ...first.handshake, request: undefined, ...change, ...limits });
  // a server that serves one client at a time must see that this one is gone
  await setImmediate();
  return attempt;
}

async function plainGet(first: First): Promise<HttpAnswer | undefined> {
  const limits = limitsOf(first);
  const connection = await connectTo(first.address, first.port, limits);
  if (!('socket' in connection)) return undefined;
  try {
    return await get(connection.socket, { path: '/', host: first.host }, limits);
  } finally {
    connection.socket.destroy();
  }
}

async function listen(first: First): Promise<Again['silent']> {
  return exchange(first, undefined, SILENCE_MS);
}

async function askPostgres(first: First): Promise<Buffer | undefined> {
  return (await exchange(first, POSTGRES_SSL_REQUEST, SILENCE_MS))?.said;
}

/** What a server says within a time, to these bytes or to none. */
async function exchange(first: First, send: Buffer | undefined, timeoutMs: number): Promise<Again['silent']> {
  const connection = await connectTo(first.address, first.port, limitsOf(first));
  if (!('socket' in connection)) return undefined;
  const { socket } = connection;
  let said: Buffer = Buffer.alloc(0);
  let settle: (closed: boolean) => void = () => {};
  const heard = new Promise<boolean>((resolve) => (settle = resolve));
  socket.on('data', (bytes: Buffer) => {
    said = Buffer.concat([said, bytes]).subarray(0, 512);
    settle(false);
  });
  socket.once('end', () => settle(true)).once('close', () => settle(true));
  if (send !== undefined) socket.write(send);
  try {
    const closed = await withinTime(heard, timeoutMs, first.options.signal);
    return { said, closed: closed === true };
  } finally {
    socket.destroy();
  }
}

const limitsOf = ({ handshake, attempt }: First): { timeoutMs: number; signal: AbortSignal | undefined } => ({
  timeoutMs: Math.min(handshake.timeoutMs, attempt.timedOut ? TRY_SILENT_MS : TRY_MS),
  signal: handshake.signal,
});
