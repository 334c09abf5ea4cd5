import { shellWord } from '../../errors.js';
import { type Deployment, readDeployment } from '../../validate/deployment/deployment.js';
import type { DeploymentFinding } from '../../validate/deployment/findings.js';
import { type DoctorFinding, asFinding, found } from './findings.js';

/** A tree of deployed services, each by its own files: key, chain, bundle, CRLs. `remedyOf` mends what concerns a service's own files. */
export function checkDeployed(
  directory: string,
  now: Date,
  remedyOf: (service: string) => string | null,
): { readonly findings: DoctorFinding[]; readonly keys: readonly string[] } {
  let deployment: Deployment;
  try {
    deployment = readDeployment(directory, now);
  } catch (error) {
    return { findings: [asFinding(directory, error)], keys: [] };
  }
  const { services, findings } = deployment;
  return {
    findings: [
      ...findings.map((finding) => asDoctors(finding, `ls -la ${shellWord(directory)}`)),
      ...services.flatMap(({ service, findings: own }) => own.map((finding) => asDoctors(finding, remedyOf(service.name)))),
    ],
    keys: services.map(({ service }) => service.files.key),
  };
}

function asDoctors({ code, severity, message, file }: DeploymentFinding, remedy: string | null): DoctorFinding {
  if (code === 'FILE_MODE_TOO_OPEN') return found('MODE_TOO_OPEN', file, message, `chmod 0600 ${shellWord(file)}`);
  if (code === 'KEY_ENCRYPTED')
    return found('SERVICE_KEY_ENCRYPTED', file, message, `mtls inspect ${shellWord(file)} --passphrase-file FILE`);
  return { code, severity, message, file, remedy };
}
