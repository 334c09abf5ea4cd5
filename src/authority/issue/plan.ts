import type { KeyObject } from 'node:crypto';
import * as fs from 'node:fs';
import { given } from '../../base/given.js';
import { MtlsError } from '../../errors.js';
import type { PublicKeyInfo } from '../../pki/algorithms.js';
import type { Certificate } from '../../pki/certificate.js';
import { type Csr, provesPossession } from '../../pki/csr.js';
import type { SubjectNames } from '../../pki/encode.js';
import type { KeyUsage } from '../../pki/extensions.js';
import { type KeyType, publicKeyInfo } from '../../pki/key.js';
import { readCertificates } from '../../pki/material.js';
import type { NameConstraints } from '../../pki/name-constraints.js';
import { labelOf } from '../../pki/name.js';
import { OID } from '../../pki/oids.js';
import { identityOf } from '../../validate/identity.js';
import { valueOf } from '../../validate/rules/extensions.js';
import { constraintFault } from '../../validate/rules/name-constraints.js';
import { casOf } from '../cas/cas.js';
import { asDnsName, asIpAddress, asLabel, asUri } from '../names.js';
import { type Granted, assertAsksNoMore } from '../policy/beyond.js';
import { type Policy, assertAllowed, keyTypeOf, readWorkspacePolicy, usualLife } from '../policy/policy.js';
import { type CertificateProfile, type ServiceIdentity, namesByProfile, readProfiles } from '../policy/profiles.js';
import { type Workspace, servicePaths } from '../workspace.js';

const DEFAULT_NAMESPACE = 'default';
const DEFAULT_PROFILE = 'peer';

/** What a service's certificate is to be. */
export interface IssueRequest {
  readonly name: string;
  readonly namespace?: string;
  readonly profile?: string;
  readonly dns?: readonly string[];
  readonly ip?: readonly string[];
  /** The one URI of the certificate, instead of the SPIFFE ID that the name gives. */
  readonly uri?: string;
  /** Exactly these names, instead of those that profile and service name give: they were granted before. */
  readonly names?: SubjectNames;
  /** Leave localhost, 127.0.0.1 and ::1 out. */
  readonly withoutLocalhost?: boolean;
  /** Milliseconds; as the profile has it unless told otherwise, and never beyond the issuer's end. */
  readonly validity?: number;
  readonly keyType?: KeyType;
  /** Take the public key from here; `path` is for errors. */
  readonly csr?: { readonly path: string; readonly request: Csr };
  /** Certify this public key, whose private key stays where it is. */
  readonly publicKey?: PublicKeyInfo;
  /** Use this private key again. */
  readonly key?: KeyObject;
  /** What the private key is to be under, where there is one to write. */
  readonly keyPassphrase?: string;
  /** The certificate that this one renews. */
  readonly renews?: Certificate;
}

/** A certificate that may be signed: nothing is left open, and nothing in it is forbidden by the CAs or by policy. */
export interface Plan {
  readonly name: string;
  readonly namespace: string;
  readonly profile: string;
  readonly subject: readonly (readonly [type: string, value: string])[];
  readonly names: SubjectNames;
  readonly extendedKeyUsage: readonly string[];
  /** Milliseconds from now on. */
  readonly life: number;
  readonly keyType: KeyType;
  /** What is to be certified, where that is there already; else a key is made. */
  readonly publicKey?: PublicKeyInfo;
  /** The private key, where it is to be used again. */
  readonly key?: KeyObject;
  readonly keyPassphrase?: string;
  readonly renews?: Certificate;
}

/** The constraints of the CAs that a certificate will stand under, each with the CA's name. */
interface Constrained {
  readonly by: string;
  readonly constraints: NameConstraints;
}

/** What requests are planned by: read once for all of them. */
export interface Planner {
  readonly workspace: Workspace;
  readonly constrained: readonly Constrained[];
  readonly policy: Policy | undefined;
  readonly profiles: ReadonlyMap<string, CertificateProfile>;
}

const profileOf = ({ profile = DEFAULT_PROFILE }: IssueRequest): string => profile;

/** Throws what is wrong with the certificates of the CAs, with the policy, or with a profile that is asked for. */
export async function plannerOf(workspace: Workspace, requests: readonly IssueRequest[], cas = casOf(workspace.paths)): Promise<Planner> {
  const { paths } = workspace;
  const constrained = cas.flatMap(({ certificate }) => {
    const constraints = valueOf(certificate, OID.nameConstraints);
    return constraints === undefined ? [] : [{ by: labelOf(certificate.subject), constraints }];
  });
  const policy = await readWorkspacePolicy(paths.policy);
  return { workspace, constrained, policy, profiles: await readProfiles(paths.profiles, requests.map(profileOf)) };
}

/** Everything about a request that can be wrong without looking at the CA's key. */
export function plan({ workspace, constrained, policy, profiles }: Planner, request: IssueRequest): Plan {
  const { trustDomain, keyType: usualKeyType } = workspace.settings;
  const service = { name: asLabel(request.name), namespace: asLabel(request.namespace ?? DEFAULT_NAMESPACE, 'namespace'), trustDomain };
  const { name, namespace } = service;
  const found = profiles.get(profileOf(request))!;
  const profile = request.withoutLocalhost === true ? { ...found, localhost: false } : found;
  const names = namesOf(request, profile, service, constrained);
  const { extendedKeyUsage, organization } = profile;
  const subject = [...(organization === undefined ? [] : [[OID.organizationName, organization] as const]), [OID.commonName, name] as const];
  const publicKey = publicKeyOf(request);
  if (publicKey !== undefined) assertStrong(publicKey);
  const granted = { subject, names, extendedKeyUsage };
  if (request.csr !== undefined) checkCsr(request.csr, granted);
  const keyType = request.keyType ?? usualKeyType;
  const life = request.validity ?? usualLife(profile, policy);
  const wanted = { ...service, ...names, profile: profile.name, life, subject, extendedKeyUsage };
  assertAllowed({ ...wanted, keyType: publicKey === undefined ? keyType : keyTypeOf(publicKey) }, policy, profile);
  assertNamespace(workspace, name, namespace);
  const { key, keyPassphrase, renews } = request;
  return { name, namespace, profile: profile.name, ...granted, life, keyType, ...given({ publicKey, key, keyPassphrase, renews }) };
}

function publicKeyOf({ csr, publicKey, key }: IssueRequest): PublicKeyInfo | undefined {
  return csr?.request.publicKey ?? publicKey ?? (key === undefined ? undefined : publicKeyInfo(key));
}

/** What somebody asked for must be permitted by the CAs; what a service is called by default is left out where it is not. */
function namesOf(
  request: IssueRequest,
  profile: CertificateProfile,
  service: ServiceIdentity,
  constrained: readonly Constrained[],
): SubjectNames {
  if (request.names !== undefined) {
    assertPermitted(service.name, request.names, constrained);
    return request.names;
  }
  const { usual, own } = namesByProfile(profile, service);
  const asked = {
    dns: [...own.dns, ...(request.dns ?? []).map(asDnsName)],
    ip: [...own.ip, ...(request.ip ?? []).map(asIpAddress)],
    uri: request.uri === undefined ? [...usual.uri, ...own.uri] : [asUri(request.uri)],
  };
  assertPermitted(service.name, asked, constrained);
  const isPermitted = (names: Partial<SubjectNames>): boolean =>
    constrained.every(({ constraints }) => constraintFault(names, constraints) === undefined);
  const dns = usual.dns.filter((each) => isPermitted({ dns: [each] }));
  // a CA for one domain: its services are called something there
  const instead = dns.length > 0 || asked.dns.length > 0 || usual.dns.length === 0 ? [] : domainsOf(constrained);
  const inDomain = instead.map((domain) => `${service.name}.${domain}`).filter((each) => isPermitted({ dns: [each] }));
  return {
    uri: asked.uri,
    dns: unique([...dns, ...inDomain, ...asked.dns]),
    ip: unique([...usual.ip.filter((each) => isPermitted({ ip: [each] })), ...asked.ip]),
  };
}

const domainsOf = (constrained: readonly Constrained[]): string[] =>
  constrained.flatMap(({ constraints }) =>
    constraints.permitted.flatMap((subtree) => (subtree.kind === 'dns' ? [subtree.base.replace(/^\./, '')] : [])),
  );

function assertPermitted(name: string, asked: SubjectNames, constrained: readonly Constrained[]): void {
  for (const { by, constraints } of constrained) {
    const problem = constraintFault(asked, constraints);
    if (problem !== undefined) throw new MtlsError('NAME_NOT_PERMITTED', { name, problem, by });
  }
}

/** A request must prove that it has its key, and may ask for nothing that is not granted. */
function checkCsr({ path, request }: NonNullable<IssueRequest['csr']>, granted: Omit<Granted, 'keyUsage'>): void {
  if (!provesPossession(request)) throw new MtlsError('CSR_SIGNATURE_INVALID', { path });
  assertAsksNoMore(path, request, { ...granted, keyUsage: keyUsageOf(request.publicKey) });
}

/** RSA keys may also be encrypted to, by TLS 1.2 suites without forward secrecy; others only sign, RSA-PSS too (RFC 4055 §1.2). */
export const keyUsageOf = (key: PublicKeyInfo): readonly KeyUsage[] =>
  key.algorithm.oid === OID.rsaEncryption ? ['digitalSignature', 'keyEncipherment'] : ['digitalSignature'];

function assertStrong({ type, bits }: PublicKeyInfo): void {
  if (type === 'RSA' ? bits >= 2048 : ['EC', 'Ed25519'].includes(type)) return;
  throw new MtlsError('KEY_TYPE_UNSUPPORTED', { found: `${type} ${bits}`, expected: 'EC, Ed25519 or RSA of at least 2048 bits' });
}

/** A service stays in the namespace that it is in. */
function assertNamespace(workspace: Workspace, name: string, asked: string): void {
  const current = currentCertificate(workspace, name);
  const found = current === undefined ? undefined : identityOf(current)?.namespace;
  if (found !== undefined && found !== asked) throw new MtlsError('SERVICE_NAMESPACE', { name, found, asked });
}

/** The certificate that a service has. */
export function currentCertificate(workspace: Workspace, name: string): Certificate | undefined {
  const path = servicePaths(workspace, name).certificate;
  return fs.existsSync(path) ? readCertificates(path)[0] : undefined;
}

const unique = (values: readonly string[]): string[] => [...new Set(values)];
