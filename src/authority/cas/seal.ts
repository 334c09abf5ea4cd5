import * as fs from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { Clock } from '../../base/clock.js';
import { DAY } from '../../base/duration.js';
import { assertPrivate, havingDone, isWithin, readFileBounded, syncDirectory, writeError, writeFileAtomic } from '../../base/files.js';
import { MtlsError } from '../../errors.js';
import type { Crl } from '../../pki/crl.js';
import { isEncryptedKey, isKeyOf, pkcs8Of, readPrivateKey } from '../../pki/key.js';
import { labelOf } from '../../pki/name.js';
import { encryptedPrivateKeyToPem } from '../../pki/pbes2.js';
import { type Ca, type SigningCa, caId, casOf, hasKey, openCa } from './cas.js';
import { CRL_VALIDITY, standingCrl, writeCrl } from '../revocation/crl.js';
import { type KeyMoved, appendLedger } from '../ledger/ledger.js';
import { viewLedger } from '../ledger/ledger-view.js';
import { type Watcher, withLock } from '../lock.js';
import type { PassphraseSource, Workspace, WorkspacePaths } from '../workspace.js';

/** How long the CRL of a root is in force whose key is elsewhere: nobody can sign the next one without fetching it. */
const SEALED_CRL_VALIDITY = 365 * DAY;

export interface SealOptions {
  /** The file that the key goes to, which must not be there yet, outside of the workspace. */
  readonly out: string;
  /** What it is encrypted under there; without one it stays encrypted as it is. */
  readonly passphrase?: string;
  /** Milliseconds, of the root's CRL; cut off at the root's end. */
  readonly crlValidity?: number;
}

/** The root whose key was moved, and its CRL that was signed. */
export interface SealResult {
  readonly root: Ca;
  readonly crl: Crl;
  /** Where its key is now; undefined when it is nowhere. */
  readonly key: string | undefined;
}

/** The root of a workspace and whether its key is encrypted. Throws CA_NOT_SIGNED, NO_ISSUING_CA, CA_KEY_AWAY. */
export function rootToSeal({ paths }: Workspace): { readonly root: Ca; readonly isEncrypted: boolean } {
  const [root, issuing] = casOf(paths);
  if (issuing === undefined) {
    const why = 'without the key of the root nobody could sign anything';
    throw new MtlsError('NO_ISSUING_CA', { why, remedy: 'in another directory: mtls init --issuing-ca' });
  }
  for (const ca of [root, issuing])
    if (!hasKey(ca)) throw new MtlsError('CA_KEY_AWAY', { name: labelOf(ca.certificate.subject), path: ca.paths.key });
  return { root, isEncrypted: isEncryptedKey(readFileBounded(root.paths.key)) };
}

/**
 * Moves the key of the root out of the workspace, encrypted. In this order: the file is on the disk and proven to hold the
 * key, a CRL is signed that lasts, the ledger notes it, the key is removed; killed at any instant the key is in one of both
 * places, and the same call can be made again. Throws FILE_EXISTS when the file holds anything else, PASSPHRASE_MISSING when
 * the key is not encrypted and is to stay so, and as `rootToSeal` does.
 */
export async function sealRoot(workspace: Workspace, options: SealOptions, clock: Clock, watcher: Watcher = {}): Promise<SealResult> {
  const out = resolve(options.out);
  assertOutside(workspace.paths, out);
  const { crlValidity = SEALED_CRL_VALIDITY } = options;
  const crl = await removing(workspace, 'sealed', crlValidity, clock, watcher, (root) =>
    exportKey(root, out, options.passphrase, workspace),
  );
  return { root: casOf(workspace.paths)[0], crl, key: out };
}

/** Removes the key of the root for good, after a last CRL that lasts to the root's end. Throws as `rootToSeal` does. */
export async function burnRoot(workspace: Workspace, clock: Clock, watcher: Watcher = {}): Promise<SealResult> {
  const crl = await removing(workspace, 'burnt', Infinity, clock, watcher, async () => {});
  return { root: casOf(workspace.paths)[0], crl, key: undefined };
}

/** Under the lock: `secure` brings the key to where it is wanted, and then it is removed from the workspace. */
async function removing(
  workspace: Workspace,
  event: KeyMoved['event'],
  crlValidity: number,
  clock: Clock,
  watcher: Watcher,
  secure: (root: SigningCa) => Promise<void>,
): Promise<Crl> {
  const { paths } = workspace;
  await openCa(rootToSeal(workspace).root, workspace.passphrase);
  const work = async (): Promise<Crl> => {
    const root = await openCa(rootToSeal(workspace).root, workspace.passphrase);
    const now = clock();
    assertLasts(root, now);
    await secure(root);
    const done = 'the key of the root is still here, and may be where it was to go already';
    return havingDone({ done, rest: 'do the same again' }, () => {
      const crl = writeCrl(workspace, root, viewLedger(paths).others, [], now, crlValidity);
      appendLedger(paths.ledger, [{ event, at: now, key: caId(root.certificate) }]);
      removeKey(root.paths.key);
      return crl;
    });
  };
  return withLock(paths.lock, work, watcher);
}

function removeKey(path: string): void {
  try {
    fs.rmSync(path);
  } catch (error) {
    throw writeError(path, error);
  }
  syncDirectory(dirname(path));
}

/** A CRL cannot be signed after the end of its CA: better told before anything was moved. */
function assertLasts({ certificate: { notAfter } }: Ca, now: Date): void {
  if (now.getTime() < notAfter) return;
  throw new MtlsError('ISSUER_EXPIRED', { notAfter: new Date(notAfter).toISOString(), now: now.toISOString() });
}

/** A key that is to leave the workspace must not be put into it. */
function assertOutside({ directory }: WorkspacePaths, out: string): void {
  if (!isWithin(directory, out)) return;
  throw new MtlsError('VALUE_INVALID', { what: '--out', found: out, expected: 'a file outside of the workspace, better on another disk' });
}

/** The key is in the file, and was read back from it, when this returns. */
async function exportKey(
  { paths, certificate, key }: SigningCa,
  out: string,
  passphrase: string | undefined,
  { passphrase: source }: Workspace,
) {
  const kept = readFileBounded(paths.key);
  if (passphrase === undefined && !isEncryptedKey(kept)) throw new MtlsError('PASSPHRASE_MISSING', { what: out });
  const opening = passphrase ?? (await source!(paths.key));
  const prove = (): boolean => isKeyOf(readPrivateKey(readFileBounded(out), out, opening), certificate.publicKey);
  if (fs.existsSync(out)) {
    if (!isLeftBehind(out, prove)) throw new MtlsError('FILE_EXISTS', { path: out });
    syncDirectory(dirname(out));
    return;
  }
  writeFileAtomic(out, passphrase === undefined ? kept : encryptedPrivateKeyToPem(pkcs8Of(key), passphrase), 0o600);
  if (!prove()) throw new MtlsError('KEY_MISMATCH', { certificate: paths.certificate, key: out });
}

/** Is it what a killed process left of the same call? */
function isLeftBehind(out: string, prove: () => boolean): boolean {
  try {
    return isEncryptedKey(readFileBounded(out)) && prove();
  } catch (error) {
    if (error instanceof MtlsError) return false;
    throw error;
  }
}

/**
 * Puts the key of the root back as it is in the file, when it is proven to be that, and signs a CRL that lasts as long as the
 * one before, and a week at least. Killed at any instant, the same call can be made again. Throws ROOT_KEY_BURNT,
 * KEY_MISMATCH, FILE_EXISTS when another file of the key is here, and what is wrong with the file or its passphrase.
 */
export async function unsealRoot(workspace: Workspace, file: string, clock: Clock, watcher: Watcher = {}): Promise<SealResult> {
  const { paths } = workspace;
  // what a pipe holds is read once
  const bytes = readFileBounded(file);
  const root = casOf(paths)[0];
  assertNotBurnt(workspace, root);
  const key = await provenKey(root, file, bytes, workspace.passphrase);
  const work = async (): Promise<Crl> => {
    const now = clock();
    assertLasts(root, now);
    assertNotBurnt(workspace, root);
    if (!hasKey(root)) writeFileAtomic(root.paths.key, bytes, 0o600);
    else if (!readFileBounded(root.paths.key).equals(bytes)) throw new MtlsError('FILE_EXISTS', { path: root.paths.key });
    return havingDone({ done: 'the key of the root is here already', rest: 'do the same again' }, () => {
      appendLedger(paths.ledger, [{ event: 'unsealed', at: now, key: caId(root.certificate) }]);
      const end = standingCrl(root)?.nextUpdate ?? 0;
      const validity = Math.max(CRL_VALIDITY, end - now.getTime());
      return writeCrl(workspace, { ...root, key }, viewLedger(paths).others, [], now, validity);
    });
  };
  const crl = await withLock(paths.lock, work, watcher);
  return { root, crl, key: root.paths.key };
}

async function provenKey({ paths, certificate }: Ca, file: string, bytes: Buffer, source: PassphraseSource | undefined) {
  const isClosed = isEncryptedKey(bytes);
  // an encrypted one may come from a disk without modes
  if (!isClosed) assertPrivate(file);
  const key = readPrivateKey(bytes, file, isClosed ? await source?.(file) : undefined);
  if (!isKeyOf(key, certificate.publicKey)) throw new MtlsError('KEY_MISMATCH', { certificate: paths.certificate, key: file });
  return key;
}

function assertNotBurnt({ paths }: Workspace, { certificate }: Ca): void {
  const burnt = viewLedger(paths).others.find((entry) => entry.event === 'burnt' && entry.key === caId(certificate));
  if (burnt !== undefined) throw new MtlsError('ROOT_KEY_BURNT', { name: labelOf(certificate.subject), at: burnt.at.toISOString() });
}
