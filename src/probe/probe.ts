import { isKeyOf } from '../pki/key.js';
import { formatName, printable } from '../pki/name.js';
import { type Again, tryAgain } from './again.js';
import { ALERTS, ALERT_LEVELS, CIPHER_SUITES, GROUPS, SIGNATURE_SCHEMES, VERSIONS, nameOf } from './codepoints.js';
import { type Connection, connectToFirst, resolve } from './connect.js';
import { diagnose } from './diagnose.js';
import { type ClientExamination, examineClient } from './examine-client.js';
import { type ServerExamination, examineServer } from './examine-server.js';
import { describeSent, readable } from './examine.js';
import type { Facts } from './facts.js';
import { type Attempt, type HandshakeOptions, assertOffer, shakeHands, whyNotPresentable } from './handshake.js';
import { DEFAULT_TIMEOUT_MS, type ProbeOptions, assertOptions, endpointOf, nameAskedFor, servernameOf } from './options.js';
import { type Refusal, applicationRefusalOf, refusalOf } from './refusal.js';
import type { HandshakeReport, ProbeReport } from './report.js';
import { tellStages } from './stages.js';

/**
 * Makes one handshake with a server, and, where that leaves a question and `retries` allows it, a few more, and says
 * which side refused, at which stage, why, and how sure that is. A failed handshake is a result. Throws INTERRUPTED
 * when the signal comes, and VALUE_INVALID for what cannot be offered.
 */
export async function probe(options: ProbeOptions): Promise<ProbeReport> {
  const { timeoutMs = DEFAULT_TIMEOUT_MS, signal, host, port } = options;
  const handshake = handshakeOptions(options, timeoutMs);
  assertOptions(options);
  assertOffer(handshake.offer);
  const now = options.clock();
  const resolution = await resolve(host, { timeoutMs, signal });
  const nothing = {
    options,
    now,
    resolution,
    connection: undefined,
    attempt: undefined,
    server: undefined,
    client: undefined,
    refusal: undefined,
    again: {},
  };
  if ('failure' in resolution) return report(nothing);
  const connection = await connectToFirst(resolution.addresses, port, { timeoutMs, signal });
  if ('failure' in connection) return report({ ...nothing, connection });
  const attempt = await shakeHands(connection.socket, handshake);
  const first = { address: connection.address, port, host: hostHeader(options), handshake, attempt, options };
  const again = options.retries ? await tryAgain(first) : {};
  return report(examine(options, now, { resolution, connection, attempt, again }));
}

type Seen = Pick<Facts, 'resolution'> & { readonly connection: Connection; readonly attempt: Attempt; readonly again: Again };

/** What was seen, with what the certificates of both sides show. */
function examine(options: ProbeOptions, now: Date, seen: Seen): Facts {
  const { attempt, again } = seen;
  const server = serverOf(options, now, attempt);
  const client = clientOf(options, now, attempt, server);
  return { ...seen, options, now, server, client, refusal: refusalIn(attempt, again, client, options) };
}

/** The server's no: in the handshake, or in its answer to a request, for which a second attempt may have been needed. */
function refusalIn(attempt: Attempt, again: Again, client: ClientExamination | undefined, options: ProbeOptions): Refusal | undefined {
  const refusal = refusalOf(attempt, options.httpPath !== undefined);
  if (refusal !== undefined) return refusal;
  const asked = again.withRequest ?? attempt;
  const sentFaulty = (client?.faults.length ?? 0) > 0 && (asked.transcript.clientCertificates?.length ?? 0) > 0;
  return refusalOf(asked, false) ?? (sentFaulty ? applicationRefusalOf(asked) : undefined);
}

function serverOf(options: ProbeOptions, at: Date, { transcript }: Attempt): ServerExamination | undefined {
  if (transcript.serverCertificates === undefined) return undefined;
  return examineServer(transcript.serverCertificates, {
    authorities: options.authorities,
    crls: options.crls ?? [],
    staple: transcript.ocspStaple,
    name: nameAskedFor(options),
    at,
    listed: transcript.certificateRequest?.authorities ?? [],
    relatives: options.client?.chain.slice(1) ?? [],
  });
}

function clientOf(
  options: ProbeOptions,
  at: Date,
  { transcript }: Attempt,
  server: ServerExamination | undefined,
): ClientExamination | undefined {
  if (options.client === undefined) return undefined;
  return examineClient(options.client, {
    authorities: options.authorities ?? [],
    crls: options.crls ?? [],
    at,
    request: transcript.certificateRequest,
    version: transcript.serverHello?.version ?? 0,
    serverChain: readable(server?.chain ?? []),
  });
}

function handshakeOptions(options: ProbeOptions, timeoutMs: number): HandshakeOptions {
  const { alpn, minVersion, maxVersion, groups, client, starttls, httpPath, signal } = options;
  // a key that is not the certificate's cannot be used; the server is examined all the same
  const usable =
    client !== undefined &&
    client.chain.length > 0 &&
    isKeyOf(client.key, client.chain[0]!.publicKey) &&
    whyNotPresentable(client) === undefined;
  return {
    offer: { servername: servernameOf(options), alpn, minVersion, maxVersion, groups },
    client: usable ? client : undefined,
    starttls,
    request: httpPath === undefined ? undefined : { path: httpPath, host: hostHeader(options) },
    timeoutMs,
    signal,
  };
}

function hostHeader(options: ProbeOptions): string {
  const host = servernameOf(options) || options.host;
  return options.port === 443 ? host : endpointOf({ host, port: options.port });
}

function report(facts: Facts): ProbeReport {
  const stages = tellStages(facts);
  const failed = stages.find(({ status }) => status === 'failed')?.name;
  return { endpoint: endpointOf(facts.options), stages, handshake: reportHandshake(facts), diagnosis: diagnose(facts, failed) };
}

function reportHandshake({ attempt, server, client }: Facts): HandshakeReport {
  const transcript = attempt?.transcript;
  const hello = transcript?.serverHello;
  const request = transcript?.certificateRequest;
  const sent = (transcript?.clientCertificates?.length ?? 0) > 0;
  return {
    version: hello === undefined ? null : nameOf(VERSIONS, hello.version),
    cipher: hello === undefined ? null : nameOf(CIPHER_SUITES, hello.cipher),
    group: transcript?.group === undefined ? null : nameOf(GROUPS, transcript.group),
    alpn: transcript?.alpn === undefined ? null : printable(transcript.alpn),
    resumed: transcript?.resumed ?? false,
    serverChain: (server?.chain ?? []).map(describeSent),
    ocspStapled: transcript?.ocspStaple !== undefined,
    certificateRequest:
      request === undefined
        ? null
        : {
            authorities: request.authorities.map(({ text }) => text),
            signatureAlgorithms: request.signatureAlgorithms.map((scheme) => nameOf(SIGNATURE_SCHEMES, scheme)),
          },
    clientCertificate: {
      sent,
      subject: sent && client !== undefined ? formatName(client.leaf.subject) : null,
      issuerAccepted: sent ? (client?.issuerAccepted ?? null) : null,
    },
    alerts: (transcript?.alerts ?? []).map(({ from, level, code }) => ({
      from,
      level: level === null ? null : nameOf(ALERT_LEVELS, level, 2),
      code,
      name: code === null ? null : (ALERTS[code] ?? null),
    })),
  };
}
