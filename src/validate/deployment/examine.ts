import { oidName } from '../../pki/oids.js';
import { type Acceptance, judge } from './acceptance.js';
import { type DeploymentFinding, error } from './findings.js';
import type { Service } from './service.js';

/** All that is wrong with a service: its files, and its chain by its own CAs and CRLs, for each purpose that it is for. */
export function examine(service: Service, acceptance: Acceptance): readonly DeploymentFinding[] {
  return [...service.findings, ...chainFindings(service, acceptance)];
}

function chainFindings(service: Service, acceptance: Acceptance): DeploymentFinding[] {
  const { chain, roles, files, distrusts } = service;
  const leaf = chain[0];
  if (leaf === undefined || distrusts !== undefined) return [];
  const regard = acceptance.regard(service, service);
  const verdicts =
    roles.length === 0 ? [judge(regard.trust, service, { at: acceptance.at })] : roles.map((role) => regard.as(role).verdict);
  const purposes = (leaf.extendedKeyUsage ?? []).map(oidName).join(', ');
  const none =
    roles.length > 0 ? [] : [error('EXTENDED_KEY_USAGE', `expected serverAuth or clientAuth, found ${purposes}`, files.certificate)];
  const said = saidOfCrls(service);
  const found = verdicts.flatMap(({ errors }) => errors.filter(({ code }) => !said.has(code)));
  const all = [...none, ...found.map(({ code, message }) => error(code, message, files.certificate))];
  return [...new Map(all.map((finding) => [`${finding.code} ${finding.message}`, finding])).values()];
}

/** What was said of a CRL where it was read need not be said again of all that it is about. */
function saidOfCrls({ files, findings, hasAllCrls }: Service): ReadonlySet<string> {
  const said = findings.filter(({ file }) => files.crls.includes(file)).map(({ code }) => code);
  return new Set([...said, ...(hasAllCrls ? [] : ['CRL_NOT_FOUND'])]);
}
