import * as fs from 'node:fs';
import { basename, join } from 'node:path';
import { TEMPORARY } from '../../base/files.js';
import { shellWord } from '../../errors.js';
import { abandonedBy } from '../lock.js';
import { type Examined, namesIn } from './examined.js';
import { type DoctorFinding, attempt, found, ours } from './findings.js';

const VERSION = /^\.\.[0-9a-f]{12}$/;

/** What killed processes left. While somebody holds the lock, nothing is a leftover. */
export function checkLeftovers({ paths, services }: Examined): DoctorFinding[] {
  const findings: DoctorFinding[] = [];
  const owner = attempt(paths.lock, findings, () => abandonedBy(paths.lock));
  const remedy = ours('crl', paths.directory);
  if (owner !== undefined) findings.push(found('LOCK_STALE', paths.lock, `${paths.lock} is of ${owner}, which is gone`, remedy));
  else if (fs.existsSync(paths.lock)) return findings;
  const halves = namesIn(paths.authority, findings).filter((name) => TEMPORARY.test(name));
  for (const file of halves.map((name) => join(paths.authority, name)))
    findings.push(found('LEFTOVER', file, `${file} was never finished`, remedy));
  for (const { name } of services) findings.push(...versionsOf(join(paths.services, name)));
  return findings;
}

/** Versions of a service's files that are not the one shown. */
function versionsOf(directory: string): DoctorFinding[] {
  const shown = attempt(directory, [], () => currentOf(directory));
  if (shown === undefined) return [];
  return namesIn(directory, [])
    .filter((name) => VERSION.test(name) && name !== shown)
    .map((name) => join(directory, name))
    .map((file) => found('LEFTOVER', file, `${file} holds files of a service that are not the ones in use`, `rm -r ${shellWord(file)}`));
}

function currentOf(directory: string): string | undefined {
  const data = join(directory, '..data');
  return fs.lstatSync(data, { throwIfNoEntry: false })?.isSymbolicLink() === true ? basename(fs.readlinkSync(data)) : undefined;
}
