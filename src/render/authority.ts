import type { IssueResult, ListedCertificate, RevokeResult } from '../authority/index.js';
import type { Certificate } from '../pki/certificate.js';
import type { Crl } from '../pki/crl.js';
import { mark, style } from './style.js';

const day = (time: string | number): string => new Date(time).toISOString().slice(0, 10);
const iso = (time: number): string => new Date(time).toISOString().replace(/\.\d{3}/, '');
const cn = (attributes: Certificate['subject']['attributes']): string => attributes.at(-1)?.value ?? '';

/** The root CA in JSON. */
export const rootView = (root: Certificate) => ({ name: cn(root.subject.attributes), serial: root.serial, notAfter: iso(root.notAfter) });

export function renderInit(made: { workspace: string; trustDomain: string; root: ReturnType<typeof rootView> }): string {
  return [
    `${mark.good} ${style.strong(made.root.name)}, until ${day(made.root.notAfter)}`,
    `  trust domain ${made.trustDomain}, in ${made.workspace}`,
    `  next: mtls issue api web`,
  ].join('\n');
}

/** What was issued, in JSON. */
export const issuedView = ({ entry, paths, names, keyless, replaced, cappedByIssuer }: IssueResult) => ({
  name: entry.name,
  namespace: entry.namespace,
  profile: entry.profile,
  serial: entry.serial,
  notBefore: entry.notBefore.toISOString(),
  notAfter: entry.notAfter.toISOString(),
  uri: entry.uri,
  dns: names.dns,
  ip: names.ip,
  sha256: entry.sha256,
  certificate: paths.certificate,
  key: keyless ? null : paths.key,
  ca: paths.ca,
  cappedByIssuer,
  replaced: replaced === undefined ? null : { serial: replaced.serial, notAfter: iso(replaced.notAfter) },
});

export function renderIssued(issued: readonly ReturnType<typeof issuedView>[]): string {
  const several = issued.length > 10;
  const lines = issued.flatMap((one) => {
    const head = `${mark.good} ${style.strong(one.name)} (${one.profile}), until ${day(one.notAfter)}${one.cappedByIssuer ? ', when its CA ends' : ''}`;
    if (several) return [head];
    const files = one.key === null ? one.certificate : `${one.certificate} and tls.key`;
    const old =
      one.replaced === null
        ? []
        : [`  the one before stays valid until ${day(one.replaced.notAfter)}: mtls revoke ${one.replaced.serial} --reason superseded`];
    return [head, `  ${one.uri}`, `  ${style.dim([...one.dns, ...one.ip].join(', '))}`, `  ${files}`, ...old];
  });
  return lines.join('\n');
}

/** A CRL in JSON. */
export const crlView = (path: string, crl: Crl, revoked: number) => ({
  path,
  number: Number.parseInt(crl.number ?? '0', 16),
  thisUpdate: iso(crl.thisUpdate),
  nextUpdate: crl.nextUpdate === undefined ? null : iso(crl.nextUpdate),
  revoked,
});

export function renderCrl(crl: ReturnType<typeof crlView>): string {
  return `${mark.good} CRL ${crl.number}: ${crl.revoked} revoked, in force until ${crl.nextUpdate ?? '?'}\n  ${crl.path}`;
}

/** What was revoked, in JSON. */
export const revokedView = ({ revoked, already }: RevokeResult, reason: string) => ({
  revoked: revoked.map(({ name, serial }) => ({ name, serial, reason })),
  already: already.map(({ issued, revocation }) => ({
    name: issued.name,
    serial: issued.serial,
    reason: revocation.reason,
    at: revocation.at.toISOString(),
  })),
});

export function renderRevoked(result: ReturnType<typeof revokedView>, crl: ReturnType<typeof crlView>): string {
  const lines = [
    ...result.revoked.map(({ name, serial, reason }) => `${mark.good} ${style.strong(name)} ${serial} revoked (${reason})`),
    ...result.already.map(({ name, serial, reason, at }) => `${mark.none} ${name} ${serial} was revoked ${at} (${reason})`),
  ];
  return [...lines, renderCrl(crl)].join('\n');
}

const STATUS: Readonly<Record<ListedCertificate['status'], (text: string) => string>> = {
  valid: style.good,
  expired: style.bad,
  revoked: style.bad,
  replaced: style.dim,
};

/** The certificates as a table. */
export async function renderList(certificates: readonly ListedCertificate[], due: string | undefined): Promise<string> {
  if (certificates.length === 0) return `${mark.good} nothing ends within ${due ?? ''}`;
  const { default: Table } = await import('cli-table3');
  const table = new Table({
    head: ['NAME', 'NAMESPACE', 'PROFILE', 'STATUS', 'DAYS LEFT', 'SERIAL'],
    chars: NO_LINES,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 2 },
  });
  for (const { name, namespace, profile, status, daysLeft, serial } of certificates) {
    table.push([name, namespace ?? '', profile, STATUS[status](status), { content: String(daysLeft), hAlign: 'right' }, style.dim(serial)]);
  }
  return table.toString().replace(/ +$/gm, '');
}

const NO_LINES = Object.fromEntries(
  [
    'top',
    'top-mid',
    'top-left',
    'top-right',
    'bottom',
    'bottom-mid',
    'bottom-left',
    'bottom-right',
    'left',
    'left-mid',
    'mid',
    'mid-mid',
    'right',
    'right-mid',
    'middle',
  ].map((key) => [key, '']),
);
