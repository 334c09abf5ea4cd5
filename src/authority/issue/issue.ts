import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { type Clock, uptime } from '../../base/clock.js';
import { type Staged, havingDone, readFileBounded, syncDirectory } from '../../base/files.js';
import { given } from '../../base/given.js';
import { MtlsError } from '../../errors.js';
import type { Certificate } from '../../pki/certificate.js';
import type { SubjectNames } from '../../pki/encode.js';
import { isPkcs8Of, keyPairOf, newKeyPair } from '../../pki/key-write.js';
import { pkcs8ToPem } from '../../pki/pbes2.js';
import { toPem } from '../../pki/pem.js';
import { signCertificate } from '../../pki/sign.js';
import { verify } from '../../validate/verify.js';
import { type SigningCa, askAhead, caId, casOf, chainOf, everyCaOf, openCas } from '../cas/cas.js';
import { keepCrlsFresh } from '../revocation/crl.js';
import { type Issued, appendLedger, currentUser } from '../ledger/ledger.js';
import { type Watcher, withLock } from '../lock.js';
import { type IssueRequest, type Plan, currentCertificate, keyUsageOf, plan, plannerOf } from './plan.js';
import { stageServiceFiles } from '../service-files.js';
import { type ServicePaths, type Workspace, crlUrlsOf, servicePaths } from '../workspace.js';

/** Certificates begin this long before they are made: clocks differ. */
export const BACKDATE = 5 * 60_000;

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
  const before = casOf(workspace.paths);
  const planner = await plannerOf(workspace, requests, before);
  const plans = requests.map((request) => plan(planner, request));
  const names = new Set<string>();
  for (const { name } of plans) {
    if (names.has(name)) throw new MtlsError('USAGE', { problem: `${name} is named twice` });
    names.add(name);
  }
  await askAhead(workspace, before.slice(-1));
  const issue = async (): Promise<IssueResult[]> => {
    const all = casOf(workspace.paths);
    const cas = await openCas(workspace, everyCaOf(workspace.paths, all), 'issuer');
    const issuer = { ca: cas.at(-1)!, chain: chainOf(workspace.paths, all), root: all[0].certificate };
    const now = clock();
    assertInForce(issuer.ca, plans, now);
    keepCrlsFresh(workspace, cas, now);
    const bundle = readFileBounded(workspace.paths.bundle).toString('latin1');
    const current = plans.map(({ name }) => currentCertificate(workspace, name));
    const breathe = breathing(plans.length, watcher);
    // in two loops: taking turns costs a tenth more
    const signed: SignedPlan[] = [];
    for (const [i, each] of plans.entries()) {
      await breathe('signing', i);
      const one = sign(workspace, issuer.ca, each, current[i], now);
      assertGood(one, issuer, now);
      signed.push(one);
    }
    const issued = signed.map(({ result }) => result);
    const staged: Staged[] = [];
    try {
      const chain = issuer.chain.map(({ der }) => toPem('CERTIFICATE', der)).join('');
      for (const [i, { certificate, pkcs8, keyPassphrase, result }] of signed.entries()) {
        await breathe('issuing', i);
        const files = { 'tls.crt': `${toPem('CERTIFICATE', certificate.der)}${chain}`, 'ca.crt': bundle };
        const key = given({ 'tls.key': pkcs8 && pkcs8ToPem(pkcs8, keyPassphrase) });
        staged.push(stageServiceFiles(result.paths.directory, { ...files, ...key }));
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
    if (done > 0 && done < of && uptime() - last < BREATH) return;
    tell?.(of === 1 ? what : `${what} ${inThousands(done)} of ${inThousands(of)}`);
    await setImmediate();
    last = uptime();
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

function assertInForce({ paths, certificate: { notBefore, notAfter } }: SigningCa, plans: readonly Plan[], now: Date): void {
  if (now.getTime() > notAfter)
    throw new MtlsError('ISSUER_EXPIRED', { notAfter: new Date(notAfter).toISOString(), now: now.toISOString() });
  // a clock that is far behind: certificates would end before their issuer begins
  const ends = plans.map(({ life }) => now.getTime() + life);
  if (ends.every((end) => end > notBefore)) return;
  throw new MtlsError('CERTIFICATE_NOT_IN_FORCE', {
    path: paths.certificate,
    notBefore: new Date(notBefore).toISOString(),
    notAfter: new Date(notAfter).toISOString(),
    now: now.toISOString(),
  });
}

interface SignedPlan {
  readonly certificate: Certificate;
  readonly pkcs8: Buffer | undefined;
  readonly keyPassphrase: string | undefined;
  readonly result: IssueResult;
}

function sign(workspace: Workspace, issuer: SigningCa, each: Plan, replaced: Certificate | undefined, now: Date): SignedPlan {
  const { name, namespace, profile, subject, names, extendedKeyUsage, keyType, life } = each;
  const paths = servicePaths(workspace, name);
  const pair = each.publicKey === undefined ? newKeyPair(keyType) : each.key && keyPairOf(each.key);
  const publicKey = each.publicKey ?? pair!.publicKey;
  const wantedEnd = now.getTime() + life;
  const certificate = signCertificate(
    {
      subject,
      publicKey,
      notBefore: new Date(Math.max(now.getTime() - BACKDATE, issuer.certificate.notBefore)),
      notAfter: new Date(Math.min(wantedEnd, issuer.certificate.notAfter)),
      keyUsage: keyUsageOf(publicKey),
      extendedKeyUsage,
      names,
      ...placesOf(workspace, issuer),
    },
    issuer,
  );
  const entry: Issued = {
    event: 'issued',
    at: now,
    by: currentUser(),
    serial: certificate.serial,
    issuer: caId(issuer.certificate),
    name,
    namespace,
    profile,
    uri: names.uri[0] ?? '',
    dns: names.dns,
    ip: names.ip,
    notBefore: new Date(certificate.notBefore),
    notAfter: new Date(certificate.notAfter),
    sha256: createHash('sha256').update(certificate.der).digest('hex'),
    ...given({ renews: each.renews?.serial }),
  };
  const cappedByIssuer = wantedEnd > issuer.certificate.notAfter;
  return {
    certificate,
    pkcs8: pair?.pkcs8,
    keyPassphrase: each.keyPassphrase,
    result: { entry, certificate, paths, names, keyless: pair === undefined, cappedByIssuer, replaced },
  };
}

/** Where it is told whether a certificate was revoked. */
function placesOf({ settings }: Workspace, { paths }: SigningCa) {
  return { crlUrls: crlUrlsOf(settings, paths), ocspUrls: settings.ocspUrl === undefined ? [] : [settings.ocspUrl] };
}

interface Issuer {
  readonly ca: SigningCa;
  readonly chain: readonly Certificate[];
  readonly root: Certificate;
}

/** Nothing is let out that a careful peer would refuse: the chain holds, and the key is that of the certificate. */
function assertGood({ certificate, pkcs8, result }: SignedPlan, { chain, root }: Issuer, now: Date): void {
  const { name } = result.entry;
  if (pkcs8 !== undefined && !isPkcs8Of(pkcs8, certificate.publicKey))
    throw new MtlsError('ISSUED_NOT_GOOD', { name, problems: ['its key is not that of its certificate'] });
  const { valid, errors } = verify({ leaf: certificate, intermediates: chain, roots: [root], crls: [], at: now });
  if (!valid) throw new MtlsError('ISSUED_NOT_GOOD', { name, problems: errors.map(({ code, message }) => `${code} ${message}`) });
}
