import { ERRORS, type ErrorCode, MtlsError } from '../../errors.js';
import { FINDINGS, type FindingCode } from '../findings.js';

/** What can be wrong with deployed files beside what the validator finds and what cannot be read. Closed. */
export const DEPLOYMENT_FINDINGS = {
  CHAIN_ORDER: { meaning: 'a chain whose certificates do not each certify the one before', source: 'RFC 5246 §7.4.2' },
  BUNDLE_NOT_FOUND: { meaning: 'a service with no trusted CAs beside it or above it', source: null },
  TREE_LIMIT: { meaning: 'more files or directories than are looked at', source: null },
  NOT_ALLOWED: { meaning: 'no line of the policy lets this client talk to this server', source: null },
  ENDS_SOON: { meaning: 'ends within the time that --forecast gives, and takes something down', source: null },
  POLICY_UNMATCHED: { meaning: 'a line of the policy that is about no service here', source: null },
} as const satisfies Readonly<Record<string, DeploymentRule>>;

/** What a code means, and where that is written. */
interface DeploymentRule {
  readonly meaning: string;
  readonly source: string | null;
}

/** The code of a finding about a deployment; stable, part of the contract. */
export type DeploymentCode = keyof typeof DEPLOYMENT_FINDINGS | FindingCode | ErrorCode;

/** One thing that is wrong, and the file that it is wrong in. */
export interface DeploymentFinding {
  readonly code: DeploymentCode;
  /** `warning`: nothing is refused for it today. */
  readonly severity: 'error' | 'warning';
  readonly message: string;
  readonly file: string;
}

const RULES: Readonly<Record<string, DeploymentRule | undefined>> = { ...FINDINGS, ...DEPLOYMENT_FINDINGS };
const REASONS: Readonly<Record<string, { readonly when: string } | undefined>> = ERRORS;

/** The rule behind a code. */
export const deploymentRule = (code: string): DeploymentRule => RULES[code] ?? { meaning: REASONS[code]?.when ?? code, source: null };

export const error = (code: DeploymentCode, message: string, file: string): DeploymentFinding => ({
  code,
  severity: 'error',
  message,
  file,
});

export const warning = (code: DeploymentCode, message: string, file: string): DeploymentFinding => ({
  ...{ code, severity: 'warning', message, file },
});

/** What `read` yields; what is wrong with the file becomes a finding. */
export function reading<T>(file: string, findings: DeploymentFinding[], read: () => T): T | undefined {
  try {
    return read();
  } catch (thrown) {
    if (!(thrown instanceof MtlsError)) throw thrown;
    findings.push(error(thrown.code, thrown.message, file));
    return undefined;
  }
}
