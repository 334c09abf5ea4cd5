import type { Certificate } from '../../pki/certificate.js';
import { isoTime, serialText } from '../../pki/fields.js';
import { isCrlOf } from '../../validate/crl-faults.js';
import { readDeployment, servicesIn } from '../../validate/deployment/index.js';
import type { Service } from '../../validate/deployment/service.js';
import { type Ca, caId, casOf } from '../cas/cas.js';
import { readLedger, revocationsIn } from '../ledger/ledger.js';
import { type Workspace, serviceNames } from '../workspace.js';

/** Why a step of a rotation is not taken yet. Closed. */
export const BLOCKERS = {
  ROOT_NOT_TRUSTED: 'it does not trust the new root',
  CRL_MISSING: 'it asks for CRLs, and has none of a new CA: it would refuse everybody',
  NOT_TOLD: 'whether it trusts the new root could not be told',
  CERTIFICATE_ALIVE: 'a certificate below the old root is still alive',
  CERTIFICATE_IN_USE: 'it shows a certificate below the old root',
} as const satisfies Readonly<Record<string, string>>;

export interface Blocker {
  readonly code: keyof typeof BLOCKERS;
  readonly service: string;
  /** The file, the endpoint or the serial number that shows it. */
  readonly where: string;
  readonly remedy: string;
}

/** What a live service was seen to do, when it was shown a certificate of the new root. */
export interface SeenLive {
  readonly endpoint: string;
  /** `untold`: the same comes to whoever has a certificate of the old one. */
  readonly trustsNew: 'yes' | 'no' | 'untold';
  /** The serial number of its own certificate, where it showed one. */
  readonly serial: string | undefined;
}

/** Where services are that are not of this workspace's directory: trees of their files, and what was seen of those that run. */
export interface Elsewhere {
  readonly deployed: readonly string[];
  readonly live: readonly SeenLive[];
}

/** All that is in the way of the new CAs signing. */
export function toActivate(workspace: Workspace, next: readonly Ca[], elsewhere: Elsewhere, now: Date): Blocker[] {
  const services = [...here(workspace, now), ...elsewhere.deployed.flatMap((directory) => servicesAt(directory, now))];
  return [...services.flatMap((service) => distrustOf(service, next, workspace)), ...elsewhere.live.flatMap(seenBlockers)];
}

/** All that is in the way of the old CAs being trusted no more. */
export function toRetire(workspace: Workspace, old: readonly Ca[], elsewhere: Elsewhere, now: Date): Blocker[] {
  const ids = new Set(old.map(({ certificate }) => caId(certificate)));
  const deployed = elsewhere.deployed.flatMap((directory) => servicesAt(directory, now));
  const ledger = readLedger(workspace.paths.ledger);
  const revoked = revocationsIn(ledger);
  const issued = ledger.flatMap((entry) => (entry.event === 'issued' && ids.has(entry.issuer) ? [entry] : []));
  const alive = issued
    .filter(({ serial, notAfter }) => notAfter >= now && !revoked.has(serial))
    .map(({ name, serial, notAfter }): Blocker => {
      const remedy = `mtls renew ${name} --revoke-old, or wait until ${isoTime(notAfter)}`;
      return { code: 'CERTIFICATE_ALIVE', service: name, where: serialText(serial), remedy };
    });
  const below = new Set(issued.map(({ serial }) => serialText(serial)));
  const shown = elsewhere.live.filter(({ serial }) => serial !== undefined && below.has(serial));
  return [
    ...alive,
    ...deployed.flatMap((service) => [...inUse(service, ids, now), ...distrustOf(service, casOf(workspace.paths), workspace)]),
    ...shown.map(({ endpoint }): Blocker => ({ ...useOf(endpoint), where: endpoint })),
    ...elsewhere.live.flatMap(seenBlockers),
  ];
}

const useOf = (service: string): Blocker => ({
  ...{ code: 'CERTIFICATE_IN_USE', service, where: service },
  remedy: 'give it the certificate that mtls renew made',
});

function inUse({ name, chain: [leaf], files }: Service, old: ReadonlySet<string>, now: Date): Blocker[] {
  if (leaf === undefined || !old.has(leaf.authorityKeyId ?? '') || leaf.notAfter < now.getTime()) return [];
  return [{ ...useOf(name), where: files.certificate }];
}

/** The services of the workspace; a directory of none has none to say. */
const here = (workspace: Workspace, now: Date): readonly Service[] =>
  serviceNames(workspace).length === 0 ? [] : servicesAt(workspace.paths.services, now);

const servicesAt = (directory: string, now: Date): readonly Service[] => servicesIn(readDeployment(directory, now));

function distrustOf({ name, bundle, crls, hasAllCrls, files }: Service, cas: readonly Ca[], { paths }: Workspace): Blocker[] {
  const root = cas[0]!.certificate;
  const where = files.bundle ?? files.certificate;
  if (!bundle.some((each) => isSameKey(each, root)))
    return [{ code: 'ROOT_NOT_TRUSTED', service: name, where, remedy: `give it ${paths.bundle}` }];
  if (crls.length === 0 && hasAllCrls) return [];
  const missing = cas.filter(({ certificate }) => !crls.some((crl) => isCrlOf(crl, certificate)));
  return missing.map((ca): Blocker => {
    return { code: 'CRL_MISSING', service: name, where: files.crls[0] ?? where, remedy: `give it ${ca.paths.crl}` };
  });
}

const isSameKey = (one: Certificate, other: Certificate): boolean => one.publicKey.der.equals(other.publicKey.der);

function seenBlockers({ endpoint, trustsNew }: SeenLive): Blocker[] {
  if (trustsNew === 'yes') return [];
  const code = trustsNew === 'no' ? 'ROOT_NOT_TRUSTED' : 'NOT_TOLD';
  const remedy = trustsNew === 'no' ? 'give it bundle.pem of the workspace' : 'look at its files: --deployed DIR';
  return [{ code, service: endpoint, where: endpoint, remedy }];
}
