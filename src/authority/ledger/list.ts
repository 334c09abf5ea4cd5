import type { Clock } from '../../base/clock.js';
import { DAY } from '../../base/duration.js';
import { parseInstant } from '../../base/json.js';
import { fingerprint } from '../../pki/certificate.js';
import { isoTime, serialText } from '../../pki/fields.js';
import { labelOf } from '../../pki/name.js';
import type { Reason } from '../../pki/crl.js';
import { type Ca, caId, everyCaOf } from '../cas/cas.js';
import { type IssuedLine, type OtherEntry, readLine } from './issued-line.js';
import { type Revoked, revocationsIn, wholeLines, withoutEntries } from './ledger.js';
import type { Workspace } from '../workspace.js';

/** `replaced`: still valid, but its service has a newer one. */
export const STATUSES = ['valid', 'expired', 'revoked', 'replaced'] as const;
export type Status = (typeof STATUSES)[number];

/** One certificate of the workspace. `daysLeft` is whole days, negative after the end; the root has the profile `ca`. */
export interface ListedCertificate {
  readonly name: string;
  readonly namespace: string | null;
  readonly serial: string;
  readonly profile: string;
  readonly status: Status;
  readonly notBefore: string;
  readonly notAfter: string;
  readonly daysLeft: number;
  readonly uri: string | null;
  /** The key identifier of the CA that signed it, in hex. */
  readonly issuer: string;
  readonly sha256: string;
  /** Who issued it and when; null where the ledger does not say, which is so of CAs. */
  readonly issued: { readonly at: string; readonly by: string } | null;
  readonly revoked: { readonly at: string; readonly reason: Reason } | null;
}

export interface ListOptions {
  /** Replaced, expired and revoked certificates of services that have a newer one, too. */
  readonly all?: boolean;
  /** Only what ends within so many milliseconds, or has ended: the root and each service's newest, unless revoked. */
  readonly expiringWithin?: number;
  /** A name; `*` stands for any characters. */
  readonly name?: string;
  readonly status?: Status;
  readonly profile?: string;
  /** The beginning of the issuer's key identifier. */
  readonly issuer?: string;
  /** By name unless told otherwise; `expiry`: what ends first comes first, `issued`: what came last. */
  readonly sort?: ListOrder;
}

export const LIST_ORDERS = ['name', 'expiry', 'issued'] as const;
type ListOrder = (typeof LIST_ORDERS)[number];

/** The CAs, then the certificates of all services: in the order of their names, newest last, or as the options have it. */
export function listCertificates(workspace: Workspace, clock: Clock, options: ListOptions = {}): ListedCertificate[] {
  const now = clock();
  const { issued, newest, revocations } = readIssued(workspace.paths.ledger);
  const takesAll = options.all === true && options.expiringWithin === undefined;
  const services = inOrder(
    issued.filter((entry) => takesAll || newest.get(entry.name) === entry),
    options.sort,
  ).map((entry) => listedService(entry, newest.get(entry.name) === entry, revocations.get(entry.serial), now));
  const listed = [...everyCaOf(workspace.paths).map((ca) => listedCa(ca, revocations, now)), ...services];
  return listed.filter(filterOf(options, now));
}

/** What a list is made of: the certificates in the order in which they were issued, the newest of each service, what is revoked. */
function readIssued(path: string) {
  const issued: IssuedLine[] = [];
  const others: OtherEntry[] = [];
  const newest = new Map<string, IssuedLine>();
  for (const line of wholeLines(path)) {
    const entry = readLine(line, path, issued.length + others.length + 1);
    if (entry.event !== 'issued') others.push(entry);
    else {
      issued.push(entry);
      newest.set(entry.name, entry);
    }
  }
  if (issued.length + others.length === 0) throw withoutEntries(path);
  return { issued, newest, revocations: revocationsIn(others) };
}

function listedService(entry: IssuedLine, isNewest: boolean, revocation: Revoked | undefined, now: Date): ListedCertificate {
  const end = parseInstant(entry.notAfter)!.getTime();
  return {
    name: entry.name,
    namespace: entry.namespace,
    serial: serialText(entry.serial),
    profile: entry.profile,
    status: statusOf(end, revocation !== undefined, isNewest, now),
    notBefore: inSeconds(entry.notBefore),
    notAfter: inSeconds(entry.notAfter),
    daysLeft: daysLeft(end, now),
    uri: entry.uri,
    issuer: entry.issuer,
    sha256: entry.sha256,
    issued: { at: inSeconds(entry.at), by: entry.by },
    revoked: revocation === undefined ? null : { at: isoTime(revocation.at), reason: revocation.reason },
  };
}

/** As `isoTime` has it. */
const inSeconds = (instant: string): string => `${instant.slice(0, -5)}Z`;

/** Does a certificate pass all that was asked for? */
function filterOf({ name, status, profile, issuer, expiringWithin }: ListOptions, now: Date): (listed: ListedCertificate) => boolean {
  const pattern = name === undefined ? undefined : new RegExp(`^${name.split('*').map(literally).join('.*')}$`);
  return (listed) =>
    (pattern === undefined || pattern.test(listed.name)) &&
    (status === undefined || listed.status === status) &&
    (profile === undefined || listed.profile === profile) &&
    (issuer === undefined || listed.issuer.startsWith(issuer.toLowerCase())) &&
    (expiringWithin === undefined || isDue(listed, now, expiringWithin));
}

const literally = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');

/** The ledger has them in the order in which they were issued; what is alike stays in it. */
function inOrder(issued: IssuedLine[], order: ListOrder = 'name'): IssuedLine[] {
  if (order === 'issued') return issued.reverse();
  // four digits of a year: instants are in the order of their text
  const key = order === 'name' ? ({ name }: IssuedLine) => name : ({ notAfter }: IssuedLine) => notAfter;
  return issued.sort((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0));
}

function isDue({ status, notAfter }: ListedCertificate, now: Date, within: number): boolean {
  return (status === 'valid' || status === 'expired') && new Date(notAfter).getTime() - now.getTime() <= within;
}

/** What a certificate is that ends at `notAfter`. */
export function statusOf(notAfter: number, isRevoked: boolean, isNewest: boolean, now: Date): Status {
  if (isRevoked) return 'revoked';
  if (now.getTime() > notAfter) return 'expired';
  return isNewest ? 'valid' : 'replaced';
}

function listedCa({ certificate }: Ca, revocations: ReadonlyMap<string, Revoked>, now: Date): ListedCertificate {
  const revocation = revocations.get(certificate.serial);
  return {
    name: labelOf(certificate.subject),
    namespace: null,
    serial: serialText(certificate.serial),
    profile: 'ca',
    status: statusOf(certificate.notAfter, revocation !== undefined, true, now),
    notBefore: isoTime(certificate.notBefore),
    notAfter: isoTime(certificate.notAfter),
    daysLeft: daysLeft(certificate.notAfter, now),
    uri: null,
    issuer: certificate.authorityKeyId ?? caId(certificate),
    sha256: fingerprint(certificate),
    issued: null,
    revoked: revocation === undefined ? null : { at: isoTime(revocation.at), reason: revocation.reason },
  };
}

/** Whole days, negative after the end. */
export const daysLeft = (notAfter: number, now: Date): number => Math.floor((notAfter - now.getTime()) / DAY);
