import type { Clock } from '../base/clock.js';
import { MtlsError } from '../errors.js';
import type { Crl, Reason } from '../pki/crl.js';
import { findRevoked } from '../pki/crl.js';
import { isCrlDue, readWorkspaceCrl, writeCrl } from './crl.js';
import { type Issued, type Revoked, readLedger, revocationsIn } from './ledger.js';
import { type Watcher, withLock } from './lock.js';
import { type Workspace, readAuthority } from './workspace.js';

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
  readonly issued: Issued;
  readonly revocation: Revoked;
}

/** What was revoked now, what was before (`changed`: for another reason than now), and the CRL that says all of it. */
export interface RevokeResult {
  readonly revoked: readonly Issued[];
  readonly changed: readonly Earlier[];
  readonly already: readonly Earlier[];
  readonly crl: Crl;
}

/**
 * Revokes all certificates of a service that are still alive, or the one of a serial number (hex, `:` or not).
 * Revoking twice is no error: the first time stays, and the first reason, unless that was none (`unspecified`), or a hold.
 * Throws SERIAL_NOT_FOUND, LEDGER_CORRUPT.
 */
export async function revokeCertificates(
  workspace: Workspace,
  target: string,
  reason: Reason,
  clock: Clock,
  watcher: Watcher = {},
): Promise<RevokeResult> {
  const revoke = (): RevokeResult => {
    const ledger = readLedger(workspace.paths.ledger);
    const now = clock();
    const revocations = revocationsIn(ledger);
    const targets = find(
      ledger.filter((entry) => entry.event === 'issued'),
      target,
      now,
    );
    const earlier = targets.flatMap((issued): Earlier[] => {
      const revocation = revocations.get(issued.serial);
      return revocation === undefined ? [] : [{ issued, revocation }];
    });
    const changed = earlier.filter(({ revocation }) => isReplacedBy(revocation.reason, reason));
    const already = earlier.filter((one) => !changed.includes(one));
    const revoked = targets.filter(({ serial }) => !revocations.has(serial));
    const added = [...revoked, ...changed.map(({ issued }) => issued)].map(({ serial }): Revoked => ({
      event: 'revoked',
      at: now,
      serial,
      reason,
    }));
    const isSaid =
      added.length === 0 && !isCrlDue(workspace.paths, now) && already.every(({ issued }) => isInCrl(workspace, issued.serial));
    const crl = isSaid ? readWorkspaceCrl(workspace.paths) : writeCrl(workspace, readAuthority(workspace), ledger, added, now);
    return { revoked, changed, already, crl };
  };
  return withLock(workspace.paths.lock, async () => revoke(), watcher);
}

/**
 * A hold is ended by any final reason, since the day of the hold (as X.509 has it); a revocation for no reason may get one.
 * Nothing that is revoked for good comes on hold: it would look as if it could come back.
 */
function isReplacedBy(before: Reason, now: Reason): boolean {
  if (now === 'certificateHold') return false;
  return before === 'certificateHold' || (before === 'unspecified' && now !== 'unspecified');
}

function find(issued: readonly Issued[], target: string, now: Date): Issued[] {
  const named = issued.filter(({ name }) => name === target);
  const alive = named.filter(({ notAfter }) => notAfter >= now);
  if (named.length > 0) return alive.length > 0 ? alive : named.slice(-1);
  const serial = asSerial(target);
  const found = serial === undefined ? undefined : issued.find((entry) => BigInt(`0x${entry.serial}`) === serial);
  if (found === undefined) throw new MtlsError('SERIAL_NOT_FOUND', { serial: target });
  return [found];
}

function asSerial(text: string): bigint | undefined {
  const hex = text.replaceAll(':', '').replace(/^0x/i, '');
  return /^[0-9a-f]{1,64}$/i.test(hex) ? BigInt(`0x${hex}`) : undefined;
}

function isInCrl(workspace: Workspace, serial: string): boolean {
  return findRevoked(readWorkspaceCrl(workspace.paths), serial) !== undefined;
}
