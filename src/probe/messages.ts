import { DerReader } from '../pki/der.js';
import { formatName, readName } from '../pki/name.js';
import { CIPHER_SUITES, EXTENSION } from './codepoints.js';
import { TlsReader } from './tls-reader.js';

/** What the client offered, as far as a diagnosis asks. */
export interface ClientHello {
  readonly random: Buffer;
  readonly sessionId: Buffer;
  readonly servername: string | undefined;
}

/** What the server chose. `version` is the real one: the supported_versions extension counts before the field. */
export interface ServerHello {
  readonly random: Buffer;
  readonly sessionId: Buffer;
  readonly version: number;
  readonly cipher: number;
  readonly group: number | undefined;
  readonly alpn: string | undefined;
  readonly preSharedKey: boolean;
  /** A HelloRetryRequest: the client is asked to say hello again. */
  readonly isRetry: boolean;
}

/** Whom the server says it would accept. */
export interface CertificateRequest {
  /** The names of acceptable CAs as they were sent; none means any (RFC 8446 §4.2.4, RFC 5246 §7.4.4). */
  readonly authorities: readonly AuthorityName[];
  readonly signatureAlgorithms: readonly number[];
}

/** One distinguished name of a CertificateRequest: its DER, and its text (`#hex` when it is no name). */
export interface AuthorityName {
  readonly der: Buffer;
  readonly text: string;
}

export interface AlertMessage {
  readonly level: number;
  readonly code: number;
}

/** The SHA-256 of "HelloRetryRequest" stands in the place of the random (RFC 8446 §4.1.3). */
const RETRY_RANDOM = Buffer.from('cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c', 'hex');

/** RFC 8446 §4.1.2: version, random, session id, suites, compressions, extensions. */
export function readClientHello(body: Buffer): ClientHello {
  const reader = new TlsReader(body, 'ClientHello');
  reader.number(2);
  const random = reader.take(32);
  const sessionId = reader.vector(1);
  reader.vector(2);
  reader.vector(1);
  const extensions = readExtensions(reader);
  const names = extensions.get(EXTENSION.serverName);
  return { random, sessionId, servername: names === undefined ? undefined : readServerName(names) };
}

function readServerName(value: Buffer): string | undefined {
  const list = new TlsReader(value, 'server_name').enter(2);
  while (!list.atEnd) {
    const type = list.number(1);
    const name = list.vector(2);
    if (type === 0) return name.toString('latin1');
  }
  return undefined;
}

/** RFC 8446 §4.1.3: version, random, session id, suite, compression, extensions. */
export function readServerHello(body: Buffer): ServerHello {
  const reader = new TlsReader(body, 'ServerHello');
  const legacyVersion = reader.number(2);
  const random = reader.take(32);
  const sessionId = reader.vector(1);
  const cipher = reader.number(2);
  reader.number(1);
  const extensions = readExtensions(reader);
  const version = extensions.get(EXTENSION.supportedVersions);
  const share = extensions.get(EXTENSION.keyShare);
  const alpn = extensions.get(EXTENSION.alpn);
  return {
    random,
    sessionId,
    version: version === undefined ? legacyVersion : new TlsReader(version, 'supported_versions').number(2),
    cipher,
    group: share === undefined ? undefined : new TlsReader(share, 'key_share').number(2),
    alpn: alpn === undefined ? undefined : readAlpn(alpn),
    preSharedKey: extensions.has(EXTENSION.preSharedKey),
    isRetry: random.equals(RETRY_RANDOM),
  };
}

/** The one protocol that the server chose (RFC 7301 §3.1), from EncryptedExtensions (RFC 8446 §4.3.1). */
export function readEncryptedExtensions(body: Buffer): { readonly alpn: string | undefined } {
  const alpn = readExtensions(new TlsReader(body, 'EncryptedExtensions')).get(EXTENSION.alpn);
  return { alpn: alpn === undefined ? undefined : readAlpn(alpn) };
}

function readAlpn(value: Buffer): string {
  const list = new TlsReader(value, 'application_layer_protocol_negotiation').enter(2);
  return list.vector(1).toString('latin1');
}

/**
 * The DER of the certificates, leaf first, as they were sent; none is a message too: "I have no certificate".
 *
 *     TLS 1.3 (RFC 8446 §4.4.2): context, then (certificate, extensions) each · TLS 1.2 (RFC 5246 §7.4.2): certificates only
 */
export function readCertificateMessage(body: Buffer, version: number): Buffer[] {
  const reader = new TlsReader(body, 'Certificate');
  if (version >= TLS13) reader.vector(1);
  const list = reader.enter(3);
  const certificates: Buffer[] = [];
  while (!list.atEnd) {
    certificates.push(list.vector(3));
    if (version >= TLS13) list.vector(2);
  }
  reader.end();
  return certificates;
}

/**
 * The OCSP response that came with the first certificate (RFC 6066 §8, RFC 8446 §4.4.2.1): in a message of its own, or in
 * TLS 1.3 beside the certificate. Undefined when there is none.
 */
export function readStapledResponse(body: Buffer, version: number): Buffer | undefined {
  if (version < TLS13) return readCertificateStatus(new TlsReader(body, 'CertificateStatus'));
  const reader = new TlsReader(body, 'Certificate');
  reader.vector(1);
  const list = reader.enter(3);
  if (list.atEnd) return undefined;
  list.vector(3);
  const status = extensionsIn(list.enter(2)).get(EXTENSION.statusRequest);
  return status === undefined ? undefined : readCertificateStatus(new TlsReader(status, 'status_request'));
}

/** `status_type ocsp(1), OCSPResponse<1..2^24-1>`; other types are nothing that we read. */
function readCertificateStatus(reader: TlsReader): Buffer | undefined {
  return reader.number(1) === 1 ? reader.vector(3) : undefined;
}

/**
 *     TLS 1.3 (RFC 8446 §4.3.2): context, extensions · TLS 1.2 (RFC 5246 §7.4.4): types, signature algorithms, names
 *
 * TLS 1.0 and 1.1 have no signature algorithms.
 */
export function readCertificateRequest(body: Buffer, version: number): CertificateRequest {
  const reader = new TlsReader(body, 'CertificateRequest');
  reader.vector(1);
  if (version >= TLS13) {
    const extensions = readExtensions(reader);
    const [names, algorithms] = [extensions.get(EXTENSION.certificateAuthorities), extensions.get(EXTENSION.signatureAlgorithms)];
    return {
      authorities: names === undefined ? [] : readAuthorities(new TlsReader(names, 'certificate_authorities')),
      signatureAlgorithms: algorithms === undefined ? [] : new TlsReader(algorithms, 'signature_algorithms').enter(2).numbers(2),
    };
  }
  const signatureAlgorithms = version >= TLS12 ? reader.enter(2).numbers(2) : [];
  return { authorities: readAuthorities(reader), signatureAlgorithms };
}

function readAuthorities(reader: TlsReader): AuthorityName[] {
  const list = reader.enter(2);
  const names: AuthorityName[] = [];
  while (!list.atEnd) {
    const der = list.vector(2);
    names.push({ der, text: nameText(der) });
  }
  return names;
}

/** A name that our reader refuses is shown as its first octets, not thrown: what a server lists is evidence. */
function nameText(der: Buffer): string {
  try {
    return formatName(readName(new DerReader(der)));
  } catch {
    return `#${der.subarray(0, 32).toString('hex')}`;
  }
}

/** The group of an ECDHE ServerKeyExchange (RFC 8422 §5.4: curve type 3 is a named one); undefined for every other exchange. */
export function readKeyExchangeGroup(body: Buffer, cipher: number): number | undefined {
  if (CIPHER_SUITES[cipher]?.includes('_ECDHE_') !== true) return undefined;
  const reader = new TlsReader(body, 'ServerKeyExchange');
  return reader.number(1) === 3 ? reader.number(2) : undefined;
}

/** Level and description (RFC 8446 §6). */
export function readAlert(fragment: Buffer): AlertMessage {
  const reader = new TlsReader(fragment, 'alert');
  return { level: reader.number(1), code: reader.number(1) };
}

/** The extensions by number; absent altogether in old messages. */
function readExtensions(reader: TlsReader): ReadonlyMap<number, Buffer> {
  if (reader.atEnd) return new Map();
  const extensions = extensionsIn(reader.enter(2));
  reader.end();
  return extensions;
}

function extensionsIn(list: TlsReader): ReadonlyMap<number, Buffer> {
  const extensions = new Map<number, Buffer>();
  while (!list.atEnd) {
    const type = list.number(2);
    const value = list.vector(2);
    if (extensions.has(type)) list.refuse(`extension ${type} a second time`);
    extensions.set(type, value);
  }
  return extensions;
}

export const TLS12 = 0x0303;
export const TLS13 = 0x0304;
