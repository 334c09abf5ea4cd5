import type { Clock } from '../base/clock.js';
import { DAY } from '../base/duration.js';
import { isoTime, serialText } from '../pki/fields.js';
import { labelOf } from '../pki/name.js';
import type { Reason } from '../pki/crl.js';
import { type Issued, type Profile, readLedger, revocationsIn } from './ledger.js';
import { type Workspace, readRootCertificate } from './workspace.js';

/** `replaced`: still valid, but its service has a newer one. */
export type Status = 'valid' | 'expired' | 'revoked' | 'replaced';

/** One certificate of the workspace. `daysLeft` is whole days, negative after the end; the root has the profile `ca`. */
export interface ListedCertificate {
  readonly name: string;
  readonly namespace: string | null;
  readonly serial: string;
  readonly profile: Profile | 'ca';
  readonly status: Status;
  readonly notBefore: string;
  readonly notAfter: string;
  readonly daysLeft: number;
  readonly uri: string | null;
  readonly revoked: { readonly at: string; readonly reason: Reason } | null;
}

export interface ListOptions {
  /** Replaced, expired and revoked certificates of services that have a newer one, too. */
  readonly all?: boolean;
  /** Only what ends within so many milliseconds, or has ended: the root and each service's newest, unless revoked. */
  readonly expiringWithin?: number;
}

/** The root and the certificates of all services, in the order of their names, newest last. */
export function listCertificates(workspace: Workspace, clock: Clock, options: ListOptions = {}): ListedCertificate[] {
  const now = clock();
  const ledger = readLedger(workspace.paths.ledger);
  const revocations = revocationsIn(ledger);
  const issued = ledger.filter((entry) => entry.event === 'issued');
  const newest = new Map(issued.map((entry) => [entry.name, entry.serial]));
  const services = issued
    .filter((entry) => (options.all === true && options.expiringWithin === undefined) || newest.get(entry.name) === entry.serial)
    .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
    .map((entry): ListedCertificate => {
      const revocation = revocations.get(entry.serial);
      return {
        name: entry.name,
        namespace: entry.namespace,
        serial: serialText(entry.serial),
        profile: entry.profile,
        status: revocation !== undefined ? 'revoked' : statusOf(entry, newest.get(entry.name) === entry.serial, now),
        ...datesOf(entry.notBefore, entry.notAfter, now),
        uri: entry.uri,
        revoked: revocation === undefined ? null : { at: isoTime(revocation.at), reason: revocation.reason },
      };
    });
  const listed = [rootOf(workspace, now), ...services];
  const { expiringWithin } = options;
  return expiringWithin === undefined ? listed : listed.filter((certificate) => isDue(certificate, now, expiringWithin));
}

function isDue({ status, notAfter }: ListedCertificate, now: Date, within: number): boolean {
  return (status === 'valid' || status === 'expired') && new Date(notAfter).getTime() - now.getTime() <= within;
}

function statusOf({ notAfter }: Issued, isNewest: boolean, now: Date): Status {
  if (now > notAfter) return 'expired';
  return isNewest ? 'valid' : 'replaced';
}

function rootOf(workspace: Workspace, now: Date): ListedCertificate {
  const root = readRootCertificate(workspace.paths);
  return {
    name: labelOf(root.subject),
    namespace: null,
    serial: serialText(root.serial),
    profile: 'ca',
    status: now.getTime() > root.notAfter ? 'expired' : 'valid',
    ...datesOf(new Date(root.notBefore), new Date(root.notAfter), now),
    uri: null,
    revoked: null,
  };
}

function datesOf(notBefore: Date, notAfter: Date, now: Date) {
  return { notBefore: isoTime(notBefore), notAfter: isoTime(notAfter), daysLeft: Math.floor((notAfter.getTime() - now.getTime()) / DAY) };
}
