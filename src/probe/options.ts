import { isIP } from 'node:net';
import type { SecureVersion } from 'node:tls';
import type { Clock } from '../base/clock.js';
import { MtlsError, shellWord } from '../errors.js';
import type { Certificate } from '../pki/certificate.js';
import type { Crl } from '../pki/crl.js';
import { identityOf } from '../validate/identity.js';
import type { NameQuery } from '../validate/names.js';
import type { ClientIdentity } from './handshake.js';
import type { StarttlsProtocol } from './starttls.js';

/** What the user calls things, so that a fix can be pasted: file names, or the service whose files they are. */
export interface ProbeLabels {
  readonly service?: string;
  readonly certificate?: string;
  readonly key?: string;
  readonly authorities?: string;
  readonly crls?: string;
  /** Services that the user has and did not name. */
  readonly services?: readonly string[];
}

/** What is to be examined, and how. */
export interface ProbeOptions {
  readonly host: string;
  readonly port: number;
  /** Sent as server_name; the host when it is a DNS name and nothing is given; '' sends none. */
  readonly servername?: string;
  readonly client?: ClientIdentity;
  /** The CAs to check the server with; undefined when none were given: then its trust is not checked, and that is said. */
  readonly authorities?: readonly Certificate[];
  readonly crls?: readonly Crl[];
  readonly alpn?: readonly string[];
  readonly minVersion?: SecureVersion;
  readonly maxVersion?: SecureVersion;
  readonly groups?: string;
  readonly starttls?: StarttlsProtocol;
  /** GET this path over HTTP/1.1 once the handshake is through, and judge the status. */
  readonly httpPath?: string;
  /** For each of: resolving, connecting, shaking hands, the answer. 10 s unless told otherwise. */
  readonly timeoutMs?: number;
  /** May it try again differently to prove a cause? */
  readonly retries: boolean;
  readonly clock: Clock;
  readonly signal?: AbortSignal;
  readonly labels?: ProbeLabels;
}

export const DEFAULT_TIMEOUT_MS = 10_000;

const VERSION_ORDER: readonly SecureVersion[] = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'];

/** Throws VALUE_INVALID for what cannot be put on the wire as it stands. */
export function assertOptions(options: ProbeOptions): void {
  const { port, servername, alpn = [], httpPath, client, minVersion = 'TLSv1', maxVersion = 'TLSv1.3' } = options;
  const invalid = (what: string, found: string, expected: string): never => {
    throw new MtlsError('VALUE_INVALID', { what, found, expected });
  };
  if (!Number.isInteger(port) || port < 1 || port > 65_535) invalid('port', String(port), '1 to 65535');
  if (servername !== undefined && !/^[\x21-\x7e]{0,255}$/.test(servername))
    invalid('server name', servername, 'a DNS name in ASCII (A-labels)');
  const badProtocol = alpn.find((protocol) => !/^[\x21-\x7e]{1,255}$/.test(protocol));
  if (badProtocol !== undefined) invalid('ALPN protocol', badProtocol, '1 to 255 ASCII characters');
  if (httpPath !== undefined && !/^\/[\x21-\x7e]*$/.test(httpPath))
    invalid('HTTP path', httpPath, 'a path such as /health, percent-encoded');
  const [lowest, highest] = [VERSION_ORDER.indexOf(minVersion), VERSION_ORDER.indexOf(maxVersion)];
  if (lowest < 0 || highest < lowest)
    invalid('TLS versions', `${minVersion} to ${maxVersion}`, `${VERSION_ORDER.join(', ')}, the lower one first`);
  if (client?.chain.length === 0) invalid('client certificate', 'none', 'at least one');
}

/** `host:port`, an IPv6 address in brackets. */
export const endpointOf = ({ host, port }: Pick<ProbeOptions, 'host' | 'port'>): string =>
  `${host.includes(':') ? `[${host}]` : host}:${port}`;

/** The server_name that is sent. An address is never one (RFC 6066 §3). */
export function servernameOf({ host, servername }: Pick<ProbeOptions, 'host' | 'servername'>): string {
  const name = servername ?? host;
  return isIP(name) === 0 ? name : '';
}

/** The name that the server must have: the one it was asked for. */
export function nameAskedFor({ host, servername }: Pick<ProbeOptions, 'host' | 'servername'>): NameQuery {
  const name = servername === undefined || servername === '' ? host : servername;
  return isIP(name) === 0 ? { host: name } : { ip: name };
}

/** The command that probes the same again, with `more` at its end. */
export function probeCommand(options: ProbeOptions, ...more: readonly string[]): string {
  const { labels = {}, servername, starttls, httpPath } = options;
  const words = ['mtls', 'probe', endpointOf(options)];
  if (labels.service !== undefined) words.push('--as', labels.service);
  else if (options.client !== undefined && !more.includes('--cert'))
    words.push('--cert', certificateFile(options), '--key', keyFile(options));
  if (options.authorities !== undefined && labels.service === undefined && !more.includes('--ca'))
    words.push('--ca', authoritiesFile(options));
  if (servername !== undefined && servername !== '' && !more.includes('--servername')) words.push('--servername', servername);
  if (starttls !== undefined && !more.includes('--starttls')) words.push('--starttls', starttls);
  if (httpPath !== undefined && !more.includes('--http')) words.push('--http', httpPath);
  return [...words, ...more].map(shellWord).join(' ');
}

export const certificateFile = ({ labels }: ProbeOptions): string => labels?.certificate ?? 'CERT';
export const keyFile = ({ labels }: ProbeOptions): string => labels?.key ?? 'KEY';
export const authoritiesFile = ({ labels }: ProbeOptions): string => labels?.authorities ?? 'CA';

/** The service that the client is: the one that was named, or that its certificate names. */
export function serviceName({ labels, client }: ProbeOptions): string | undefined {
  return labels?.service ?? (client === undefined ? undefined : serviceOf(client.chain[0]!));
}

/** The service that a certificate names, when `mtls issue` would take it. */
export function serviceOf(certificate: Certificate): string | undefined {
  const name = identityOf(certificate)?.serviceAccount;
  return name !== undefined && /^[a-z0-9-]{1,63}$/.test(name) ? name : undefined;
}

/** How to come with a certificate, who came without. */
export function showCertificate(options: ProbeOptions): readonly string[] {
  const [service] = options.labels?.services ?? [];
  return service === undefined
    ? ['show a certificate with --as, or with --cert and --key; mtls issue makes one']
    : [probeCommand({ ...options, labels: { ...options.labels, service } })];
}

/** What listens on a port, where it is one of this machine. */
export const listenersOn = ({ host, port }: Pick<ProbeOptions, 'host' | 'port'>): readonly string[] =>
  /^(?:localhost|127\.\d+\.\d+\.\d+|::1)$/.test(host) ? [`ss -ltnp 'sport = :${port}'`] : [];
