import * as fs from 'node:fs';
import type { Clock } from '../../base/clock.js';
import { given } from '../../base/given.js';
import { havingDone, readFileBounded, syncDirectory, writeNew } from '../../base/files.js';
import { MtlsError, shellWord } from '../../errors.js';
import type { Certificate } from '../../pki/certificate.js';
import { type KeyType, isEncryptedKey } from '../../pki/key.js';
import { isSameName, labelOf } from '../../pki/name.js';
import { toPem } from '../../pki/pem.js';
import type { Signer } from '../../pki/sign.js';
import { type Ca, askAhead, caId, casIn, casOf, hasKey, openCa } from '../cas/cas.js';
import { FIRST_CRL_NUMBER, revokedBy, signWorkspaceCrl } from '../revocation/crl.js';
import { caCertified, caKeyPem } from '../cas/initialize.js';
import { type LedgerEntry, type Revoked, type RootRotated, appendLedger } from '../ledger/ledger.js';
import { viewLedger } from '../ledger/ledger-view.js';
import { type Watcher, withLock } from '../lock.js';
import type { Workspace } from '../workspace.js';
import { type Blocker, type Elsewhere, toActivate, toRetire } from './blockers.js';
import { type NextCas, makeNextCas } from './next-cas.js';
import { type Spread, spread, takeBack } from './spread.js';
import { type CaPaths, type Rotation, caFilesOf, nextGeneration, rotationOf, writeRotation } from './state.js';

export const STEPS = ['prepare', 'activate', 'retire'] as const;
export type Step = (typeof STEPS)[number];

/** Where the rotation of a root stands: `steady` when none is under way. */
export interface Standing {
  readonly state: 'steady' | 'prepared' | 'activated';
  /** Of the root that signs, or has services sign. */
  readonly current: Ca;
  /** That is trusted too: about to sign, or of which certificates are still out. */
  readonly other: Ca | undefined;
}

/** A step that was done, or what must be mended first: then nothing was changed. */
export interface StepResult {
  readonly step: Step;
  readonly standing: Standing;
  readonly blockers: readonly Blocker[];
  readonly spread: Spread | undefined;
  /** Is the new root's key certified by the old one? */
  readonly isCrossSigned: boolean;
}

export interface PrepareOptions {
  /** As the services' keys, unless told otherwise. */
  readonly keyType?: KeyType;
  /** Milliseconds; as long as the root before was made for. */
  readonly validity?: number;
  /** The root before need not be at hand: who trusts only it will not accept what the new one has signed. */
  readonly crossSign: boolean;
}

/** Throws CA_NOT_SIGNED, WORKSPACE_INVALID. */
export function standingOf({ paths }: Pick<Workspace, 'paths'>): Standing {
  const { next, old } = rotationOf(paths.authority);
  const other = next ?? old;
  return {
    state: next !== undefined ? 'prepared' : old !== undefined ? 'activated' : 'steady',
    current: casOf(paths)[0],
    other: other === undefined ? undefined : casIn(caFilesOf(paths.authority, other))[0],
  };
}

/**
 * Makes the next root, has the one that signs certify its key, and tells everybody here to trust both; it signs no services yet.
 * Throws ROTATION_STATE when a rotation is under way, CA_KEY_AWAY when the key of the root is not at hand, LEDGER_CORRUPT, or an
 * error of writing; nothing counts then.
 */
export async function prepareRotation(
  workspace: Workspace,
  { crossSign, ...options }: PrepareOptions,
  clock: Clock,
  watcher: Watcher = {},
): Promise<StepResult> {
  const { paths, settings } = workspace;
  await askAhead(workspace, casOf(paths));
  return step(workspace, 'prepare', watcher, async (rotation) => {
    const [root, issuing] = casOf(paths);
    const by = crossSign ? await openCa(assertOurs(workspace, root), workspace.passphrase) : undefined;
    if (!crossSign) assertOurs(workspace, root);
    const now = clock();
    const before = { root: root.certificate, issuing: issuing?.certificate };
    const made = makeNextCas(before, by, { keyType: settings.keyType, trustDomain: settings.trustDomain, ...given(options) }, now);
    const next = nextGeneration(paths.authority, rotation);
    const signing = (issuing ?? root).paths.key;
    const passphrase = isEncryptedKey(readFileBounded(signing)) ? await workspace.passphrase?.(signing) : undefined;
    const entries = writeNext(paths.authority, next, {
      made,
      passphrase,
      now,
      before: root.certificate,
      revoked: revokedBy(new Set([caId(root.certificate)]), viewLedger(paths).others, now),
    });
    appendLedger(paths.ledger, entries);
    const after = { ...rotation, next };
    const spreading = spread(workspace, after);
    writeRotation(paths.authority, after);
    return { blockers: [], spread: spreading };
  });
}

/** A root that was never ours is its owner's to rotate. Throws CA_KEY_AWAY. */
function assertOurs({ paths }: Workspace, root: Ca): Ca {
  if (hasKey(root)) return root;
  const wasHere = viewLedger(paths).others.some(
    (entry) => (entry.event === 'sealed' || entry.event === 'burnt') && entry.key === caId(root.certificate),
  );
  if (wasHere) return root;
  throw new MtlsError('CA_KEY_AWAY', { name: labelOf(root.certificate.subject), path: root.paths.key });
}

interface ToWrite {
  readonly made: NextCas;
  readonly passphrase: string | undefined;
  readonly now: Date;
  readonly before: Certificate;
  /** What the one before says is revoked: both speak for one name. */
  readonly revoked: readonly Revoked[];
}

/** All files of a generation, or none; and what the ledger is to say of it. */
function writeNext(authority: string, generation: number, { made, passphrase, now, before, revoked }: ToWrite): LedgerEntry[] {
  const files = caFilesOf(authority, generation);
  const written: string[] = [];
  const write = (path: string, text: string, mode: number): void => {
    written.push(path);
    writeNew(path, text, mode);
  };
  const writeCa = ({ certificate, key }: Signer, { certificate: path, ...beside }: CaPaths): LedgerEntry[] => {
    write(path, toPem('CERTIFICATE', certificate.der), 0o644);
    write(beside.key, caKeyPem(key, passphrase), 0o600);
    const crl = signWorkspaceCrl(
      { certificate, key },
      { number: FIRST_CRL_NUMBER, now, revoked: isSameName(certificate.subject, before.subject) ? revoked : [] },
    );
    write(beside.crl, toPem('X509 CRL', crl.der), 0o644);
    return [caCertified(certificate, now), { event: 'crl', at: now, issuer: caId(certificate), number: FIRST_CRL_NUMBER }];
  };
  const { root, issuing, cross } = made;
  try {
    const entries = [...writeCa(root, files.root), ...(issuing === undefined ? [] : writeCa(issuing, files.issuing))];
    if (cross !== undefined) {
      write(files.cross, toPem('CERTIFICATE', cross.der), 0o644);
      entries.push(caCertified(cross, now));
    }
    syncDirectory(authority);
    return [...entries, rotated('prepared', root.certificate, before, now)];
  } catch (error) {
    takeBack(written);
    throw error;
  }
}

const rotated = (event: RootRotated['event'], key: Certificate, replaces: Certificate, at: Date): RootRotated => ({
  ...{ event, at, key: caId(key), replaces: caId(replaces) },
});

/**
 * Has the prepared root sign from now on. Refused, with everything that must be true first, while a service here or elsewhere does
 * not trust it. Throws ROTATION_STATE when none is prepared.
 */
export async function activateRotation(
  workspace: Workspace,
  elsewhere: Elsewhere,
  clock: Clock,
  watcher: Watcher = {},
): Promise<StepResult> {
  const { paths } = workspace;
  return step(workspace, 'activate', watcher, async (rotation) => {
    const now = clock();
    const next = rotation.next!;
    const blockers = toActivate(workspace, casIn(caFilesOf(paths.authority, next)), elsewhere, now);
    if (blockers.length > 0) return { blockers, spread: undefined };
    const { current, other } = standingOf(workspace);
    const after = { current: next, old: rotation.current };
    appendLedger(paths.ledger, [rotated('activated', other!.certificate, current.certificate, now)]);
    writeRotation(paths.authority, after);
    return { blockers: [], spread: finishing('the new root signs already', () => spread(workspace, after)) };
  });
}

/** What a step that counts already has left to do, the next one does first. */
const finishing = (done: string, act: () => Spread): Spread => havingDone({ done, rest: 'do the same again' }, act);

/**
 * Trusts the root alone that signs, and removes the key of the one before. Refused while a certificate below that one is alive, or
 * a service does not trust the new one. Throws ROTATION_STATE when none was activated.
 */
export async function retireRotation(workspace: Workspace, elsewhere: Elsewhere, clock: Clock, watcher: Watcher = {}): Promise<StepResult> {
  const { paths } = workspace;
  return step(workspace, 'retire', watcher, async (rotation) => {
    const now = clock();
    const old = casIn(caFilesOf(paths.authority, rotation.old!));
    const blockers = toRetire(workspace, old, elsewhere, now);
    if (blockers.length > 0) return { blockers, spread: undefined };
    const after = { current: rotation.current };
    appendLedger(paths.ledger, [rotated('retired', casOf(paths)[0].certificate, old[0].certificate, now)]);
    writeRotation(paths.authority, after);
    return { blockers: [], spread: finishing('the old root is trusted no more', () => spread(workspace, after)) };
  });
}

/** The state in which a step can be taken. */
const FROM: Readonly<Record<Step, Standing['state']>> = { prepare: 'steady', activate: 'prepared', retire: 'activated' };

/** Under the lock, from the right state: what a killed step left undone is done first. */
async function step(
  workspace: Workspace,
  name: Step,
  watcher: Watcher,
  take: (rotation: Rotation) => Promise<Pick<StepResult, 'blockers' | 'spread'>>,
): Promise<StepResult> {
  const { paths } = workspace;
  const work = async (): Promise<StepResult> => {
    const rotation = rotationOf(paths.authority);
    spread(workspace, rotation);
    const { state, current, other } = standingOf(workspace);
    if (state !== FROM[name]) {
      const roots = [current, ...(other === undefined ? [] : [other])].map(({ paths: { certificate } }) => certificate);
      throw new MtlsError('ROTATION_STATE', { step: name, state, roots: roots.map(shellWord) });
    }
    const done = await take(rotation);
    const standing = standingOf(workspace);
    const newest = rotationOf(paths.authority).next ?? rotationOf(paths.authority).current;
    return { step: name, standing, isCrossSigned: fs.existsSync(caFilesOf(paths.authority, newest).cross), ...done };
  };
  return withLock(paths.lock, work, watcher);
}
