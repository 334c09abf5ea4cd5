import * as fs from 'node:fs';
import { shellWord } from '../../errors.js';
import { type Certificate, isSelfSigned } from '../../pki/certificate.js';
import { isoTime, serialText } from '../../pki/fields.js';
import { isSameName, labelOf } from '../../pki/name.js';
import { crlFault, isCrlOf } from '../../validate/crl-faults.js';
import { judge } from '../../validate/deployment/acceptance.js';
import { readDeployment, servicesIn } from '../../validate/deployment/index.js';
import type { Service } from '../../validate/deployment/service.js';
import { type Ca, caId, casOf } from '../cas/cas.js';
import { currentCertificate } from '../issue/plan.js';
import { type Issued, readLedger, revocationsIn } from '../ledger/ledger.js';
import { type Workspace, serviceNames, servicePaths } from '../workspace.js';

/** Why a step of a rotation is not taken yet. Closed. */
export const BLOCKERS = {
  CA_NOT_IN_FORCE: 'a new CA has ended, or has not begun',
  ROOT_NOT_TRUSTED: 'it does not trust the new root',
  CRL_MISSING: 'it asks for CRLs, and has none of a new CA that is in force: it would refuse everybody',
  NOT_TOLD: 'whether it trusts the new root could not be told',
  CERTIFICATE_ALIVE: 'a certificate below the old root is still alive',
  CERTIFICATE_IN_USE: 'it shows a certificate below the old root',
} as const satisfies Readonly<Record<string, string>>;

export interface Blocker {
  readonly code: keyof typeof BLOCKERS;
  /** The service, or the CA. */
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
  /** Is its own certificate good for who trusts the new root alone? Undefined when it showed none. */
  readonly isBelowNew: boolean | undefined;
}

/** Where services are that are not of this workspace's directory: trees of their files, and what was seen of those that run. */
export interface Elsewhere {
  readonly deployed: readonly string[];
  readonly live: readonly SeenLive[];
}

/** The CAs that a service must know, and where it gets them from. */
export interface Wanted {
  /** The root first; `crl` is where its CRL stands. */
  readonly cas: readonly { readonly certificate: Certificate; readonly crl: string }[];
  readonly bundle: string;
}

/** All that is in the way of the new CAs signing. */
export function toActivate(workspace: Workspace, next: readonly Ca[], elsewhere: Elsewhere, now: Date): Blocker[] {
  const services = [...here(workspace, now), ...elsewhere.deployed.flatMap((directory) => servicesAt(directory, now))];
  const wanted = wantedOf(workspace, next);
  return [
    ...next.filter(({ certificate }) => !isInForce(certificate, now)).map(notInForce),
    ...services.flatMap((service) => distrustOf(service, wanted, now)),
    ...elsewhere.live.flatMap(seenBlockers),
  ];
}

const wantedOf = ({ paths: { bundle } }: Workspace, cas: readonly Ca[]): Wanted => ({
  cas: cas.map(({ certificate, paths: { crl } }) => ({ certificate, crl })),
  bundle,
});

const isInForce = ({ notBefore, notAfter }: Certificate, now: Date): boolean => notBefore <= now.getTime() && now.getTime() <= notAfter;

const notInForce = ({ certificate, paths }: Ca): Blocker => ({
  ...{ code: 'CA_NOT_IN_FORCE', service: labelOf(certificate.subject), where: paths.certificate },
  remedy: 'mtls authority rotate cancel, and prepare another one',
});

/** All that is in the way of the old CAs being trusted no more. */
export function toRetire(workspace: Workspace, old: readonly Ca[], elsewhere: Elsewhere, now: Date): Blocker[] {
  const [from, to] = [old[0]!.certificate, casOf(workspace.paths)];
  const deployed = elsewhere.deployed.flatMap((directory) => servicesAt(directory, now));
  const wanted = wantedOf(workspace, to);
  return [
    ...alive(workspace, new Set(old.map(({ certificate }) => caId(certificate))), now),
    ...deployed.flatMap((service) => [...inUse(service, from, to[0].certificate, now), ...distrustOf(service, wanted, now)]),
    ...elsewhere.live.filter(({ isBelowNew }) => isBelowNew === false).map(({ endpoint }) => useOf(endpoint, endpoint)),
    ...elsewhere.live.flatMap(seenBlockers),
  ];
}

/** Of which the ledger knows; one on hold may come back. */
function alive(workspace: Workspace, old: ReadonlySet<string>, now: Date): Blocker[] {
  const ledger = readLedger(workspace.paths.ledger);
  const revoked = revocationsIn(ledger);
  const isAlive = ({ serial, notAfter }: Issued): boolean =>
    notAfter >= now && (revoked.get(serial)?.reason ?? 'certificateHold') === 'certificateHold';
  return ledger
    .flatMap((entry) => (entry.event === 'issued' && old.has(entry.issuer) && isAlive(entry) ? [entry] : []))
    .map((entry): Blocker => {
      const { name, serial, notAfter } = entry;
      const remedy = `${remedyFor(workspace, entry)}, or wait until ${isoTime(notAfter)}`;
      return { code: 'CERTIFICATE_ALIVE', service: name, where: serialText(serial), remedy };
    });
}

/** What its service shows is renewed; what it showed once is revoked. */
function remedyFor(workspace: Workspace, { name, serial }: Issued): string {
  const { key } = servicePaths(workspace, name);
  if (currentCertificate(workspace, name)?.serial !== serial) return `mtls revoke ${serialText(serial)} --reason superseded`;
  if (fs.existsSync(key)) return `mtls renew ${shellWord(name)} --revoke-old`;
  return `mtls issue ${shellWord(name)} --csr FILE, then mtls revoke ${serialText(serial)} --reason superseded`;
}

const useOf = (service: string, where: string): Blocker => ({
  ...{ code: 'CERTIFICATE_IN_USE', service, where },
  remedy: 'give it the certificate that mtls renew made',
});

/** What it shows leads to the old root, and not to the new one. */
function inUse(service: Service, old: Certificate, root: Certificate, now: Date): Blocker[] {
  const { name, chain, files } = service;
  if (chain[0] === undefined || chain[0].notAfter < now.getTime()) return [];
  const leadsTo = (trusted: Certificate): boolean =>
    judge({ roots: [trusted], crls: [], revocation: 'when given' }, service, { at: now }).valid;
  return leadsTo(old) && !leadsTo(root) ? [useOf(name, files.certificate)] : [];
}

/** The services of the workspace; a directory of none has none to say. */
const here = (workspace: Workspace, now: Date): readonly Service[] =>
  serviceNames(workspace).length === 0 ? [] : servicesAt(workspace.paths.services, now);

const servicesAt = (directory: string, now: Date): readonly Service[] => servicesIn(readDeployment(directory, now));

/** What a service lacks to accept what the new CAs sign. */
export function distrustOf({ name, bundle, crls, hasAllCrls, files }: Service, { cas, bundle: source }: Wanted, now: Date): Blocker[] {
  const root = cas[0]!.certificate;
  const where = files.bundle ?? files.certificate;
  if (!bundle.some((each) => isSameRoot(each, root)))
    return [{ code: 'ROOT_NOT_TRUSTED', service: name, where, remedy: `give it ${source}` }];
  if (crls.length === 0 && hasAllCrls) return [];
  const missing = cas.filter(
    ({ certificate }) =>
      isInForce(certificate, now) &&
      !crls.some((crl) => isCrlOf(crl, certificate) && crlFault(crl, certificate, { at: now }) === undefined),
  );
  return missing.map(({ crl }): Blocker => ({
    code: 'CRL_MISSING',
    service: name,
    where: files.crls[0] ?? where,
    remedy: `give it ${crl}`,
  }));
}

/** Its certificate may have been renewed; what another root has signed for its key is no root. */
const isSameRoot = (one: Certificate, root: Certificate): boolean =>
  one.der.equals(root.der) || (one.publicKey.der.equals(root.publicKey.der) && isSameName(one.subject, root.subject) && isSelfSigned(one));

function seenBlockers({ endpoint, trustsNew }: SeenLive): Blocker[] {
  if (trustsNew === 'yes') return [];
  const code = trustsNew === 'no' ? 'ROOT_NOT_TRUSTED' : 'NOT_TOLD';
  const remedy = trustsNew === 'no' ? 'give it bundle.pem of the workspace' : 'look at its files: --deployed DIR';
  return [{ code, service: endpoint, where: endpoint, remedy }];
}
