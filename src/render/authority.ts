import type {
  LedgerVerdict,
  ListedCertificate,
  crlView,
  initializedView,
  issuedView,
  releasedView,
  revokedView,
} from '../authority/index.js';
import { mark, style } from './style.js';

const day = (iso: string): string => iso.slice(0, 10);

export function renderInitialized({ workspace, trustDomain, root, issuing }: ReturnType<typeof initializedView>): string {
  return [
    `${mark.good} ${style.strong(root.name)}, until ${day(root.notAfter)}`,
    ...(issuing === null ? [] : [`${mark.good} ${style.strong(issuing.name)} below it signs the services, until ${day(issuing.notAfter)}`]),
    `  trust domain ${trustDomain}, in ${workspace}`,
    `  next: mtls issue api web`,
  ].join('\n');
}

type IssuedView = ReturnType<typeof issuedView> & { readonly handshake: { readonly version: string; readonly cipher: string } | null };

/** More services than this are told in a line each. */
const IN_FULL = 10;

export function renderIssued(issued: readonly IssuedView[]): string {
  return issued.flatMap((one) => (issued.length > IN_FULL ? [headOf(one)] : [headOf(one), ...detailsOf(one)])).join('\n');
}

const headOf = ({ name, profile, notAfter, cappedByIssuer }: IssuedView): string =>
  `${mark.good} ${style.strong(name)} (${profile}), until ${day(notAfter)}${cappedByIssuer ? ', when its CA ends' : ''}`;

/** What is wrong with a file of services, line by line. */
export const renderProblems = (path: string, problems: readonly { readonly line: number; readonly message: string }[]): string =>
  problems.map(({ line, message }) => `${mark.bad} ${path}:${line}: ${message}`).join('\n');

function detailsOf({ uri, dns, ip, certificate, key, replaced, handshake }: IssuedView): string[] {
  return [
    `  ${uri}`,
    `  ${style.dim([...dns, ...ip].join(', '))}`,
    `  ${certificate}${key === null ? '' : ', with tls.key and ca.crt beside it'}`,
    ...(handshake === null ? [] : [`  a handshake with it: ${handshake.version}, ${handshake.cipher}`]),
    ...(replaced === null
      ? []
      : [`  the one before is valid until ${day(replaced.notAfter)}; to end it: mtls revoke ${replaced.serial} --reason superseded`]),
  ];
}

type CrlView = ReturnType<typeof crlView>;

const renderCrl = ({ issuer, number, revoked, nextUpdate, path }: CrlView): string =>
  `${mark.good} CRL ${number} of ${issuer}: ${revoked === 0 ? 'nothing' : revoked} revoked, in force until ${nextUpdate === null ? '?' : day(nextUpdate)}\n  ${path}`;

export const renderCrls = (crls: readonly CrlView[]): string => crls.map(renderCrl).join('\n');

export const renderReleased = ({ released, crls }: ReturnType<typeof releasedView>): string =>
  [...released.map(({ name, serial }) => `${mark.good} ${style.strong(name)} ${serial} is on hold no more`), ...crls.map(renderCrl)].join(
    '\n',
  );

export function renderRevoked({ revoked, changed, already, crls }: ReturnType<typeof revokedView>): string {
  return [
    ...revoked.map(({ name, serial, reason }) => `${mark.good} ${style.strong(name)} ${serial} revoked (${reason})`),
    ...changed.map(
      ({ name, serial, reason, before, at }) =>
        `${mark.good} ${style.strong(name)} ${serial} was revoked ${day(at)} (${before}), now for another reason (${reason})`,
    ),
    ...already.map(({ name, serial, reason, at }) => `${mark.none} ${name} ${serial} was revoked ${day(at)} (${reason})`),
    ...crls.map(renderCrl),
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

const COLUMNS = [
  'name',
  'namespace',
  'profile',
  'status',
  'notBefore',
  'notAfter',
  'daysLeft',
  'serial',
  'sha256',
  'issuer',
  'uri',
] as const;

/** The certificates as CSV (RFC 4180), with the names of the JSON in its header. */
export function renderListCsv(certificates: readonly ListedCertificate[]): string {
  const cell = (value: string): string => (/[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value);
  const row = (cells: readonly string[]): string => `${cells.map(cell).join(',')}\r\n`;
  return row(COLUMNS) + certificates.map((one) => row(COLUMNS.map((column) => String(one[column] ?? '')))).join('');
}

const WITHOUT_LINES = Object.fromEntries(
  ['top', 'bottom', 'left', 'right', 'mid']
    .flatMap((side) => [side, `${side}-left`, `${side}-mid`, `${side}-right`])
    .concat('middle')
    .map((part) => [part, '']),
);

/** Whether the ledger hangs together, and where it does not. */
export function renderLedgerVerdict({ path, lines, head, bad }: LedgerVerdict & { readonly path: string }): string {
  if (bad !== null) return `${mark.bad} line ${bad.line}: ${bad.problem}\n  ${path}`;
  return `${mark.good} ${lines} ${lines === 1 ? 'line' : 'lines'}, each carrying the hash of the one before it\n  head ${head}\n  ${path}`;
}

interface SerialChecked {
  readonly serial: string;
  readonly found: readonly { readonly path: string; readonly issuer: string; readonly at: string; readonly reason: string }[];
}

export function renderSerialChecked({ serial, found }: SerialChecked): string {
  if (found.length === 0) return `${mark.good} ${serial} is not there`;
  return found.map(({ path, issuer, at, reason }) => `${mark.bad} ${serial} revoked ${at} (${reason}) by ${issuer}\n  ${path}`).join('\n');
}
