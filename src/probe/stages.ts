import { formatDuration } from '../base/duration.js';
import { formatName, labelOf, printable } from '../pki/name.js';
import { describeNames } from '../validate/names.js';
import { greeted } from './again.js';
import { CIPHER_SUITES, GROUPS, VERSIONS, nameOf } from './codepoints.js';
import { iso } from './examine.js';
import type { Facts } from './facts.js';
import { closesOnSilence, describeFailure } from './failure.js';
import type { Attempt } from './handshake.js';
import { STAGES, type Stage, type StageName, type StageStatus } from './report.js';
import { type Milestone } from './transcript.js';

type Told = readonly [status: StageStatus, detail: string];

/** How each stage went, from the facts. Once one has failed, the later ones are skipped. */
export function tellStages(facts: Facts): Stage[] {
  let failed: StageName | undefined;
  return STAGES.map((name) => {
    const [status, detail] = failed === undefined ? TELL[name](facts) : ([`skipped`, `after ${failed} failed`] as const);
    if (status === 'failed') failed = name;
    return { name, status, ms: status === 'skipped' ? 0 : Math.max(0, Math.round(timeOf(name, facts))), detail };
  });
}

const TELL: Readonly<Record<StageName, (facts: Facts) => Told>> = {
  dns: ({ resolution, options }) => {
    if ('failure' in resolution) return ['failed', `${printable(options.host)}: ${resolution.failure}`];
    return ['ok', resolution.addresses.join(', ')];
  },
  tcp: (facts) => {
    const { connection, options } = facts;
    if (connection === undefined) return ['failed', 'not tried'];
    if ('failure' in connection) return ['failed', `${connection.address} port ${options.port}: ${connection.reason}`];
    if (closesOnSilence(facts)) return ['failed', `${connection.address} port ${options.port} takes the connection and closes it at once`];
    return ['ok', `connected to ${connection.address} port ${options.port}`];
  },
  hello: tellHello,
  'server-certificate': tellServerCertificate,
  'client-certificate': tellClientCertificate,
  finished: ({ attempt }) => {
    if (attempt?.secured !== true) return ['failed', describeFailure(attempt!).join('; ') || 'the handshake did not end'];
    const waited = attempt.transcript.certificateRequest === undefined ? '' : ', and the server took it';
    return ['ok', `the handshake is complete${waited}`];
  },
  application: tellApplication,
};

function tellHello({ attempt, options }: Facts): Told {
  if (attempt === undefined) return ['failed', 'not tried'];
  if (attempt.notUpgraded !== undefined) return ['failed', `${options.starttls}: ${attempt.notUpgraded}`];
  const { serverHello: hello, group, alpn } = attempt.transcript;
  if (!greeted(attempt) || hello === undefined) return ['failed', describeFailure(attempt).join('; ') || 'no ServerHello came'];
  const parts = [nameOf(VERSIONS, hello.version), nameOf(CIPHER_SUITES, hello.cipher)];
  if (group !== undefined) parts.push(nameOf(GROUPS, group));
  if (alpn !== undefined) parts.push(`ALPN ${printable(alpn)}`);
  return [hello.version < 0x0303 ? 'warning' : 'ok', parts.join(', ')];
}

function tellServerCertificate({ server, attempt, now }: Facts): Told {
  if (server === undefined || server.chain.length === 0) {
    if (attempt?.secured === true) return ['warning', 'the server sent no certificate'];
    return ['failed', describeFailure(attempt!).join('; ') || 'the server sent no certificate'];
  }
  const [fault] = server.faults;
  if (fault !== undefined) return ['failed', fault.evidence.join('; ')];
  const leaf = server.leaf!;
  const left = formatDuration(leaf.notAfter - now.getTime());
  const about = `${labelOf(leaf.subject)} (${describeNames(leaf.subjectAltName)}), issued by ${labelOf(leaf.issuer)}, valid until ${iso(leaf.notAfter)} (${left})`;
  return [server.remarks.length > 0 ? 'warning' : 'ok', [about, ...server.remarks].join('; ')];
}

function tellClientCertificate({ attempt, client, options, refusal }: Facts): Told {
  const { certificateRequest, clientCertificates } = attempt!.transcript;
  if (client?.presentable === false) return ['failed', client.faults[0]?.evidence.join('; ') ?? 'it cannot be presented'];
  if (refusal !== undefined) return ['failed', refusal.seen];
  if (certificateRequest === undefined)
    return attempt!.secured ? ['warning', 'the server asked for none'] : ['skipped', 'the server asked for none'];
  if (clientCertificates === undefined) return ['skipped', 'it did not come to this'];
  if (clientCertificates.length === 0) {
    const why = options.client === undefined ? 'none was given' : "its key fits none of the server's signature algorithms";
    return attempt!.secured ? ['warning', `asked for, not sent (${why}), and the server went on`] : ['skipped', `not sent: ${why}`];
  }
  const sent = `${client === undefined ? 'a certificate' : formatName(client.leaf.subject)} sent`;
  const accepted = client?.issuerAccepted === true ? ', the server names its issuer as one that it accepts' : '';
  const faults = (client?.faults ?? []).flatMap(({ evidence }) => evidence);
  return [faults.length > 0 ? 'warning' : 'ok', [`${sent}${accepted}`, ...faults].join('; ')];
}

function tellApplication({ attempt, options }: Facts): Told {
  if (options.httpPath === undefined) return ['skipped', 'no request was asked for (--http PATH)'];
  const answer = attempt?.answer;
  switch (answer?.kind) {
    case 'http': {
      const status: StageStatus = answer.status < 400 ? 'ok' : answer.status === 403 ? 'failed' : 'warning';
      return [status, `GET ${printable(options.httpPath)} was answered HTTP ${answer.status} ${printable(answer.reason)}`.trim()];
    }
    case 'other':
      return ['warning', `the answer is no HTTP/1.1: ${JSON.stringify(printable(answer.said.slice(0, 80)))}`];
    case 'closed':
      return ['warning', 'the server closed the connection on the request'];
    case 'silent':
      return ['warning', 'the request was not answered in time'];
    default:
      return [
        'skipped',
        attempt?.transcript.alpn === undefined
          ? 'no request was sent'
          : `no request was sent: the protocol agreed on is ${printable(attempt.transcript.alpn)}`,
      ];
  }
}

/** What a stage took by itself, from when its first and last bytes were seen. */
function timeOf(name: StageName, { resolution, connection, attempt }: Facts): number {
  if (name === 'dns') return resolution.ms;
  if (name === 'tcp') return connection?.ms ?? 0;
  if (attempt === undefined) return 0;
  const { milestones } = attempt.transcript;
  const order: readonly [StageName, Milestone][] = [
    ['hello', 'serverHello'],
    ['server-certificate', 'serverCertificate'],
    ['client-certificate', 'clientCertificate'],
  ];
  const reached = (milestone: Milestone): number => milestones[milestone] ?? attempt.ms;
  const index = order.findIndex(([stage]) => stage === name);
  if (index >= 0) return reached(order[index]![1]) - (index === 0 ? 0 : reached(order[index - 1]![1]));
  const handshakeEnd = attempt.securedAt ?? attempt.ms;
  return name === 'finished' ? handshakeEnd - lastOf(attempt) : attempt.ms - handshakeEnd;
}

const lastOf = ({ transcript: { milestones } }: Attempt): number =>
  milestones.clientCertificate ?? milestones.serverCertificate ?? milestones.serverHello ?? 0;
