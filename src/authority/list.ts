import type { Clock } from '../base/clock.js';
import { DAY } from '../base/duration.js';
import { fingerprint } from '../pki/certificate.js';
import { isoTime, serialText } from '../pki/fields.js';
import { labelOf } from '../pki/name.js';
import type { Reason } from '../pki/crl.js';
import { type Ca, caId, casOf } from './cas.js';
import { type Issued, type Revoked, readLedger, revocationsIn } from './ledger.js';
import type { Workspace } from './workspace.js';

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
  const ledger = readLedger(workspace.paths.ledger);
  const revocations = revocationsIn(ledger);
  const issued = ledger.filter((entry) => entry.event === 'issued');
  const newest = new Map(issued.map((entry) => [entry.name, entry.serial]));
  const takesAll = options.all === true && options.expiringWithin === undefined;
  const services = inOrder(
    issued.filter((entry) => takesAll || newest.get(entry.name) === entry.serial),
    options.sort,
  ).map((entry): ListedCertificate => {
    const revocation = revocations.get(entry.serial);
    return {
      name: entry.name,
      namespace: entry.namespace,
      serial: serialText(entry.serial),
      profile: entry.profile,
      status: revocation !== undefined ? 'revoked' : statusOf(entry, newest.get(entry.name) === entry.serial, now),
      ...datesOf(entry.notBefore, entry.notAfter, now),
      uri: entry.uri,
      issuer: entry.issuer,
      sha256: entry.sha256,
      issued: { at: isoTime(entry.at), by: entry.by ?? '' },
      revoked: revocation === undefined ? null : { at: isoTime(revocation.at), reason: revocation.reason },
    };
  });
  const listed = [...casOf(workspace.paths).map((ca) => listedCa(ca, revocations, now)), ...services];
  return listed.filter(filterOf(options, now));
}

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
function inOrder(issued: Issued[], order: ListOrder = 'name'): Issued[] {
  if (order === 'issued') return issued.reverse();
  const key = order === 'name' ? ({ name }: Issued) => name : ({ notAfter }: Issued) => notAfter;
  return issued.sort((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0));
}

function isDue({ status, notAfter }: ListedCertificate, now: Date, within: number): boolean {
  return (status === 'valid' || status === 'expired') && new Date(notAfter).getTime() - now.getTime() <= within;
}

function statusOf({ notAfter }: Issued, isNewest: boolean, now: Date): Status {
  if (now > notAfter) return 'expired';
  return isNewest ? 'valid' : 'replaced';
}

function listedCa({ certificate }: Ca, revocations: ReadonlyMap<string, Revoked>, now: Date): ListedCertificate {
  const revocation = revocations.get(certificate.serial);
  return {
    name: labelOf(certificate.subject),
    namespace: null,
    serial: serialText(certificate.serial),
    profile: 'ca',
    status: revocation !== undefined ? 'revoked' : now.getTime() > certificate.notAfter ? 'expired' : 'valid',
    ...datesOf(new Date(certificate.notBefore), new Date(certificate.notAfter), now),
    uri: null,
    issuer: certificate.authorityKeyId ?? caId(certificate),
    sha256: fingerprint(certificate),
    issued: null,
    revoked: revocation === undefined ? null : { at: isoTime(revocation.at), reason: revocation.reason },
  };
}

function datesOf(notBefore: Date, notAfter: Date, now: Date) {
  return { notBefore: isoTime(notBefore), notAfter: isoTime(notAfter), daysLeft: Math.floor((notAfter.getTime() - now.getTime()) / DAY) };
}
