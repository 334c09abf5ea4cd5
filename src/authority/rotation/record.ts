import * as fs from 'node:fs';
import { MtlsError, shellWord } from '../../errors.js';
import { readCertificates } from '../../pki/material.js';
import { caId } from '../cas/cas.js';
import { type LedgerEntry, type RootRotated, ROTATION_EVENTS } from '../ledger/ledger.js';
import { type Rotation, caFilesOf, generationsIn, rotationFile } from './state.js';

/** The roots of a rotation by their key identifiers. */
interface Roots {
  readonly current: string;
  readonly next?: string | undefined;
  readonly old?: string | undefined;
}

/** What stood in `rotation.json` before a step that the ledger knows, and after it: a process may have been killed in between. */
const STANDS: Readonly<Record<RootRotated['event'], (entry: RootRotated) => readonly [before: Roots, after: Roots]>> = {
  prepared: ({ key, replaces }) => [{ current: replaces }, { current: replaces, next: key }],
  cancelled: ({ key, replaces }) => [{ current: replaces, next: key }, { current: replaces }],
  activated: ({ key, replaces }) => [
    { current: replaces, next: key },
    { current: key, old: replaces },
  ],
  retired: ({ key, replaces }) => [{ current: key, old: replaces }, { current: key }],
};

/** The last step of which the ledger knows. */
export const lastStep = (ledger: readonly LedgerEntry[]): RootRotated | undefined =>
  ledger.findLast((entry): entry is RootRotated => (ROTATION_EVENTS as readonly string[]).includes(entry.event));

/**
 * The ledger has each step before `rotation.json` does: the file says what the last one came to, or what stood before it. Throws
 * WORKSPACE_INVALID where it says anything else: keys would be taken for those of a root that is no more.
 */
export function assertRecorded(authority: string, rotation: Rotation, ledger: readonly LedgerEntry[]): void {
  const last = lastStep(ledger);
  const rootIn = (generation: number | undefined): string | undefined =>
    generation === undefined ? undefined : keyOf(authority, generation);
  const found: Roots = { current: rootIn(rotation.current)!, next: rootIn(rotation.next), old: rootIn(rotation.old) };
  // no step was ever taken: the first root signs
  const expected: readonly Roots[] = last === undefined ? [{ current: keyOf(authority, 1) }] : STANDS[last.event](last);
  if (expected.some(({ current, next, old }) => current === found.current && next === found.next && old === found.old)) return;
  const path = rotationFile(authority);
  const right = stateOf(authority, expected.at(-1)!);
  const which = last === undefined ? 'knows of no rotation' : `says that root ${last.key.slice(0, 8)} was ${last.event}`;
  throw new MtlsError('WORKSPACE_INVALID', {
    path,
    problems: [`it ${fs.existsSync(path) ? `says ${JSON.stringify(rotation)}` : 'is not there'}, and the ledger ${which}`],
    remedies: right === undefined ? ['put it back from a backup'] : [`echo ${shellWord(JSON.stringify(right))} > ${shellWord(path)}`],
  });
}

const keyOf = (authority: string, generation: number): string =>
  caId(readCertificates(caFilesOf(authority, generation).root.certificate)[0]!);

/** In the words of the file; undefined where a root is not here. */
function stateOf(authority: string, { current, next, old }: Roots): Rotation | undefined {
  const all = new Map(generationsIn(authority).map((generation) => [keyOf(authority, generation), generation]));
  const numbers = [current, next, old].map((key) => (key === undefined ? undefined : all.get(key)));
  const [signs, follows, before] = numbers;
  if (signs === undefined || [current, next, old].some((key, i) => key !== undefined && numbers[i] === undefined)) return undefined;
  return { current: signs, ...(follows === undefined ? {} : { next: follows }), ...(before === undefined ? {} : { old: before }) };
}
