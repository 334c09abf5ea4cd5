import type { KeyObject } from 'node:crypto';
import * as fs from 'node:fs';
import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import type { Clock } from '../base/clock.js';
import { DAY } from '../base/duration.js';
import { type Staged, havingDone, readFileBounded, syncDirectory } from '../base/files.js';
import { MtlsError } from '../errors.js';
import type { PublicKeyInfo } from '../pki/algorithms.js';
import type { Certificate } from '../pki/certificate.js';
import { type Csr, provesPossession } from '../pki/csr.js';
import type { SubjectNames } from '../pki/encode.js';
import { type KeyType, generateKey, privateKeyToPem, publicKeyInfo } from '../pki/key.js';
import { readCertificates } from '../pki/material.js';
import { OID } from '../pki/oids.js';
import { toPem } from '../pki/pem.js';
import { type Signer, signCertificate } from '../pki/sign.js';
import { identityOf, serviceId } from '../validate/identity.js';
import { keepCrlFresh } from './crl.js';
import { type Issued, type Profile, appendLedger } from './ledger.js';
import { type Watcher, withLock } from './lock.js';
import { asDnsName, asIpAddress, asLabel, asUri } from './names.js';
import { stageServiceFiles } from './service-files.js';
import { type ServicePaths, type Workspace, readAuthority, servicePaths } from './workspace.js';

/** Certificates begin this long before they are made: clocks differ. */
export const BACKDATE = 5 * 60_000;
const DEFAULT_VALIDITY = 90 * DAY;
const DEFAULT_NAMESPACE = 'default';

/** What a service's certificate is to be. */
export interface IssueRequest {
  readonly name: string;
  readonly namespace?: string;
  readonly profile?: Profile;
  readonly dns?: readonly string[];
  readonly ip?: readonly string[];
  /** The one URI of the certificate, instead of the SPIFFE ID that the name gives. */
  readonly uri?: string;
  /** Leave localhost, 127.0.0.1 and ::1 out. */
  readonly withoutLocalhost?: boolean;
  /** Milliseconds; 90 days unless told otherwise, and never beyond the issuer's end. */
  readonly validity?: number;
  readonly keyType?: KeyType;
  /** Take the public key from here; `path` is for errors. */
  readonly csr?: { readonly path: string; readonly request: Csr };
}

/** What was issued. `replaced` is the certificate that stood there before and stays valid until it ends or is revoked. */
export interface IssueResult {
  readonly entry: Issued;
  readonly certificate: Certificate;
  readonly paths: ServicePaths;
  readonly names: SubjectNames;
  readonly keyless: boolean;
  readonly cappedByIssuer: boolean;
  readonly replaced: Certificate | undefined;
}

/**
 * Issues a certificate to each service and puts its files in place. First everything is checked, signed and on the disk,
 * then all of it stands in the ledger, then it is shown, service by service: killed at any instant, no certificate is
 * out that the ledger does not know, and no service has a key without its certificate. Interrupted before it stands in the
 * ledger, all is taken back (INTERRUPTED); after that it is brought to its end.
 */
export async function issueCertificates(
  workspace: Workspace,
  requests: readonly IssueRequest[],
  clock: Clock,
  watcher: Watcher = {},
): Promise<IssueResult[]> {
  const plans = requests.map((request) => plan(workspace, request));
  const names = new Set<string>();
  for (const { name } of plans) {
    if (names.has(name)) throw new MtlsError('USAGE', { problem: `${name} is named twice` });
    names.add(name);
  }
  const issue = async (): Promise<IssueResult[]> => {
    const authority = readAuthority(workspace);
    const now = clock();
    assertInForce(workspace, authority.certificate, plans, now);
    keepCrlFresh(workspace, authority, now);
    const bundle = readFileBounded(workspace.paths.bundle).toString('latin1');
    const current = plans.map((each) => currentCertificate(workspace, each));
    const breathe = breathing(plans.length, watcher);
    // in two loops: taking turns costs a tenth more
    const signed: SignedPlan[] = [];
    for (const [i, each] of plans.entries()) {
      await breathe('signing', i);
      signed.push(sign(workspace, authority, each, current[i], now));
    }
    const issued = signed.map(({ result }) => result);
    const staged: Staged[] = [];
    try {
      for (const [i, { certificate, key, result }] of signed.entries()) {
        await breathe('issuing', i);
        staged.push(stageServiceFiles(result.paths.directory, filesOf(certificate, key, bundle)));
      }
      await breathe('issuing', plans.length);
      syncDirectory(workspace.paths.services);
      appendLedger(
        workspace.paths.ledger,
        issued.map(({ entry }) => entry),
      );
    } catch (error) {
      for (const files of staged) files.discard();
      throw error;
    }
    await show(staged, issued, watcher);
    return issued;
  };
  return withLock(workspace.paths.lock, issue, watcher);
}

/** Milliseconds for which nothing else is heard. */
const BREATH = 50;

/** What lets signals and timers have their turn from time to time, and before the first and after the last. It throws INTERRUPTED. */
function breathing(of: number, { signal, tell }: Watcher): (what: string, done: number) => Promise<void> {
  let last = 0;
  return async (what, done) => {
    if (done > 0 && done < of && performance.now() - last < BREATH) return;
    tell?.(of === 1 ? what : `${what} ${inThousands(done)} of ${inThousands(of)}`);
    await setImmediate();
    last = performance.now();
    if (signal?.aborted === true) throw new MtlsError('INTERRUPTED', {});
  };
}

const inThousands = (count: number): string => String(count).replace(/\B(?=(?:\d{3})+$)/g, ',');

/** Puts files in place of which the ledger knows: all that can be, though some cannot. */
async function show(staged: readonly Staged[], issued: readonly IssueResult[], { tell }: Watcher): Promise<void> {
  // a signal changes nothing any more; a second one must be heard
  const breathe = breathing(staged.length, tell === undefined ? {} : { tell });
  const failed: { readonly name: string; readonly error: unknown }[] = [];
  for (const [i, files] of staged.entries()) {
    await breathe('putting in place', i);
    try {
      files.commit();
    } catch (error) {
      failed.push({ name: issued[i]!.entry.name, error });
    }
  }
  if (failed.length === 0) return;
  const shown = staged.length - failed.length;
  const done = `the ledger has the certificates already, and the files of ${shown} of ${staged.length} services are in place`;
  havingDone({ done, rest: `issue again: ${failed.map(({ name }) => name).join(' ')}` }, () => {
    throw failed[0]!.error;
  });
}

function assertInForce({ paths }: Workspace, { notBefore, notAfter }: Certificate, plans: readonly Plan[], now: Date): void {
  if (now.getTime() > notAfter)
    throw new MtlsError('ISSUER_EXPIRED', { notAfter: new Date(notAfter).toISOString(), now: now.toISOString() });
  // a clock that is far behind: certificates would end before their issuer begins
  const ends = plans.map(({ validity = DEFAULT_VALIDITY }) => now.getTime() + validity);
  if (ends.every((end) => end > notBefore)) return;
  throw new MtlsError('CERTIFICATE_NOT_IN_FORCE', {
    path: paths.rootCertificate,
    notBefore: new Date(notBefore).toISOString(),
    notAfter: new Date(notAfter).toISOString(),
    now: now.toISOString(),
  });
}

interface Plan extends IssueRequest {
  readonly namespace: string;
  readonly profile: Profile;
  readonly names: SubjectNames;
}

/** Everything about a request that can be wrong without looking at the CA. */
function plan(workspace: Workspace, request: IssueRequest): Plan {
  const name = asLabel(request.name);
  const namespace = asLabel(request.namespace ?? DEFAULT_NAMESPACE, 'namespace');
  const profile = request.profile ?? 'peer';
  const local = profile === 'client' || request.withoutLocalhost === true;
  const names: SubjectNames = {
    uri: [request.uri === undefined ? serviceId(workspace.settings.trustDomain, namespace, name) : asUri(request.uri)],
    dns: unique([
      name,
      `${name}.${namespace}.svc`,
      `${name}.${namespace}.svc.cluster.local`,
      ...(local ? [] : ['localhost']),
      ...(request.dns ?? []).map(asDnsName),
    ]),
    ip: unique([...(local ? [] : ['127.0.0.1', '::1']), ...(request.ip ?? []).map(asIpAddress)]),
  };
  if (request.csr !== undefined) checkCsr(request.csr, names);
  return { ...request, name, namespace, profile, names };
}

/** A request must prove that it has its key, and may ask for nothing that was not granted. */
function checkCsr({ path, request }: NonNullable<IssueRequest['csr']>, granted: SubjectNames): void {
  if (!provesPossession(request)) throw new MtlsError('CSR_SIGNATURE_INVALID', { path });
  const { type, bits } = request.publicKey;
  if (type === 'RSA' ? bits < 2048 : !['EC', 'Ed25519'].includes(type))
    throw new MtlsError('KEY_TYPE_UNSUPPORTED', { found: `${type} ${bits}`, expected: 'EC, Ed25519 or RSA of at least 2048 bits' });
  const asked = request.subjectAltName;
  const beyond = (['dns', 'ip', 'uri'] as const).flatMap((kind) =>
    asked[kind]
      .filter((name) => !granted[kind].includes(name.toLowerCase()) && !granted[kind].includes(name))
      .map((name) => ({ flag: `--${kind} ${name}`, name })),
  );
  const other = [...asked.email, ...asked.directory.map(() => 'a directory name'), ...asked.other.map((tag) => `a name of kind [${tag}]`)];
  if (beyond.length === 0 && other.length === 0) return;
  throw new MtlsError('CSR_NAMES_NOT_ASKED', {
    path,
    names: [...beyond.map(({ name }) => name), ...other],
    flags: beyond.map(({ flag }) => flag),
    never: other,
  });
}

interface SignedPlan {
  readonly certificate: Certificate;
  readonly key: KeyObject | undefined;
  readonly result: IssueResult;
}

function sign(workspace: Workspace, authority: Signer, each: Plan, replaced: Certificate | undefined, now: Date): SignedPlan {
  const { name, namespace, profile, names, csr, keyType = workspace.settings.keyType, validity = DEFAULT_VALIDITY } = each;
  const paths = servicePaths(workspace, name);
  const key = csr === undefined ? generateKey(keyType) : undefined;
  const publicKey = csr === undefined ? publicKeyInfo(key!) : csr.request.publicKey;
  const wantedEnd = now.getTime() + validity;
  const certificate = signCertificate(
    {
      subject: [[OID.commonName, name]],
      publicKey,
      notBefore: new Date(Math.max(now.getTime() - BACKDATE, authority.certificate.notBefore)),
      notAfter: new Date(Math.min(wantedEnd, authority.certificate.notAfter)),
      keyUsage: keyUsageOf(publicKey),
      extendedKeyUsage: PURPOSES[profile],
      names,
    },
    authority,
  );
  const entry: Issued = {
    event: 'issued',
    at: now,
    serial: certificate.serial,
    name,
    namespace,
    profile,
    uri: names.uri[0]!,
    notBefore: new Date(certificate.notBefore),
    notAfter: new Date(certificate.notAfter),
    sha256: createHash('sha256').update(certificate.der).digest('hex'),
  };
  const cappedByIssuer = wantedEnd > authority.certificate.notAfter;
  return { certificate, key, result: { entry, certificate, paths, names, keyless: csr !== undefined, cappedByIssuer, replaced } };
}

const PURPOSES: Readonly<Record<Profile, readonly string[]>> = {
  server: [OID.serverAuth],
  client: [OID.clientAuth],
  peer: [OID.serverAuth, OID.clientAuth],
};

/** RSA keys may also be encrypted to, by TLS 1.2 suites without forward secrecy; others only sign, RSA-PSS too (RFC 4055 §1.2). */
const keyUsageOf = (key: PublicKeyInfo) =>
  key.algorithm.oid === OID.rsaEncryption ? (['digitalSignature', 'keyEncipherment'] as const) : (['digitalSignature'] as const);

/** The certificate that a service has, which must be of the namespace that is asked for. */
function currentCertificate(workspace: Workspace, { name, namespace: asked }: Plan): Certificate | undefined {
  const path = servicePaths(workspace, name).certificate;
  const current = fs.existsSync(path) ? readCertificates(path)[0] : undefined;
  const found = current === undefined ? undefined : identityOf(current)?.namespace;
  if (found !== undefined && found !== asked) throw new MtlsError('SERVICE_NAMESPACE', { name, found, asked });
  return current;
}

function filesOf(certificate: Certificate, key: KeyObject | undefined, bundle: string) {
  const files = { 'tls.crt': toPem('CERTIFICATE', certificate.der), 'ca.crt': bundle };
  return key === undefined ? files : { ...files, 'tls.key': privateKeyToPem(key) };
}

const unique = (values: readonly string[]): string[] => [...new Set(values)];
