import { assertPrivate } from '../../base/files.js';
import { isError, shellWord } from '../../errors.js';
import { type Examined, directoriesOf, keysOf } from './examined.js';
import { type DoctorFinding, asFinding, found } from './findings.js';

/** Keys are 0600 and the directories above them 0700, or less. */
export const checkModes = (examined: Examined): DoctorFinding[] => [...directoriesOf(examined), ...keysOf(examined)].flatMap(modeFinding);

function modeFinding(path: string): DoctorFinding[] {
  try {
    assertPrivate(path);
    return [];
  } catch (error) {
    if (!isError(error, 'FILE_MODE_TOO_OPEN')) return [asFinding(path, error)];
    const mode = error.facts.expected.toString(8).padStart(4, '0');
    return [found('MODE_TOO_OPEN', path, error.message, `chmod ${mode} ${shellWord(path)}`)];
  }
}
