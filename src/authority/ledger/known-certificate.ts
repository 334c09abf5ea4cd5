import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { MtlsError } from '../../errors.js';
import type { Reason } from '../../pki/crl.js';
import { isoTime, serialText } from '../../pki/fields.js';
import { readCertificates } from '../../pki/material.js';
import { everyCaOf, otherFiles } from '../cas/cas.js';
import type { CaPaths } from '../rotation/state.js';
import { type Known, findCertificate } from './find.js';
import { type CaCertified, revocationsIn } from './ledger.js';
import { type LedgerView, viewLedger } from './ledger-view.js';
import { type Status, daysLeft, statusOf } from './list.js';
import { type Workspace, servicePaths } from '../workspace.js';

/** All that a workspace knows of one certificate. CAs have the profile `ca`, what they signed for their errands `delegate`, and no namespace. */
export interface KnownCertificate {
  readonly name: string;
  readonly namespace: string | null;
  readonly profile: string;
  readonly serial: string;
  readonly sha256: string;
  readonly status: Status;
  readonly revoked: { readonly at: string; readonly by: string; readonly reason: Reason } | null;
  readonly uri: string | null;
  readonly dns: readonly string[];
  readonly ip: readonly string[];
  readonly notBefore: string;
  readonly notAfter: string;
  readonly daysLeft: number;
  /** When, and which user of the operating system had it issued. */
  readonly issued: { readonly at: string; readonly by: string };
  /** The CA that signed it, by its key identifier, and its name where the workspace knows it. */
  readonly issuer: { readonly key: string; readonly name: string | null };
  /** Serial numbers: what it took the place of, what took its place. */
  readonly renews: string | null;
  readonly renewedBy: readonly string[];
  /** Where it is, while it is still in place. */
  readonly files: { readonly certificate: string; readonly key: string | null } | null;
}

/** Opens the ledger, to be asked for certificates by serial number or fingerprint. What is asked throws SERIAL_NOT_FOUND. */
export function knownCertificates(workspace: Workspace, now: Date): (what: string) => KnownCertificate {
  const view = viewLedger(workspace.paths);
  return (what) => {
    const known = findCertificate(view, what);
    if (known === undefined) throw new MtlsError('SERIAL_NOT_FOUND', { serial: what });
    return described(workspace, view, known, now);
  };
}

function described(workspace: Workspace, view: LedgerView, known: Known, now: Date): KnownCertificate {
  const revocation = revocationsIn(view.others).get(known.serial);
  return {
    name: known.name,
    ...ofService(known),
    serial: serialText(known.serial),
    sha256: known.sha256,
    status: statusOf(known.notAfter.getTime(), revocation !== undefined, isNewest(view, known), now),
    revoked: revocation === undefined ? null : { at: isoTime(revocation.at), by: revocation.by ?? '', reason: revocation.reason },
    notBefore: isoTime(known.notBefore),
    notAfter: isoTime(known.notAfter),
    daysLeft: daysLeft(known.notAfter.getTime(), now),
    issued: { at: isoTime(known.at), by: known.by ?? '' },
    issuer: { key: known.issuer, name: casIn(view).findLast(({ key }) => key === known.issuer)?.name ?? null },
    renewedBy: view.issued('renews', known.serial).map(({ serial }) => serialText(serial)),
    files: filesOf(workspace, known),
  };
}

function ofService(known: Known) {
  if (known.event !== 'issued')
    return { namespace: null, profile: known.event === 'ca' ? 'ca' : 'delegate', uri: null, dns: [], ip: [], renews: null };
  const { namespace, profile, uri, dns, ip, renews } = known;
  return { namespace, profile, uri, dns, ip, renews: renews === undefined ? null : serialText(renews) };
}

/** Of its service; a CA is who its key is. */
function isNewest(view: LedgerView, known: Known): boolean {
  if (known.event === 'delegated') return true;
  const newest = known.event === 'issued' ? view.issued('name', known.name).at(-1) : casIn(view).findLast(({ key }) => key === known.key);
  return newest?.sha256 === known.sha256;
}

const casIn = ({ others }: LedgerView): readonly CaCertified[] => others.filter((entry) => entry.event === 'ca');

/** The files of the service, or of the CA, when it is this certificate that is in them. */
function filesOf(workspace: Workspace, known: Known): KnownCertificate['files'] {
  if (known.event === 'delegated') return null;
  const places = known.event === 'ca' ? placesOfCas(workspace) : [servicePaths(workspace, known.name)];
  const place = places.find(({ certificate }) => isIn(certificate, known));
  return place === undefined ? null : { certificate: place.certificate, key: fs.existsSync(place.key) ? place.key : null };
}

/** What one root has signed for the next has that one's key. */
const placesOfCas = ({ paths }: Workspace): readonly Pick<CaPaths, 'certificate' | 'key'>[] => [
  ...everyCaOf(paths).map((ca) => ca.paths),
  ...[paths, otherFiles(paths) ?? []]
    .flat()
    .flatMap(({ cross, root }) => (fs.existsSync(cross) ? [{ certificate: cross, key: root.key }] : [])),
];

function isIn(path: string, { sha256 }: Known): boolean {
  try {
    return createHash('sha256').update(readCertificates(path)[0]!.der).digest('hex') === sha256;
  } catch (error) {
    // what is wrong with a file is for those to say who need it
    if (!(error instanceof MtlsError)) throw error;
    return false;
  }
}
