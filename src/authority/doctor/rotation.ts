import { MtlsError, isError } from '../../errors.js';
import type { RootRotated } from '../ledger/ledger.js';
import { lastStep } from '../rotation/record.js';
import { type Step, standingOf } from '../rotation/rotate.js';
import { rotationFile } from '../rotation/state.js';
import type { Examined } from './examined.js';
import { type DoctorFinding, found, ours } from './findings.js';

const STEP: Readonly<Record<RootRotated['event'], Step>> = {
  prepared: 'prepare',
  cancelled: 'cancel',
  activated: 'activate',
  retired: 'retire',
};

/** Does the workspace stand where the ledger says that the last step of a rotation led, and is that done? */
export function checkRotation({ paths, ledger }: Examined): DoctorFinding[] {
  const last = lastStep(ledger);
  // without one there is nothing to compare, and what is wrong with files the other checks say
  if (last === undefined) return [];
  try {
    if (!standingOf({ paths }).isUnfinished) return [];
  } catch (error) {
    if (isError(error, 'WORKSPACE_INVALID'))
      return [found('ROTATION_UNRECORDED', rotationFile(paths.authority), error.message, error.hints[0]!)];
    if (error instanceof MtlsError) return [];
    throw error;
  }
  const message = `root ${last.key.slice(0, 8)} was ${last.event}, and not all that belongs to it was done`;
  return [found('ROTATION_UNFINISHED', paths.bundle, message, ours(`authority rotate ${STEP[last.event]}`, paths.directory))];
}
