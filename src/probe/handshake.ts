import type { KeyObject } from 'node:crypto';
import type { Socket } from 'node:net';
import { type ConnectionOptions, DEFAULT_CIPHERS, type SecureVersion, type TLSSocket, connect, createSecureContext } from 'node:tls';
import { MtlsError, systemCode } from '../errors.js';
import type { Certificate } from '../pki/certificate.js';
import { privateKeyToPem } from '../pki/key.js';
import { toPem } from '../pki/pem.js';
import { type Limits, withinTime } from './connect.js';
import { type HttpAnswer, get } from './http.js';
import { type StarttlsProtocol, type Upgrade, upgrade } from './starttls.js';
import { type Ending, Tap, Tape } from './tap.js';
import { type Transcript, transcribe } from './transcript.js';

/** Who we are to the server: certificates, leaf first, and the key of the first. */
export interface ClientIdentity {
  readonly chain: readonly Certificate[];
  readonly key: KeyObject;
}

/** What a ClientHello offers. */
export interface Offer {
  /** The name in the server_name extension; '' sends none. */
  readonly servername: string;
  readonly alpn?: readonly string[] | undefined;
  readonly minVersion?: SecureVersion | undefined;
  readonly maxVersion?: SecureVersion | undefined;
  /** Key-exchange groups as OpenSSL takes them: `X25519:P-256`. */
  readonly groups?: string | undefined;
}

/** How one handshake is made. */
export interface HandshakeOptions extends Limits {
  readonly offer: Offer;
  readonly client?: ClientIdentity | undefined;
  readonly starttls?: StarttlsProtocol | undefined;
  /** Sent before the ClientHello: the header of a PROXY protocol. */
  readonly preamble?: string | undefined;
  readonly request?: { readonly path: string; readonly host: string } | undefined;
}

/** What came of one handshake. A failure is a result like any other. */
export interface Attempt {
  /** Did the client see the handshake through? In TLS 1.3 the server may still say no after that. */
  readonly secured: boolean;
  readonly securedAt: number | undefined;
  readonly transcript: Transcript;
  /** The first octets that the server sent, whatever they are. */
  readonly serverSaid: Buffer;
  /** How the server ended the connection; undefined when we did. */
  readonly ending: Ending | undefined;
  readonly timedOut: boolean;
  /** Why our own TLS gave up, by OpenSSL's reason; for the evidence only. */
  readonly ownReason: string | undefined;
  /** Why TLS could not even begin, where clear text comes first. */
  readonly notUpgraded: string | undefined;
  readonly answer: HttpAnswer | undefined;
  /** How long it took, from the connection to the end. */
  readonly ms: number;
}

/**
 * How long the server gets to refuse after the client's Finished. In TLS 1.3 its verdict on the client's certificate
 * comes after that, and whoever writes at once may lose the alert to a reset (RFC 8446 §4.4.4, §6.2).
 */
const LINGER_MS = 250;

/** Every suite and size that OpenSSL still has: what is weak shall be seen and said, not fail the handshake. */
const CIPHERS = `${DEFAULT_CIPHERS}:@SECLEVEL=0`;

/** Shakes hands over a connected socket, which it closes in the end, and tells everything that went over it. Never throws, except INTERRUPTED. */
export async function shakeHands(socket: Socket, options: HandshakeOptions): Promise<Attempt> {
  const began = performance.now();
  const upgraded = await upgradeOrClose(socket, options);
  const tape = new Tape();
  if (!upgraded.ready) {
    return { ...NOTHING, notUpgraded: upgraded.problem, transcript: transcribe(tape, []), ms: performance.now() - began };
  }
  if (options.preamble !== undefined) socket.write(options.preamble);
  const keylog: string[] = [];
  const secure = connect({ socket: new Tap(socket, tape), ...tlsOptions(options) });
  secure.on('keylog', (line: Buffer) => keylog.push(line.toString('latin1')));
  try {
    const progress = await follow(secure, tape, keylog, options);
    const { ending } = tape;
    const serverSaid = firstFromServer(tape);
    return { ...NOTHING, ...progress, ending, serverSaid, transcript: transcribe(tape, keylog), ms: performance.now() - began };
  } finally {
    secure.end();
    secure.destroySoon();
    setTimeout(() => socket.destroy(), CLOSING_MS).unref();
  }
}

/** The clear-text conversation where there is one; the socket is closed unless TLS may begin. */
async function upgradeOrClose(socket: Socket, options: HandshakeOptions): Promise<Upgrade> {
  if (options.starttls === undefined) return { ready: true };
  let upgraded: Upgrade | undefined;
  try {
    upgraded = await upgrade(socket, options.starttls, options);
    return upgraded;
  } finally {
    if (upgraded?.ready !== true) socket.destroy();
  }
}

/** How long a peer gets to take our close_notify. */
const CLOSING_MS = 200;

const NOTHING = {
  secured: false,
  securedAt: undefined,
  serverSaid: Buffer.alloc(0),
  ending: undefined,
  timedOut: false,
  ownReason: undefined,
  notUpgraded: undefined,
  answer: undefined,
} as const;

type Progress = Partial<Pick<Attempt, 'secured' | 'securedAt' | 'timedOut' | 'ownReason' | 'answer'>>;

/** The handshake, the pause in which it may still be refused, and the request. */
async function follow(secure: TLSSocket, tape: Tape, keylog: readonly string[], options: HandshakeOptions): Promise<Progress> {
  let ownReason: string | undefined;
  const ended = new Promise<'ended'>((settle) => {
    secure.on('error', (error: Error) => {
      ownReason ??= systemCode(error) ?? error.message;
      settle('ended');
    });
    secure.once('close', () => settle('ended'));
  });
  const finished = new Promise<'secured'>((settle) => secure.once('secureConnect', () => settle('secured')));
  const first = await withinTime(Promise.race([ended, finished]), options.timeoutMs, options.signal);
  if (first !== 'secured') return { timedOut: first === undefined, ownReason };
  const securedAt = tape.now();
  // the request reads what it wants; until then nothing may pile up, and the end must be seen
  secure.resume();
  const asked = transcribe(tape, keylog).certificateRequest !== undefined;
  const refused = asked ? await withinTime(ended, lingerFor(securedAt), options.signal) : undefined;
  if (refused !== undefined || tape.ending !== undefined || options.request === undefined || !speaksHttp1(secure))
    return { secured: true, securedAt, ownReason };
  const answer = await get(secure, options.request, options);
  return { secured: true, securedAt, ownReason, answer };
}

/** What was agreed on by ALPN, if anything, decides what may be spoken. */
const speaksHttp1 = ({ alpnProtocol }: TLSSocket): boolean => typeof alpnProtocol !== 'string' || alpnProtocol.startsWith('http/1');

/** A far server's refusal needs a round trip: no more than what the handshake took. */
const lingerFor = (handshakeMs: number): number => Math.min(2_000, Math.max(LINGER_MS, 1.5 * handshakeMs));

function firstFromServer(tape: Tape): Buffer {
  const chunks = tape.chunks.filter(({ from }) => from === 'server').slice(0, 16);
  return Buffer.concat(chunks.map(({ bytes }) => bytes)).subarray(0, 512);
}

function tlsOptions({ offer, client }: HandshakeOptions): ConnectionOptions & { readonly requestOCSP: boolean } {
  const { servername, alpn, minVersion, maxVersion, groups } = offer;
  return {
    // what is wrong with the server is found from what it sent, by our own rules
    rejectUnauthorized: false,
    checkServerIdentity: () => undefined,
    ciphers: CIPHERS,
    servername,
    requestOCSP: true,
    ...(alpn === undefined || alpn.length === 0 ? {} : { ALPNProtocols: [...alpn] }),
    ...(minVersion === undefined ? {} : { minVersion }),
    ...(maxVersion === undefined ? {} : { maxVersion }),
    ...(groups === undefined ? {} : { ecdhCurve: groups }),
    ...(client === undefined ? {} : identityOptions(client)),
  };
}

const identityOptions = ({ chain, key }: ClientIdentity): { cert: string; key: string } => ({
  cert: chain.map(({ der }) => toPem('CERTIFICATE', der)).join(''),
  key: privateKeyToPem(key),
});

/** Why OpenSSL will not present this certificate and key; undefined when it will. */
export function whyNotPresentable(client: ClientIdentity): string | undefined {
  try {
    createSecureContext({ ciphers: CIPHERS, ...identityOptions(client) });
    return undefined;
  } catch (error) {
    return systemCode(error) ?? 'OpenSSL refuses it';
  }
}

/** Throws VALUE_INVALID for groups that OpenSSL does not have, before anything is sent. */
export function assertOffer({ groups }: Offer): void {
  if (groups === undefined) return;
  try {
    createSecureContext({ ecdhCurve: groups });
  } catch (error) {
    throw new MtlsError(
      'VALUE_INVALID',
      { what: 'groups', found: groups, expected: 'groups of OpenSSL, such as X25519:P-256' },
      { cause: error },
    );
  }
}
