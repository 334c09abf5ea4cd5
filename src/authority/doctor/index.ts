import { relative } from 'node:path';
import { isoTime } from '../../pki/fields.js';
import { type WorkspacePaths, workspacePaths } from '../workspace.js';
import { checkAuthorities } from './authorities.js';
import { checkClock } from './clock.js';
import { checkCrls } from './crls.js';
import { checkDeployed } from './deployed.js';
import { type Examined, examine, keysOf } from './examined.js';
import type { DoctorFinding, DoctorSeverity } from './findings.js';
import { checkGit, checkGitignore } from './git.js';
import { checkLedger } from './ledger.js';
import { checkLeftovers } from './leftovers.js';
import { checkModes } from './modes.js';
import { checkPolicies } from './policies.js';
import { reissue } from './reissue.js';
import { checkRotation } from './rotation.js';
import { checkServices } from './services.js';

export { DOCTOR_FINDINGS, type DoctorFinding, type DoctorSeverity } from './findings.js';

/** What the doctor looked at, part by part; what is good is there too. */
export interface DoctorReport {
  readonly workspace: string;
  readonly at: string;
  readonly good: boolean;
  readonly counts: Readonly<Record<DoctorSeverity, number>>;
  readonly checks: readonly DoctorCheck[];
}

export interface DoctorCheck {
  readonly name: string;
  /** The file or directory that was looked at. */
  readonly file: string;
  readonly good: boolean;
  readonly findings: readonly DoctorFinding[];
}

/**
 * Examines a workspace, and trees of services that are deployed elsewhere, for one instant. Every check is made, whatever
 * the others find; nothing is written, no passphrase asked for.
 */
export async function examineWorkspace(directory: string, now: Date, deployed: readonly string[] = []): Promise<DoctorReport> {
  const paths = workspacePaths(directory);
  const examined = examine(paths, now);
  const made: readonly (readonly [name: string, file: string, findings: readonly DoctorFinding[]])[] = [
    ['files', paths.directory, examined.findings],
    ['modes', paths.directory, checkModes(examined)],
    ['authorities', paths.authority, checkAuthorities(examined)],
    ['rotation', paths.authority, checkRotation(examined)],
    ['crls', paths.authority, checkCrls(examined)],
    ['ledger', paths.ledger, await checkLedger(examined)],
    ['clock', paths.ledger, checkClock(examined)],
    ['policy', paths.policy, await checkPolicies(examined)],
    ['git', paths.directory, [...checkGitignore(paths.directory), ...checkGit(keysOf(examined), paths.directory)]],
    ['leftovers', paths.authority, checkLeftovers(examined)],
    ['services', paths.services, [...checkServices(examined), ...ownDeployed(examined, paths)]],
    ...deployed.map((tree) => [`services in ${tree}`, tree, elsewhere(tree, now)] as const),
  ];
  const told = new Set<string>();
  const checks = made.map(([name, file, findings]): DoctorCheck => {
    const fresh = findings.filter((finding) => isFirst(finding, told));
    return { name, file, good: fresh.every(({ severity }) => severity === 'notice'), findings: fresh };
  });
  const all = checks.flatMap(({ findings }) => findings);
  const count = (severity: DoctorSeverity): number => all.filter((finding) => finding.severity === severity).length;
  const counts = { error: count('error'), warning: count('warning'), notice: count('notice') };
  return { workspace: directory, at: isoTime(now), good: checks.every(({ good }) => good), counts, checks };
}

/** One thing that several checks come upon is told once, by the first. */
function isFirst({ code, file, message }: DoctorFinding, told: Set<string>): boolean {
  const key = JSON.stringify(code === 'MODE_TOO_OPEN' ? [code, file] : [code, file, message]);
  return !told.has(key) && told.add(key).size > 0;
}

/** What the validator has against the services of the workspace, less what the workspace knows better. */
function ownDeployed(examined: Examined, paths: WorkspacePaths): DoctorFinding[] {
  if (examined.services.length === 0) return [];
  const last = new Map(examined.ledger.flatMap((entry) => (entry.event === 'issued' ? [[entry.name, entry] as const] : [])));
  const remedyOf = (name: string): string | null => {
    const service = examined.services.find((each) => each.name === name);
    return service === undefined ? null : reissue(service, last.get(name), examined);
  };
  // CRLs and revocations are judged by the ledger, and a service whose key is with its owner lacks none
  const keyless = new Set(
    examined.services.filter(({ paths: { key } }) => !keysOf(examined).includes(key)).map(({ paths: { key } }) => key),
  );
  const { findings } = checkDeployed(paths.services, examined.now, remedyOf);
  return findings.filter(
    ({ code, file }) =>
      !code.startsWith('CRL_') && code !== 'CERT_REVOKED' && !(keyless.has(file) && code === 'FILE_NOT_FOUND') && !isAbove(file, paths),
  );
}

const isAbove = (file: string, { services }: WorkspacePaths): boolean => relative(services, file).startsWith('..');

function elsewhere(tree: string, now: Date): DoctorFinding[] {
  const { findings, keys } = checkDeployed(tree, now, () => null);
  return [...findings, ...checkGit(keys)];
}
