import type { Clock } from '../base/clock.js';
import { DAY } from '../base/duration.js';
import { CRL_FILE_LIMIT, havingDone, readFileBounded, stageFile } from '../base/files.js';
import { MtlsError, isError } from '../errors.js';
import { verifySignature } from '../pki/algorithms.js';
import { type Crl, type Reason, revokedEntries } from '../pki/crl.js';
import type { Certificate } from '../pki/certificate.js';
import { crlsIn } from '../pki/material.js';
import { toPem } from '../pki/pem.js';
import { type Signer, signCrl } from '../pki/sign.js';
import { type LedgerEntry, type Revoked, appendLedger, lastAboutCrl, readLedger, revocationsIn } from './ledger.js';
import { type Watcher, withLock } from './lock.js';
import { type Workspace, type WorkspacePaths, readAuthority } from './workspace.js';

export const FIRST_CRL_NUMBER = 1;
/** How long a CRL is in force. Commands that write sign a new one when half of this is over. */
export const CRL_VALIDITY = 30 * DAY;

/** Signs a new CRL with everything that the ledger says is revoked, under a number higher than any before. Throws LEDGER_CORRUPT. */
export async function refreshCrl(workspace: Workspace, clock: Clock, validity = CRL_VALIDITY, watcher: Watcher = {}): Promise<Crl> {
  const write = (): Crl => writeCrl(workspace, readAuthority(workspace), readLedger(workspace.paths.ledger), [], clock(), validity);
  return withLock(workspace.paths.lock, async () => write(), watcher);
}

/** The CRL that stands in the workspace. */
export function readWorkspaceCrl(paths: WorkspacePaths): Crl {
  return crlsIn(readFileBounded(paths.crl, CRL_FILE_LIMIT), paths.crl)[0]!;
}

/** Its number, of any length. */
export const numberOf = ({ number = '0' }: Crl): bigint => BigInt(`0x${number}`);

/**
 * Under the lock: brings the CRL to the disk, notes `added` revocations and the number in the ledger, in one write, then
 * shows the CRL. Where there is no space nothing is changed; killed in between, the ledger knows and the next CRL says it.
 * A ledger that has lost entries revokes less than the CRL that stands there: it is LEDGER_CORRUPT, and nothing is signed.
 */
export function writeCrl(
  workspace: Workspace,
  authority: Signer,
  ledger: readonly LedgerEntry[],
  added: readonly Revoked[],
  now: Date,
  validity = CRL_VALIDITY,
): Crl {
  const revoked = [...revocationsIn([...ledger, ...added]).values()].map(({ serial, at, reason }) => ({ serial, date: at, reason }));
  const number = 1 + highestNumber(ledger);
  const crl = signWorkspaceCrl(authority, { number, now, revoked, validity });
  assertNothingLost(workspace.paths, ledger, authority, crl);
  const staged = stageFile(workspace.paths.crl, toPem('X509 CRL', crl.der));
  try {
    appendLedger(workspace.paths.ledger, [...added, { event: 'crl', at: now, number }]);
  } catch (error) {
    staged.discard();
    throw error;
  }
  const done = `the ledger has ${added.length > 0 ? 'the revocation' : `CRL ${number}`} already, and the file may still be the one before`;
  havingDone({ done, rest: 'mtls crl' }, () => staged.commit());
  return crl;
}

const highestNumber = (ledger: readonly LedgerEntry[]): number =>
  ledger.reduce((highest, entry) => (entry.event === 'crl' ? Math.max(highest, entry.number) : highest), 0);

/** The CRL that stands there must be one of those that the ledger knows, and revoke nothing of which the ledger says nothing. */
function assertNothingLost(paths: WorkspacePaths, ledger: readonly LedgerEntry[], { certificate }: Signer, next: Crl): void {
  const standing = standingCrl(paths);
  // what somebody else signed bears no witness
  if (standing === undefined || !isSignedBy(standing, certificate)) return;
  const [number, highest] = [numberOf(standing), highestNumber(ledger)];
  if (number > highest) {
    const problem = `entries are lost: the last CRL that it knows has number ${highest}, and ${paths.crl} has number ${number}`;
    throw new MtlsError('LEDGER_CORRUPT', { path: paths.ledger, problem });
  }
  // nearly always: what was revoked comes first, and unchanged
  if (next.revoked.subarray(0, standing.revoked.length).equals(standing.revoked)) return;
  const known = revocationsIn(ledger);
  const unknown = [...revokedEntries(standing)].flatMap(({ serial }) => (known.has(serial) ? [] : [serial]));
  if (unknown.length === 0) return;
  const those = unknown.length === 1 ? `certificate ${unknown[0]}` : `${unknown.length} certificates (${unknown[0]}, …)`;
  const problem = `entries are lost: it does not say that ${those} ${unknown.length === 1 ? 'is' : 'are'} revoked, and ${paths.crl} does`;
  throw new MtlsError('LEDGER_CORRUPT', { path: paths.ledger, problem });
}

const isSignedBy = ({ signatureAlgorithm, tbs, signature }: Crl, { publicKey }: Certificate): boolean =>
  verifySignature(signatureAlgorithm, tbs, signature, publicKey) === 'valid';

/** Under the lock: a new CRL when one is due. Throws LEDGER_CORRUPT. */
export function keepCrlFresh(workspace: Workspace, authority: Signer, now: Date): void {
  if (!isCrlDue(workspace.paths, now)) return;
  writeCrl(workspace, authority, readLedger(workspace.paths.ledger), [], now);
}

/** Is half of the time of the CRL over, is there none that can be read, or is it not the last of which the ledger knows? */
export function isCrlDue(paths: WorkspacePaths, now: Date): boolean {
  const last = lastAboutCrl(paths.ledger);
  const crl = standingCrl(paths);
  if (crl === undefined) return true;
  const { thisUpdate, nextUpdate = thisUpdate } = crl;
  if (now.getTime() > (thisUpdate + nextUpdate) / 2 || last?.event === 'revoked') return true;
  // a lower one was never shown or is an old copy; why it would be a higher one is for `writeCrl` to say
  return last !== undefined && numberOf(crl) !== BigInt(last.number);
}

/** Undefined when there is none, or none that can be read as one. */
function standingCrl(paths: WorkspacePaths): Crl | undefined {
  try {
    return readWorkspaceCrl(paths);
  } catch (error) {
    if (isError(error, 'FILE_NOT_FOUND') || isError(error, 'FILE_EMPTY') || isError(error, 'FILE_UNRECOGNIZED')) return undefined;
    if (isError(error, 'CRL_MALFORMED') || isError(error, 'PEM_MALFORMED')) return undefined;
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
