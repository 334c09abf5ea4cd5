import * as fs from 'node:fs';
import type { Clock } from '../../base/clock.js';
import { havingDone } from '../../base/files.js';
import { MtlsError } from '../../errors.js';
import type { Certificate } from '../../pki/certificate.js';
import { type Ca, askAhead, caId, casIn, casOf, everyCaOf, openCas } from '../cas/cas.js';
import { type RootRotated, appendLedger } from '../ledger/ledger.js';
import { viewLedger } from '../ledger/ledger-view.js';
import { type Watcher, withLock } from '../lock.js';
import { keepCrlsFresh } from '../revocation/crl.js';
import type { Workspace } from '../workspace.js';
import { type Blocker, type Elsewhere, toActivate, toRetire } from './blockers.js';
import { assertRecorded, lastStep } from './record.js';
import { type Spread, isUnfinished, spread } from './spread.js';
import { type Rotation, caFilesOf, rotationOf, writeRotation } from './state.js';

/** In their order; `cancel` takes `prepare` back. */
export const STEPS = ['prepare', 'cancel', 'activate', 'retire'] as const;
export type Step = (typeof STEPS)[number];

/** Where the rotation of a root stands: `steady` when none is under way. */
export interface Standing {
  readonly state: 'steady' | 'prepared' | 'activated';
  /** Of the root that signs, or has services sign. */
  readonly current: Ca;
  /** That is trusted too: about to sign, or of which certificates are still out. */
  readonly other: Ca | undefined;
  /** The last step was cut short: the same one again brings it to its end. */
  readonly isUnfinished: boolean;
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

/** Throws CA_NOT_SIGNED, WORKSPACE_INVALID. */
export function standingOf({ paths }: Pick<Workspace, 'paths'>): Standing {
  const rotation = rotationOf(paths.authority);
  assertRecorded(paths.authority, rotation, viewLedger(paths).others);
  const { next, old } = rotation;
  const other = next ?? old;
  return {
    state: next !== undefined ? 'prepared' : old !== undefined ? 'activated' : 'steady',
    current: casOf(paths)[0],
    other: other === undefined ? undefined : casIn(caFilesOf(paths.authority, other))[0],
    isUnfinished: isUnfinished({ paths }, rotation),
  };
}

/** What the ledger says of a step. */
export const rotated = (event: RootRotated['event'], key: Certificate, replaces: Certificate, at: Date): RootRotated => ({
  ...{ event, at, key: caId(key), replaces: caId(replaces) },
});

/** Gives the prepared root up: it is trusted no more, and its keys are removed. Throws ROTATION_STATE when none is prepared. */
export async function cancelRotation(workspace: Workspace, clock: Clock, watcher: Watcher = {}): Promise<StepResult> {
  return takeStep(workspace, 'cancel', { clock, watcher }, async ({ current }) => {
    const { current: root, other } = standingOf(workspace);
    return take(workspace, rotated('cancelled', other!.certificate, root.certificate, clock()), { current });
  });
}

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
  const { authority } = workspace.paths;
  return takeStep(workspace, 'activate', { clock, watcher }, async (rotation) => {
    const now = clock();
    const next = rotation.next!;
    const blockers = toActivate(workspace, casIn(caFilesOf(authority, next)), elsewhere, now);
    if (blockers.length > 0) return { blockers, spread: undefined };
    const { current, other } = standingOf(workspace);
    return take(workspace, rotated('activated', other!.certificate, current.certificate, now), { current: next, old: rotation.current });
  });
}

/**
 * Trusts the root alone that signs, and removes the key of the one before. Refused while a certificate below that one is alive, or
 * a service does not trust the new one. Throws ROTATION_STATE when none was activated.
 */
export async function retireRotation(workspace: Workspace, elsewhere: Elsewhere, clock: Clock, watcher: Watcher = {}): Promise<StepResult> {
  const { paths } = workspace;
  return takeStep(workspace, 'retire', { clock, watcher }, async (rotation) => {
    const now = clock();
    const old = casIn(caFilesOf(paths.authority, rotation.old!));
    const blockers = toRetire(workspace, old, elsewhere, now);
    if (blockers.length > 0) return { blockers, spread: undefined };
    return take(workspace, rotated('retired', casOf(paths)[0].certificate, old[0].certificate, now), { current: rotation.current });
  });
}

/** The ledger knows it, then it counts, then everybody here is told; what is left undone then the same step does again. */
function take(workspace: Workspace, entry: RootRotated, after: Rotation): Pick<StepResult, 'blockers' | 'spread'> {
  const { ledger, authority } = workspace.paths;
  appendLedger(ledger, [entry]);
  writeRotation(authority, after);
  const done = `the new root is ${entry.event} already`;
  return { blockers: [], spread: havingDone({ done, rest: 'do the same again' }, () => spread(workspace, after)) };
}

/** The state in which a step can be taken, and what the ledger says of it. */
const FROM: Readonly<Record<Step, readonly [Standing['state'], RootRotated['event']]>> = {
  prepare: ['steady', 'prepared'],
  cancel: ['prepared', 'cancelled'],
  activate: ['prepared', 'activated'],
  retire: ['activated', 'retired'],
};

/** Under the lock, from the right state: what the last step left undone is done first, and is all when it was this one. */
export async function takeStep(
  workspace: Workspace,
  name: Step,
  { clock, watcher }: { readonly clock: Clock; readonly watcher: Watcher },
  act: (rotation: Rotation) => Promise<Pick<StepResult, 'blockers' | 'spread'>>,
): Promise<StepResult> {
  const { paths } = workspace;
  const work = async (): Promise<StepResult> => {
    const rotation = rotationOf(paths.authority);
    const { state, current, other } = standingOf(workspace);
    const left = spread(workspace, rotation);
    const [from, event] = FROM[name];
    const isAgain = left.isChanged && lastStep(viewLedger(paths).others)?.event === event;
    if (state !== from && !isAgain) {
      const roots = [current, ...(other === undefined ? [] : [other])].map(({ paths: { certificate } }) => certificate);
      throw new MtlsError('ROTATION_STATE', { step: name, state, roots });
    }
    // which others must have in force as well
    if (state === from) keepCrlsFresh(workspace, await openCas(workspace), clock());
    const done = state === from ? await act(rotation) : { blockers: [], spread: left };
    const { next, current: signs } = rotationOf(paths.authority);
    const isCrossSigned = fs.existsSync(caFilesOf(paths.authority, next ?? signs).cross);
    return { step: name, standing: standingOf(workspace), isCrossSigned, ...done };
  };
  await askAhead(workspace, everyCaOf(paths));
  return withLock(paths.lock, work, watcher);
}
