import { MtlsError } from '../errors.js';
import { HANDSHAKE, RECORD } from './codepoints.js';
import { type RecordOpener, openerFromSecret, openersFromMaster } from './decrypt.js';
import {
  type CertificateRequest,
  type ClientHello,
  type ServerHello,
  TLS13,
  readAlert,
  readCertificateMessage,
  readCertificateRequest,
  readClientHello,
  readEncryptedExtensions,
  readKeyExchangeGroup,
  readServerHello,
  readStapledResponse,
} from './messages.js';
import { type HandshakeMessage, MessageJoiner, RecordCutter, type TlsRecord } from './records.js';
import type { Party, Tape } from './tap.js';

/** An alert as it was sent. `code` is null when its record could not be opened. */
export interface TranscriptAlert {
  readonly from: Party;
  readonly level: number | null;
  readonly code: number | null;
  readonly at: number;
}

/** When something was first seen on the wire, in milliseconds since the tape began. */
export type Milestone = 'clientHello' | 'serverHello' | 'serverCertificate' | 'clientCertificate' | 'clientFinished' | 'serverFinished';

/** What was said in one handshake: facts only. What is undefined was not seen. */
export interface Transcript {
  readonly clientHello: ClientHello | undefined;
  readonly serverHello: ServerHello | undefined;
  readonly alpn: string | undefined;
  readonly group: number | undefined;
  readonly resumed: boolean;
  readonly serverCertificates: readonly Buffer[] | undefined;
  /** The OCSP response that the server stapled to its certificate. */
  readonly ocspStaple: Buffer | undefined;
  readonly certificateRequest: CertificateRequest | undefined;
  /** The server asked for a certificate after the handshake: a renegotiation of TLS 1.2, or TLS 1.3 post-handshake authentication. */
  readonly askedLater: boolean;
  /** What the client sent; empty when it said that it has none. */
  readonly clientCertificates: readonly Buffer[] | undefined;
  readonly alerts: readonly TranscriptAlert[];
  /** Octets of application data (or, unopened, of whatever) that the server sent after its Finished. */
  readonly serverSpoke: boolean;
  readonly milestones: Readonly<Partial<Record<Milestone, number>>>;
  /** What could not be read, each with the side that sent it; reading that side ends there. */
  readonly faults: readonly { readonly from: Party; readonly problem: string }[];
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

interface Draft extends Mutable<Omit<Transcript, 'alerts' | 'faults' | 'milestones'>> {
  readonly alerts: TranscriptAlert[];
  readonly faults: { from: Party; problem: string }[];
  readonly milestones: Partial<Record<Milestone, number>>;
}

/** One direction: how far it is cut, joined and opened. */
interface Direction {
  readonly from: Party;
  readonly cutter: RecordCutter;
  joiner: MessageJoiner;
  /** `closed`: protected by something that we cannot open. */
  opener: RecordOpener | 'closed' | undefined;
  finished: boolean;
  broken: boolean;
}

/**
 * Reads a tape with the secrets of its connection (lines of SSLKEYLOGFILE, as the `keylog` event gives them). Never
 * throws: what cannot be read is a fault in the transcript, and what was read before it stands.
 */
export function transcribe(tape: Pick<Tape, 'chunks'>, keylog: readonly string[]): Transcript {
  const draft: Draft = {
    clientHello: undefined,
    serverHello: undefined,
    alpn: undefined,
    group: undefined,
    resumed: false,
    serverCertificates: undefined,
    ocspStaple: undefined,
    certificateRequest: undefined,
    askedLater: false,
    clientCertificates: undefined,
    serverSpoke: false,
    alerts: [],
    faults: [],
    milestones: {},
  };
  const secrets = readKeylog(keylog);
  const directions = { client: newDirection('client'), server: newDirection('server') };
  for (const { from, bytes, at } of tape.chunks) {
    const direction = directions[from];
    if (direction.broken) continue;
    try {
      for (const record of direction.cutter.feed(bytes)) readRecord({ draft, secrets, directions, at }, direction, record);
    } catch (error) {
      if (!(error instanceof MtlsError)) throw error;
      direction.broken = true;
      draft.faults.push({ from, problem: error.message });
    }
  }
  return draft;
}

const newDirection = (from: Party): Direction => ({
  from,
  cutter: new RecordCutter(),
  joiner: new MessageJoiner(),
  opener: undefined,
  finished: false,
  broken: false,
});

/** What all steps share; `at` is when the piece under the eye was seen. */
interface Reading {
  readonly draft: Draft;
  readonly secrets: ReadonlyMap<string, Buffer>;
  readonly directions: Readonly<Record<Party, Direction>>;
  readonly at: number;
}

function readRecord(reading: Reading, direction: Direction, record: TlsRecord): void {
  const opened = openRecord(reading, direction, record);
  if (opened === undefined) return;
  switch (opened.type) {
    case RECORD.alert:
      reading.draft.alerts.push({ from: direction.from, ...readAlert(opened.fragment), at: reading.at });
      return;
    case RECORD.handshake:
      for (const message of direction.joiner.feed(opened.fragment)) readMessage(reading, direction, message);
      return;
    case RECORD.applicationData:
      if (direction.from === 'server') reading.draft.serverSpoke = true;
      return;
    case RECORD.changeCipherSpec:
      // in TLS 1.3 it means nothing (RFC 8446 §5); in TLS 1.2 the next record of this side is protected
      if (!isTls13(reading)) direction.opener = tls12Opener(reading, direction.from) ?? 'closed';
      return;
  }
}

/** The record's real type and content; undefined when it stays closed, and noted as far as its outside tells. */
function openRecord(
  { draft, at, directions }: Reading,
  direction: Direction,
  record: TlsRecord,
): { type: number; fragment: Buffer } | undefined {
  const { opener } = direction;
  // TLS 1.3 sends ChangeCipherSpec, and a client that has no keys yet its alerts, in the clear
  const inClear = draft.serverHello !== undefined && draft.serverHello.version >= TLS13 && record.type !== RECORD.applicationData;
  if (opener === undefined || inClear) return record;
  const content = opener === 'closed' ? undefined : opener.open(record);
  if (content === undefined) {
    if (record.type === RECORD.alert) draft.alerts.push({ from: direction.from, level: null, code: null, at });
    if (record.type === RECORD.handshake && !direction.finished) finish(direction, draft, at);
    if (record.type === RECORD.applicationData && directions.server.finished && direction.from === 'server') draft.serverSpoke = true;
    return undefined;
  }
  if (record.type !== RECORD.applicationData || draft.serverHello === undefined || draft.serverHello.version < TLS13)
    return { type: record.type, fragment: content };
  // TLSInnerPlaintext (RFC 8446 §5.2): content, type, any number of zeros
  let end = content.length;
  while (end > 0 && content[end - 1] === 0) end--;
  return end === 0 ? undefined : { type: content[end - 1]!, fragment: content.subarray(0, end - 1) };
}

function readMessage(reading: Reading, direction: Direction, { type, body }: HandshakeMessage): void {
  const read = READERS[direction.from][type];
  read?.(reading, body);
  if (type === HANDSHAKE.finished && !direction.finished) {
    finish(direction, reading.draft, reading.at);
    if (isTls13(reading)) direction.opener = tls13Opener(reading, direction.from, 'TRAFFIC_SECRET_0');
  }
  if (type === HANDSHAKE.keyUpdate && isTls13(reading) && typeof direction.opener === 'object')
    direction.opener = direction.opener.next() ?? 'closed';
}

function finish(direction: Direction, draft: Draft, at: number): void {
  direction.finished = true;
  draft.milestones[direction.from === 'client' ? 'clientFinished' : 'serverFinished'] ??= at;
}

type MessageReader = (reading: Reading, body: Buffer) => void;

/** What each message of each side tells; a message that is not here tells nothing that we ask. */
const READERS: Readonly<Record<Party, Readonly<Record<number, MessageReader>>>> = {
  client: {
    [HANDSHAKE.clientHello]: ({ draft, at }, body) => {
      // a renegotiation says hello again; the first handshake is the one that is told
      if (draft.milestones.serverFinished !== undefined) return;
      draft.clientHello = readClientHello(body);
      draft.milestones.clientHello ??= at;
    },
    [HANDSHAKE.certificate]: ({ draft, at }, body) => {
      draft.clientCertificates = readCertificateMessage(body, versionOf(draft));
      draft.milestones.clientCertificate ??= at;
    },
  },
  server: {
    [HANDSHAKE.helloRequest]: ({ draft }) => {
      draft.askedLater = true;
    },
    [HANDSHAKE.serverHello]: (reading, body) => readServersHello(reading, body),
    [HANDSHAKE.encryptedExtensions]: ({ draft }, body) => {
      draft.alpn = readEncryptedExtensions(body).alpn;
    },
    [HANDSHAKE.certificate]: ({ draft, at }, body) => {
      if (draft.serverCertificates !== undefined) return;
      draft.serverCertificates = readCertificateMessage(body, versionOf(draft));
      draft.milestones.serverCertificate ??= at;
      if (versionOf(draft) >= TLS13) draft.ocspStaple = readStapledResponse(body, TLS13);
    },
    [HANDSHAKE.certificateStatus]: ({ draft }, body) => {
      draft.ocspStaple ??= readStapledResponse(body, versionOf(draft));
    },
    [HANDSHAKE.serverKeyExchange]: ({ draft }, body) => {
      draft.group ??= readKeyExchangeGroup(body, draft.serverHello?.cipher ?? 0);
    },
    [HANDSHAKE.certificateRequest]: (reading, body) => {
      const { draft, directions } = reading;
      if (directions.server.finished) draft.askedLater = true;
      else draft.certificateRequest = readCertificateRequest(body, versionOf(draft));
    },
  },
};

function readServersHello(reading: Reading, body: Buffer): void {
  const { draft, at, directions } = reading;
  if (directions.server.finished) return;
  const hello = readServerHello(body);
  draft.serverHello = hello;
  draft.group = hello.group;
  if (hello.isRetry) return;
  draft.alpn = hello.alpn;
  draft.milestones.serverHello ??= at;
  const echoed = hello.sessionId.length > 0 && draft.clientHello?.sessionId.equals(hello.sessionId) === true;
  draft.resumed = hello.version >= TLS13 ? hello.preSharedKey : echoed;
  if (hello.version < TLS13) return;
  for (const direction of Object.values(directions)) direction.opener = tls13Opener(reading, direction.from, 'HANDSHAKE_TRAFFIC_SECRET');
}

const versionOf = (draft: Draft): number => draft.serverHello?.version ?? 0;
const isTls13 = ({ draft }: Reading): boolean => versionOf(draft) >= TLS13;

function tls13Opener({ draft, secrets }: Reading, party: Party, stage: string): RecordOpener | 'closed' {
  const secret = secrets.get(`${party.toUpperCase()}_${stage}`);
  return (secret === undefined ? undefined : openerFromSecret(draft.serverHello!.cipher, secret)) ?? 'closed';
}

function tls12Opener({ draft, secrets }: Reading, party: Party): RecordOpener | undefined {
  const master = secrets.get('CLIENT_RANDOM');
  if (master === undefined || draft.clientHello === undefined || draft.serverHello === undefined) return undefined;
  const randoms = { client: draft.clientHello.random, server: draft.serverHello.random };
  return openersFromMaster(draft.serverHello.cipher, master, randoms)?.[party];
}

/** `LABEL <client random> <secret>`, the first of each label: a renegotiation has secrets of its own. */
function readKeylog(lines: readonly string[]): ReadonlyMap<string, Buffer> {
  const secrets = new Map<string, Buffer>();
  for (const line of lines) {
    const match = /^([A-Z0-9_]+) [0-9a-f]{64} ([0-9a-f]+)\s*$/i.exec(line);
    if (match !== null && !secrets.has(match[1]!)) secrets.set(match[1]!, Buffer.from(match[2]!, 'hex'));
  }
  return secrets;
}
