import * as fs from 'node:fs';
import type { Clock } from '../../base/clock.js';
import { DAY } from '../../base/duration.js';
import { CRL_FILE_LIMIT, havingDone, readFileBounded, stageFile } from '../../base/files.js';
import { MtlsError, isError } from '../../errors.js';
import { verifySignature } from '../../pki/algorithms.js';
import { type Crl, revokedEntries } from '../../pki/crl.js';
import type { Certificate } from '../../pki/certificate.js';
import { crlsIn } from '../../pki/material.js';
import { isSameName } from '../../pki/name.js';
import { toPem } from '../../pki/pem.js';
import { type Signer, signCrl } from '../../pki/sign.js';
import { type Ca, type SigningCa, askAhead, assertSigned, caId, everyCaOf, openCa, openCas, otherCasOf, otherFiles } from '../cas/cas.js';
import { type LedgerEntry, type Released, type Revoked, appendLedger, lastAboutCrls, revocationsIn } from '../ledger/ledger.js';
import { viewLedger } from '../ledger/ledger-view.js';
import { type Watcher, withLock } from '../lock.js';
import type { Workspace, WorkspacePaths } from '../workspace.js';

export const FIRST_CRL_NUMBER = 1;
/** How long a CRL is in force. Commands that write sign a new one when half of this is over. */
export const CRL_VALIDITY = 7 * DAY;
/** How long a revoked certificate stays in the CRL after its end: clocks differ, and so do opinions about when something happened. */
const GRACE = 7 * DAY;

/**
 * Signs a new CRL of every CA whose key is at hand, with everything that the ledger says is revoked, under numbers higher
 * than any before: in the order of the CAs, that of the issuing one last. Throws LEDGER_CORRUPT, or what is wrong with a key.
 */
export async function refreshCrls(
  workspace: Workspace,
  clock: Clock,
  validity = CRL_VALIDITY,
  watcher: Watcher = {},
): Promise<readonly SignedCrl[]> {
  await askAhead(workspace, everyCaOf(workspace.paths));
  const write = async (): Promise<SignedCrl[]> => {
    const now = clock();
    const cas = signingAt(workspace.paths, await openCas(workspace), now);
    const ledger = viewLedger(workspace.paths).others;
    return cas.map((ca) => ({ ca, crl: writeCrl(workspace, ca, ledger, [], now, validity) }));
  };
  return withLock(workspace.paths.lock, write, watcher);
}

/** The same for one CA, where its CRL is due still when the lock is held: undefined when it is not. Opens no other key. */
export async function refreshDueCrl(
  workspace: Workspace,
  ca: Ca,
  clock: Clock,
  validity = CRL_VALIDITY,
  watcher: Watcher = {},
): Promise<SignedCrl | undefined> {
  const { paths, passphrase } = workspace;
  await askAhead(workspace, [ca]);
  const write = async (): Promise<SignedCrl | undefined> => {
    const now = clock();
    // among all: one of the same name may say more
    if (!dueCas(paths, everyCaOf(paths), now).some((due) => due.paths.crl === ca.paths.crl)) return undefined;
    return { ca, crl: writeCrl(workspace, await openCa(ca, passphrase), viewLedger(paths).others, [], now, validity) };
  };
  return withLock(paths.lock, write, watcher);
}

/** A CRL, and whose it is. */
export interface SignedCrl {
  readonly ca: Ca;
  readonly crl: Crl;
}

/** The CRLs that stand in the workspace, of every CA that has one: all that a peer needs. */
export function readWorkspaceCrls(paths: WorkspacePaths): readonly [Crl, ...Crl[]] {
  const [first, ...others] = crlPaths(paths);
  return [readCrlOf(first), ...others.flatMap(readCrlsOf)];
}

/** Where they are: that of the root first, whether it is there or not. Throws CA_NOT_SIGNED. */
export function crlPaths(paths: WorkspacePaths): readonly [string, ...string[]] {
  assertSigned(paths);
  const { root, issuing, chainCrls } = paths;
  const other = otherFiles(paths);
  const others = other === undefined ? [] : [other.root.crl, other.issuing.crl];
  return [root.crl, ...[issuing.crl, chainCrls, ...others].filter((path) => fs.existsSync(path))];
}

const readCrlsOf = (path: string): Crl[] => crlsIn(readFileBounded(path, CRL_FILE_LIMIT), path);
const readCrlOf = (path: string): Crl => readCrlsOf(path)[0]!;

/** Its number, of any length. */
export const numberOf = ({ number = '0' }: Crl): bigint => BigInt(`0x${number}`);

/**
 * Under the lock: brings the CRL of one CA to the disk, notes `added` and the number in the ledger, in one write, then shows
 * the CRL. Where there is no space nothing is changed; killed in between, the ledger knows and the next CRL says it.
 * A ledger that has lost entries revokes less than the CRL that stands there: it is LEDGER_CORRUPT, and nothing is signed.
 */
export function writeCrl(
  workspace: Workspace,
  ca: SigningCa,
  ledger: readonly LedgerEntry[],
  added: readonly (Revoked | Released)[],
  now: Date,
  validity = CRL_VALIDITY,
): Crl {
  const issuer = caId(ca.certificate);
  const issuers = namesakeIds(workspace.paths, ca);
  const number = 1 + highestNumber(ledger, issuer);
  const revoked = revokedBy(issuers, [...ledger, ...added], now);
  const crl = signWorkspaceCrl(ca, { number, now, revoked, validity });
  assertNothingLost(workspace.paths, ledger, ca, crl);
  const staged = stageFile(ca.paths.crl, toPem('X509 CRL', crl.der));
  try {
    appendLedger(workspace.paths.ledger, [...added, { event: 'crl', at: now, issuer, number }]);
  } catch (error) {
    staged.discard();
    throw error;
  }
  const done = `the ledger has ${added.length > 0 ? 'the revocation' : `CRL ${number}`} already, and the file may still be the one before`;
  havingDone({ done, rest: 'mtls crl' }, () => staged.commit());
  return crl;
}

const highestNumber = (ledger: readonly LedgerEntry[], issuer: string): number =>
  ledger.reduce((highest, entry) => (entry.event === 'crl' && entry.issuer === issuer ? Math.max(highest, entry.number) : highest), 0);

/** The CRL that stands there must be one of those that the ledger knows, and revoke nothing of which the ledger says nothing. */
function assertNothingLost(paths: WorkspacePaths, ledger: readonly LedgerEntry[], ca: SigningCa, next: Crl): void {
  const standing = standingCrl(ca);
  // what somebody else signed bears no witness
  if (standing === undefined || !isSignedBy(standing, ca.certificate)) return;
  const [number, highest] = [numberOf(standing), highestNumber(ledger, caId(ca.certificate))];
  if (number > highest) {
    const problem = `entries are lost: the last CRL that it knows has number ${highest}, and ${ca.paths.crl} has number ${number}`;
    throw new MtlsError('LEDGER_CORRUPT', { path: paths.ledger, problem });
  }
  // nearly always: what was revoked comes first, and unchanged
  if (next.revoked.subarray(0, standing.revoked.length).equals(standing.revoked)) return;
  const known = new Set(ledger.flatMap((entry) => (entry.event === 'revoked' ? [entry.serial] : [])));
  const unknown = [...revokedEntries(standing)].flatMap(({ serial }) => (known.has(serial) ? [] : [serial]));
  if (unknown.length === 0) return;
  const those = unknown.length === 1 ? `certificate ${unknown[0]}` : `${unknown.length} certificates (${unknown[0]}, …)`;
  const problem = `entries are lost: it does not say that ${those} ${unknown.length === 1 ? 'is' : 'are'} revoked, and ${ca.paths.crl} does`;
  throw new MtlsError('LEDGER_CORRUPT', { path: paths.ledger, problem });
}

const isSignedBy = ({ signatureAlgorithm, tbs, signature }: Crl, { publicKey }: Certificate): boolean =>
  verifySignature(signatureAlgorithm, tbs, signature, publicKey) === 'valid';

/** What stands in their CRL: until a while after its end, all that is revoked. */
export const revokedBy = (issuers: ReadonlySet<string>, ledger: readonly LedgerEntry[], now: Date): readonly Revoked[] =>
  [...revocationsIn(ledger).values()].filter(({ issuer, notAfter }) => issuers.has(issuer) && notAfter.getTime() + GRACE > now.getTime());

/** A CRL speaks for a name (RFC 5280 §5): while a root is rotated, two keys sign for one, and each says what is revoked below both. */
const namesakeIds = (paths: WorkspacePaths, { certificate }: Ca): ReadonlySet<string> =>
  new Set([
    caId(certificate),
    ...namesakesOf(certificate, otherCasOf(paths).length === 0 ? [] : everyCaOf(paths)).map((ca) => caId(ca.certificate)),
  ]);

/** Those of the same name. */
export const namesakesOf = <T extends Ca>({ subject }: Certificate, cas: readonly T[]): readonly T[] =>
  cas.filter(({ certificate }) => isSameName(certificate.subject, subject));

/** Under the lock: a new CRL of each CA whose own is due. Throws LEDGER_CORRUPT. */
export function keepCrlsFresh(workspace: Workspace, cas: readonly SigningCa[], now: Date): void {
  for (const ca of dueCas(workspace.paths, cas, now)) writeCrl(workspace, ca, viewLedger(workspace.paths).others, [], now);
}

/** Those whose CRL is half over or cannot be read, or is not the last of which the ledger knows. */
export function dueCas<T extends Ca>(paths: WorkspacePaths, cas: readonly T[], now: Date): readonly T[] {
  const last = lastAboutCrls(paths.ledger);
  return signingAt(paths, cas, now).filter((ca) => {
    const crl = standingCrl(ca);
    if (crl === undefined) return true;
    const noted = last.get(caId(ca.certificate));
    if (now.getTime() > halfOf(crl)) return true;
    // a lower one was never shown or is an old copy; why it would be a higher one is for `writeCrl` to say
    if (noted !== undefined && (noted.event !== 'crl' || numberOf(crl) !== BigInt(noted.number))) return true;
    return namesakesOf(ca.certificate, cas).some((other) => other !== ca && saysLater(standingCrl(other), crl));
  });
}

/** Is the one not older, and revokes something else? */
const saysLater = (one: Crl | undefined, than: Crl): boolean =>
  one !== undefined && one.thisUpdate >= than.thisUpdate && !one.revoked.equals(than.revoked);

/** Without CAs of another generation that have ended, or will begin: nobody asks for their CRLs, and the others go on. */
export const signingAt = <T extends Ca>({ root, issuing }: WorkspacePaths, cas: readonly T[], now: Date): readonly T[] =>
  cas.filter(({ paths: { certificate: path }, certificate }) => {
    const isInForce = certificate.notBefore <= now.getTime() && now.getTime() <= certificate.notAfter;
    return isInForce || path === root.certificate || path === issuing.certificate;
  });

/** When half of its time is over. */
export const halfOf = ({ thisUpdate, nextUpdate = thisUpdate }: Crl): number => (thisUpdate + nextUpdate) / 2;

/** Undefined when there is none, or none that can be read as one. */
export function standingCrl({ paths }: Ca): Crl | undefined {
  try {
    return readCrlOf(paths.crl);
  } catch (error) {
    if (isError(error, 'FILE_NOT_FOUND') || isError(error, 'FILE_EMPTY') || isError(error, 'FILE_UNRECOGNIZED')) return undefined;
    if (isError(error, 'CRL_MALFORMED') || isError(error, 'PEM_MALFORMED')) return undefined;
    throw error;
  }
}

interface WorkspaceCrl {
  readonly number: number;
  readonly now: Date;
  readonly revoked: readonly Pick<Revoked, 'serial' | 'at' | 'reason'>[];
  readonly validity?: number;
}

/** Signs without writing. */
export function signWorkspaceCrl(authority: Signer, { number, now, revoked, validity = CRL_VALIDITY }: WorkspaceCrl): Crl {
  const end = authority.certificate.notAfter;
  // a CRL beyond its CA's end helps nobody
  if (now.getTime() > end) throw new MtlsError('ISSUER_EXPIRED', { notAfter: new Date(end).toISOString(), now: now.toISOString() });
  const nextUpdate = new Date(Math.min(now.getTime() + validity, end));
  const entries = revoked.map(({ serial, at, reason }) => ({ serial, date: at, reason }));
  return signCrl({ number: BigInt(number), thisUpdate: now, nextUpdate, revoked: entries }, authority);
}
