import type { ListedCertificate, crlView, initializedView, issuedView, revokedView } from '../authority/index.js';
import { mark, style } from './style.js';

const day = (iso: string): string => iso.slice(0, 10);

export function renderInitialized({ workspace, trustDomain, root }: ReturnType<typeof initializedView>): string {
  return [
    `${mark.good} ${style.strong(root.name)}, until ${day(root.notAfter)}`,
    `  trust domain ${trustDomain}, in ${workspace}`,
    `  next: mtls issue api web`,
  ].join('\n');
}

type IssuedView = ReturnType<typeof issuedView>;

/** More services than this are told in a line each. */
const IN_FULL = 10;

export function renderIssued(issued: readonly IssuedView[]): string {
  return issued.flatMap((one) => (issued.length > IN_FULL ? [headOf(one)] : [headOf(one), ...detailsOf(one)])).join('\n');
}

const headOf = ({ name, profile, notAfter, cappedByIssuer }: IssuedView): string =>
  `${mark.good} ${style.strong(name)} (${profile}), until ${day(notAfter)}${cappedByIssuer ? ', when its CA ends' : ''}`;

function detailsOf({ uri, dns, ip, certificate, key, replaced }: IssuedView): string[] {
  return [
    `  ${uri}`,
    `  ${style.dim([...dns, ...ip].join(', '))}`,
    `  ${certificate}${key === null ? '' : ', with tls.key and ca.crt beside it'}`,
    ...(replaced === null
      ? []
      : [`  the one before is valid until ${day(replaced.notAfter)}; to end it: mtls revoke ${replaced.serial} --reason superseded`]),
  ];
}

type CrlView = ReturnType<typeof crlView>;

export function renderCrl({ number, revoked, nextUpdate, path }: CrlView): string {
  return `${mark.good} CRL ${number}: ${revoked === 0 ? 'nothing' : revoked} revoked, in force until ${nextUpdate === null ? '?' : day(nextUpdate)}\n  ${path}`;
}

export function renderRevoked({ revoked, changed, already, crl }: ReturnType<typeof revokedView>): string {
  return [
    ...revoked.map(({ name, serial, reason }) => `${mark.good} ${style.strong(name)} ${serial} revoked (${reason})`),
    ...changed.map(
      ({ name, serial, reason, before, at }) =>
        `${mark.good} ${style.strong(name)} ${serial} was revoked ${day(at)} (${before}), now for another reason (${reason})`,
    ),
    ...already.map(({ name, serial, reason, at }) => `${mark.none} ${name} ${serial} was revoked ${day(at)} (${reason})`),
    renderCrl(crl),
  ].join('\n');
}

const STATUS: Readonly<Record<ListedCertificate['status'], (text: string) => string>> = {
  valid: style.good,
  expired: style.bad,
  revoked: style.bad,
  replaced: style.dim,
};

export const renderNothingDue = (within: string): string => `${mark.good} nothing ends within ${within}`;

/** The certificates as a table. */
export async function renderList(certificates: readonly ListedCertificate[]): Promise<string> {
  const { default: Table } = await import('cli-table3');
  const table = new Table({
    head: ['NAME', 'NAMESPACE', 'PROFILE', 'STATUS', 'DAYS LEFT', 'SERIAL'],
    chars: WITHOUT_LINES,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 2 },
  });
  for (const { name, namespace, profile, status, daysLeft, serial } of certificates) {
    table.push([name, namespace ?? '', profile, STATUS[status](status), { content: String(daysLeft), hAlign: 'right' }, style.dim(serial)]);
  }
  return table.toString().replace(/ +$/gm, '');
}

const WITHOUT_LINES = Object.fromEntries(
  ['top', 'bottom', 'left', 'right', 'mid']
    .flatMap((side) => [side, `${side}-left`, `${side}-mid`, `${side}-right`])
    .concat('middle')
    .map((part) => [part, '']),
);
