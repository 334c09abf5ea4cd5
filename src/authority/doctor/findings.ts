import { readError } from '../../base/files.js';
import { type ErrorCode, MtlsError, shellWord } from '../../errors.js';
import type { FindingCode } from '../../validate/findings.js';

/** Worst first. Errors and warnings are wrong; a notice is worth knowing. */
export type DoctorSeverity = 'error' | 'warning' | 'notice';

interface DoctorRule {
  readonly severity: DoctorSeverity;
  /** What is wrong, in a line. */
  readonly meaning: string;
}

const rule = (severity: DoctorSeverity, meaning: string): DoctorRule => ({ severity, meaning });

/** What can be wrong with a workspace beside what the validator finds and what cannot be read. Closed. */
export const DOCTOR_FINDINGS = {
  MODE_TOO_OPEN: rule('error', 'a private key, or a directory of the workspace, that others on this machine can read or write'),
  CA_KEY_MISMATCH: rule('error', 'the key of a CA is not that of its certificate'),
  CA_CHAIN_BROKEN: rule('error', 'an issuing CA that does not lead to the root of the workspace'),
  CA_KEY_NOT_ENCRYPTED: rule('notice', 'the key of a CA that lies there without a passphrase'),
  CA_ENDED: rule('error', 'a CA whose certificate has ended'),
  CA_ENDS_SOON: rule('warning', 'a CA whose certificate ends within a year'),
  BUNDLE_NOT_ROOT: rule('error', 'the bundle that services get is not the root of the workspace'),
  ROTATION_UNRECORDED: rule('error', 'rotation.json is not what the ledger says of the rotation of the root'),
  ROTATION_UNFINISHED: rule('warning', 'a step of the rotation of the root that was cut short'),
  SERVICE_BUNDLE_OLD: rule('error', 'a service whose ca.crt is not the bundle of the workspace'),
  SERVICE_DUE: rule('warning', 'a service whose certificate has lived two thirds of its life'),
  SERVICE_UNKNOWN: rule('error', 'a service whose certificate the ledger does not know'),
  SERVICE_REVOKED: rule('error', 'a service whose certificate is revoked, and deployed still'),
  SERVICE_KEY_ENCRYPTED: rule('notice', 'the key of a service under a passphrase: whose it is was not looked at'),
  CRL_MISSING: rule('error', 'a CA without a CRL that can be read: peers refuse everyone'),
  CRL_FOREIGN: rule('error', 'the CRL of a CA that this CA did not sign'),
  CRL_LATE: rule('error', 'a CRL after its next update: peers refuse everyone'),
  CRL_DUE: rule('warning', 'a CRL of which half is over, and whose key is here'),
  CRL_ENDS_SOON: rule('warning', 'a CRL that ends within 30 days, of a CA whose key is not here'),
  CRL_BEHIND: rule('error', 'a CRL that is not the last of which the ledger knows'),
  CRL_AHEAD: rule('error', 'a CRL of which the ledger does not know: entries are lost'),
  CLOCK_WENT_BACK: rule('error', 'something of the workspace was made in the future, by the clock of this machine'),
  LEDGER_BROKEN: rule('error', 'a line of the ledger that was changed, cut out or put in'),
  LEDGER_TORN: rule('notice', 'what a killed process left behind the last line of the ledger'),
  LOCK_STALE: rule('notice', 'a lock whose process is gone: the next command that writes takes it over'),
  LEFTOVER: rule('notice', 'what a killed process left half-written'),
  KEY_IN_GIT: rule('error', 'a private key that git has taken in'),
  KEY_NOT_IGNORED: rule('error', 'a private key in a git work tree that does not ignore it'),
  GITIGNORE_MISSING: rule('warning', 'a workspace whose own .gitignore is not there, or leaves something in'),
} as const satisfies Readonly<Record<string, DoctorRule>>;

/** The code of a finding of the doctor; stable, part of the contract. */
export type DoctorCode = keyof typeof DOCTOR_FINDINGS;

/** One thing that is wrong: what was found and expected, and what mends it. */
export interface DoctorFinding {
  readonly code: string;
  readonly severity: DoctorSeverity;
  readonly message: string;
  readonly file: string;
  /** A command to paste, where one mends it; else what somebody has to do. Null where that depends. */
  readonly remedy: string | null;
}

export const found = (code: DoctorCode, file: string, message: string, remedy: string): DoctorFinding => ({
  ...{ code, severity: DOCTOR_FINDINGS[code].severity, message, file, remedy },
});

/** What could not be read or does not hold, by the code of its own. */
const failed = (code: ErrorCode | FindingCode, file: string, message: string, remedy: string | null): DoctorFinding => ({
  ...{ code, severity: 'error', message, file, remedy },
});

/** What `read` yields; what is wrong with the file becomes a finding. */
export function attempt<T>(file: string, findings: DoctorFinding[], read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    findings.push(asFinding(file, error));
    return undefined;
  }
}

/** Throws what is no error of ours: a bug is not a finding. */
export function asFinding(file: string, error: unknown): DoctorFinding {
  const told = readError(file, error);
  if (!(told instanceof MtlsError)) throw told;
  return failed(told.code, file, told.message, told.hints[0] ?? null);
}

/** A command of ours about that workspace. */
export const ours = (command: string, workspace: string): string => `mtls ${command} --workspace ${shellWord(workspace)}`;
