import type { Clock } from '../base/clock.js';
import { DAY } from '../base/duration.js';
import { CRL_FILE_LIMIT, readFileBounded, stageFile } from '../base/files.js';
import { isError } from '../errors.js';
import { type Crl, type Reason } from '../pki/crl.js';
import { crlsIn } from '../pki/material.js';
import { toPem } from '../pki/pem.js';
import { type Signer, signCrl } from '../pki/sign.js';
import { type LedgerEntry, type Revoked, appendLedger, readLedger } from './ledger.js';
import { withLock } from './lock.js';
import { type Workspace, type WorkspacePaths, readAuthority } from './workspace.js';

export const FIRST_CRL_NUMBER = 1;
/** How long a CRL is in force. Commands that write sign a new one when half of this is over. */
export const CRL_VALIDITY = 30 * DAY;

/** Signs a new CRL with everything that the ledger says is revoked, under a number higher than any before. */
export async function refreshCrl(workspace: Workspace, clock: Clock, validity = CRL_VALIDITY): Promise<Crl> {
  return withLock(workspace.paths.lock, async () =>
    writeCrl(workspace, readAuthority(workspace), readLedger(workspace.paths.ledger), [], clock(), validity),
  );
}

/** The CRL that stands in the workspace. */
export function readWorkspaceCrl(paths: WorkspacePaths): Crl {
  return crlsIn(readFileBounded(paths.crl, CRL_FILE_LIMIT), paths.crl)[0]!;
}

/**
 * Under the lock: brings the CRL to the disk, notes `added` revocations and the number in the ledger, in one write, then
 * shows the CRL. Where there is no space nothing is changed; killed in between, the ledger knows and the next CRL says it.
 */
export function writeCrl(
  workspace: Workspace,
  authority: Signer,
  ledger: readonly LedgerEntry[],
  added: readonly Revoked[],
  now: Date,
  validity = CRL_VALIDITY,
): Crl {
  const all = [...ledger, ...added];
  const revoked = all.filter((entry) => entry.event === 'revoked').map(({ serial, at, reason }) => ({ serial, date: at, reason }));
  const number = 1 + all.reduce((highest, entry) => (entry.event === 'crl' ? Math.max(highest, entry.number) : highest), 0);
  const crl = signWorkspaceCrl(authority, { number, now, revoked, validity });
  const staged = stageFile(workspace.paths.crl, toPem('X509 CRL', crl.der));
  try {
    appendLedger(workspace.paths.ledger, [...added, { event: 'crl', at: now, number }]);
  } catch (error) {
    staged.discard();
    throw error;
  }
  staged.commit();
  return crl;
}

/** Under the lock: a new CRL when half of the old one's time is over, or when it cannot be read. */
export function keepCrlFresh(workspace: Workspace, authority: Signer, now: Date): void {
  if (!isCrlDue(workspace.paths, now)) return;
  writeCrl(workspace, authority, readLedger(workspace.paths.ledger), [], now);
}

/** Is half of the time of the CRL over, or can it not be read? */
export function isCrlDue(paths: WorkspacePaths, now: Date): boolean {
  try {
    const { thisUpdate, nextUpdate = thisUpdate } = readWorkspaceCrl(paths);
    return now.getTime() > (thisUpdate + nextUpdate) / 2;
  } catch (error) {
    if (isError(error, 'FILE_NOT_FOUND') || isError(error, 'FILE_EMPTY') || isError(error, 'FILE_UNRECOGNIZED')) return true;
    if (isError(error, 'CRL_MALFORMED') || isError(error, 'PEM_MALFORMED')) return true;
    throw error;
  }
}

interface WorkspaceCrl {
  readonly number: number;
  readonly now: Date;
  readonly revoked: readonly { readonly serial: string; readonly date: Date; readonly reason: Reason }[];
  readonly validity?: number;
}

/** Signs without writing. */
export function signWorkspaceCrl(authority: Signer, { number, now, revoked, validity = CRL_VALIDITY }: WorkspaceCrl): Crl {
  // a CRL beyond its CA's end helps nobody
  const nextUpdate = new Date(Math.min(now.getTime() + validity, authority.certificate.notAfter));
  return signCrl({ number: BigInt(number), thisUpdate: now, nextUpdate, revoked }, authority);
}
