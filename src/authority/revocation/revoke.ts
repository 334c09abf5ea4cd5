import type { Clock } from '../../base/clock.js';
import { MtlsError } from '../../errors.js';
import { type Reason, findRevoked } from '../../pki/crl.js';
import { type SigningCa, askAhead, caId, everyCaOf, openCas } from '../cas/cas.js';
import { type SignedCrl, dueCas, namesakesOf, signingAt, standingCrl, writeCrl } from './crl.js';
import { type Known, type RevokeTarget, findTargets } from '../ledger/find.js';
import { type Released, type Revoked, revocationsIn } from '../ledger/ledger.js';
import { type LedgerView, viewLedger } from '../ledger/ledger-view.js';
import { type Watcher, withLock } from '../lock.js';
import type { Workspace } from '../workspace.js';

/** Reasons that a private CA can give for one of its services (RFC 5280 §5.3.1); the others are about CAs, or undo a hold. */
export const SERVICE_REASONS = [
  'unspecified',
  'keyCompromise',
  'affiliationChanged',
  'superseded',
  'cessationOfOperation',
  'certificateHold',
  'privilegeWithdrawn',
] as const satisfies readonly Reason[];

/** A certificate that was revoked before, and how. */
interface Earlier {
  readonly issued: Known;
  readonly revocation: Revoked;
}

/** What was revoked now, what was before (`changed`: for another reason than now), and the CRLs that say all of it. */
export interface RevokeResult {
  readonly revoked: readonly Known[];
  readonly changed: readonly Earlier[];
  readonly already: readonly Earlier[];
  readonly crls: readonly SignedCrl[];
}

/**
 * Revokes all certificates of a service that are still alive, or the one of a serial number or fingerprint. Revoking twice is
 * no error: the first time stays, and the first reason, unless that was none (`unspecified`), or a hold. Throws
 * SERIAL_NOT_FOUND, LEDGER_CORRUPT, CA_RETIRED, CA_KEY_AWAY when the CA that issued it cannot sign.
 */
export async function revokeCertificates(
  workspace: Workspace,
  target: RevokeTarget,
  reason: Reason,
  clock: Clock,
  watcher: Watcher = {},
): Promise<RevokeResult> {
  return changing(workspace, clock, watcher, (view, now) => {
    const revocations = revocationsIn(view.others);
    const targets = ofLivingCas(workspace, findTargets(view, target, now), now);
    const earlier = targets.flatMap((issued): Earlier[] => {
      const revocation = revocations.get(issued.serial);
      return revocation === undefined ? [] : [{ issued, revocation }];
    });
    const changed = earlier.filter(({ revocation }) => isReplacedBy(revocation.reason, reason));
    const already = earlier.filter((one) => !changed.includes(one));
    const revoked = targets.filter(({ serial }) => !revocations.has(serial));
    const added = [...revoked, ...changed.map(({ issued }) => issued)].map(({ serial, issuer, notAfter }): Revoked => ({
      ...{ event: 'revoked', at: now, serial, issuer, notAfter, reason },
    }));
    return { added, targets, outcome: { revoked, changed, already } };
  });
}

/** What came off hold, what was not on hold, and the CRLs that say so. */
export interface ReleaseResult {
  readonly released: readonly Known[];
  readonly crls: readonly SignedCrl[];
}

/**
 * Lifts the hold (`certificateHold`) of all certificates of a service, or of one: they are good again (RFC 5280 §5.3.1).
 * Throws NOT_ON_HOLD when there is none that is, SERIAL_NOT_FOUND, LEDGER_CORRUPT.
 */
export async function releaseCertificates(
  workspace: Workspace,
  target: RevokeTarget,
  clock: Clock,
  watcher: Watcher = {},
): Promise<ReleaseResult> {
  return changing(workspace, clock, watcher, (view, now) => {
    const revocations = revocationsIn(view.others);
    const targets = ofLivingCas(workspace, findTargets(view, target, now), now);
    const released = targets.filter(({ serial }) => revocations.get(serial)?.reason === 'certificateHold');
    if (released.length === 0) throw new MtlsError('NOT_ON_HOLD', { target: target.what });
    const added = released.map(({ serial, issuer }): Released => ({ event: 'released', at: now, serial, issuer }));
    return { added, targets: released, outcome: { released } };
  });
}

/** Without what a root has signed that was retired since, or has ended: nobody trusts that, and no CRL speaks of it. Throws CA_RETIRED. */
function ofLivingCas({ paths }: Workspace, targets: readonly Known[], now: Date): readonly Known[] {
  const ids = new Set(signingAt(paths, everyCaOf(paths), now).map(({ certificate }) => caId(certificate)));
  const living = targets.filter(({ issuer }) => ids.has(issuer));
  if (living.length === 0) throw new MtlsError('CA_RETIRED', { name: targets[0]!.name, issuer: targets[0]!.issuer });
  return living;
}

interface Change<T> {
  readonly added: readonly (Revoked | Released)[];
  /** What the CRLs must be right about. */
  readonly targets: readonly Known[];
  readonly outcome: T;
}

/** Under the lock: notes what is to change, and signs the CRLs of the CAs that it is about. */
async function changing<T>(
  workspace: Workspace,
  clock: Clock,
  watcher: Watcher,
  decide: (view: LedgerView, now: Date) => Change<T>,
): Promise<T & { readonly crls: readonly SignedCrl[] }> {
  await askAhead(workspace, everyCaOf(workspace.paths));
  const change = async (): Promise<T & { readonly crls: readonly SignedCrl[] }> => {
    const view = viewLedger(workspace.paths);
    const now = clock();
    const { added, targets, outcome } = decide(view, now);
    const cas = signingAt(workspace.paths, await openCas(workspace), now);
    const signers = targets.map(({ issuer }) => signerOf(cas, issuer, workspace));
    // those of another key with the same name after the one that has signed, whose entry they read
    const concerned = [...signers, ...signers.flatMap(({ certificate }) => namesakesOf(certificate, cas))];
    const due = dueCas(workspace.paths, cas, now);
    let { others } = view;
    const crls = [...new Set(concerned)].map((ca): SignedCrl => {
      const ofCa = added.filter(({ issuer }) => issuer === caId(ca.certificate));
      const standing = standingCrl(ca);
      const ofName = added.filter(({ issuer }) => namesakesOf(ca.certificate, cas).some(({ certificate }) => caId(certificate) === issuer));
      const isSaid =
        ofName.length === 0 && !due.includes(ca) && targets.every(({ serial }) => findRevoked(standing!, serial) !== undefined);
      const crl = isSaid ? standing! : writeCrl(workspace, ca, others, ofCa, now);
      others = [...others, ...ofCa];
      return { ca, crl };
    });
    return { ...outcome, crls };
  };
  return withLock(workspace.paths.lock, change, watcher);
}

function signerOf(cas: readonly SigningCa[], issuer: string, { paths }: Workspace): SigningCa {
  const found = cas.find(({ certificate }) => caId(certificate) === issuer);
  if (found !== undefined) return found;
  throw new MtlsError('CA_KEY_AWAY', { name: `the CA with key ${issuer}`, path: paths.root.key });
}

/**
 * A hold is ended by any final reason, since the day of the hold (as X.509 has it); a revocation for no reason may get one.
 * Nothing that is revoked for good comes on hold: it would look as if it could come back.
 */
function isReplacedBy(before: Reason, now: Reason): boolean {
  if (now === 'certificateHold') return false;
  return before === 'certificateHold' || (before === 'unspecified' && now !== 'unspecified');
}
