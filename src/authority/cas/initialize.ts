import { type KeyObject, randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import { dirname, join, relative } from 'node:path';
import type { Clock } from '../../base/clock.js';
import { DAY } from '../../base/duration.js';
import { given } from '../../base/given.js';
import { TEMPORARY, havingDone, makeDirectory, removeQuietly, syncDirectory, writeError, writeNew } from '../../base/files.js';
import { MtlsError, shellWord, systemCode } from '../../errors.js';
import { type Certificate, fingerprint } from '../../pki/certificate.js';
import { type KeyType, pkcs8Of } from '../../pki/key.js';
import { labelOf } from '../../pki/name.js';
import type { WritableConstraints } from '../../pki/name-constraints-write.js';
import { pkcs8ToPem } from '../../pki/pbes2.js';
import { toPem } from '../../pki/pem.js';
import { caId, isWaiting, rootOf } from './cas.js';
import { FIRST_CRL_NUMBER, signWorkspaceCrl } from '../revocation/crl.js';
import { type LedgerEntry, newLedger } from '../ledger/ledger.js';
import { type NewCa, type NewCas, makeCas } from './make-cas.js';
import { serviceId } from '../../validate/identity.js';
import { constraintFault } from '../../validate/rules/name-constraints.js';
import { asTrustDomain } from '../names.js';
import {
  WORKSPACE_VERSION,
  type Workspace,
  type WorkspacePaths,
  type WorkspaceSettings,
  readSettings,
  workspacePaths,
} from '../workspace.js';

export const DEFAULT_TRUST_DOMAIN = 'cluster.local';
const DEFAULT_ROOT_VALIDITY = 3_650 * DAY;

export interface InitializeOptions {
  /** The workspace's directory itself, which must not exist yet. */
  readonly directory: string;
  readonly trustDomain?: string;
  readonly keyType?: KeyType;
  /** Milliseconds; ten years unless told otherwise. */
  readonly validity?: number;
  /** A second CA signs, so that the root's key can be kept elsewhere. */
  readonly issuingCa?: boolean;
  readonly constraints?: WritableConstraints;
  /** CAs that are there already, instead of new ones. */
  readonly taken?: NewCas;
  /** What the keys of the CAs are encrypted under. */
  readonly passphrase?: string;
  readonly crlUrl?: string;
  readonly ocspUrl?: string;
  readonly clock: Clock;
}

/**
 * Makes a workspace with its CAs and an empty CRL of each. It is built beside its place and put there by one rename: killed
 * at any instant, there is no workspace or a whole one. Throws WORKSPACE_EXISTS, WORKSPACE_INVALID or WORKSPACE_TOO_NEW when
 * something is there, VALUE_INVALID, or an error of writing.
 */
export function initializeWorkspace(options: InitializeOptions): { workspace: Workspace; root: Certificate } {
  const { directory, keyType = 'ecdsa-p256', validity = DEFAULT_ROOT_VALIDITY, issuingCa = false, constraints, clock } = options;
  const trustDomain = asTrustDomain(options.trustDomain ?? DEFAULT_TRUST_DOMAIN);
  if (constraints !== undefined) assertPermitted(trustDomain, constraints);
  const now = clock();
  const make = (): NewCas => options.taken ?? makeCas({ trustDomain, keyType, validity, issuingCa, ...given({ constraints }) }, now);
  const urls = given({ crlUrl: options.crlUrl, ocspUrl: options.ocspUrl });
  const settings: WorkspaceSettings = { version: WORKSPACE_VERSION, trustDomain, keyType, createdAt: now, ...urls };
  const workspace = buildWorkspace(directory, settings, (paths) => writeCas(paths, make(), now, options.passphrase));
  return { workspace, root: rootOf(workspace.paths).certificate };
}

/**
 * Makes a workspace of what `write` puts into its authority, which answers how the ledger begins. Throws as
 * `initializeWorkspace` does.
 */
export function buildWorkspace(directory: string, settings: WorkspaceSettings, write: (paths: WorkspacePaths) => LedgerEntry[]): Workspace {
  if (fs.existsSync(directory)) throw occupied(directory);
  const parent = dirname(directory);
  makeDirectory(parent);
  sweepOld(parent, settings.createdAt);
  const building = join(parent, `.mtls-${randomBytes(6).toString('hex')}.tmp`);
  try {
    writeWorkspace(building, settings, write);
    fs.renameSync(building, directory);
    havingDone({ done: 'the workspace is made', rest: 'mtls list' }, () => syncDirectory(parent));
  } catch (error) {
    removeQuietly(building);
    // another init was faster
    if (['ENOTEMPTY', 'EEXIST'].includes(systemCode(error) ?? '')) throw new MtlsError('WORKSPACE_EXISTS', { path: directory });
    throw writeError(directory, error);
  }
  return { paths: workspacePaths(directory), settings };
}

/** Why none can be made there: there is one, of this version or a newer one, or what is left of one. */
function occupied(directory: string): MtlsError {
  const paths = workspacePaths(directory);
  const { settings, root, ledger } = paths;
  if (!fs.statSync(directory).isDirectory())
    return new MtlsError('WORKSPACE_INVALID', { path: directory, problems: ['it is no directory'] });
  const missing = [settings, ...(isWaiting(paths) ? [] : [root.certificate]), ledger].filter((path) => !fs.existsSync(path));
  if (missing[0] !== settings) readSettings(settings, directory);
  if (missing.length === 0) return new MtlsError('WORKSPACE_EXISTS', { path: directory });
  const problems = [`the workspace there is damaged, without ${missing.map((path) => relative(directory, path)).join(', ')}`];
  const word = shellWord(directory);
  const isEmpty = fs.readdirSync(directory).length === 0;
  const remedies = isEmpty ? [`rmdir ${word}`] : [`ls -lR ${word}`, 'put what is missing back from a backup'];
  return new MtlsError('WORKSPACE_INVALID', { path: directory, problems, remedies });
}

function writeWorkspace(directory: string, settings: WorkspaceSettings, write: (paths: WorkspacePaths) => LedgerEntry[]): void {
  const paths = workspacePaths(directory);
  for (const path of [paths.directory, paths.authority, paths.services]) makeDirectory(path);
  const ledger = write(paths);
  writeNew(join(directory, '.gitignore'), '*\n', 0o600);
  writeNew(paths.ledger, newLedger(ledger), 0o600);
  writeNew(paths.settings, `${JSON.stringify(settings, null, 2)}\n`, 0o600);
  for (const path of [paths.services, paths.authority, paths.directory]) syncDirectory(path);
}

/** Writes what there is of all CAs, and answers what the ledger is to say of them. */
function writeCas(paths: WorkspacePaths, made: NewCas, now: Date, passphrase: string | undefined): LedgerEntry[] {
  const { cas, between, betweenCrls = [] } = made;
  const ledger = cas.flatMap((ca) => writeCa(paths, ca, now, passphrase));
  writeNew(paths.bundle, toPem('CERTIFICATE', cas[0]!.certificate.der), 0o644);
  if (between.length > 0) writeNew(paths.chain, pemOf('CERTIFICATE', between), 0o644);
  if (betweenCrls.length > 0) writeNew(paths.chainCrls, pemOf('X509 CRL', betweenCrls), 0o644);
  return ledger;
}

/** Several in one file. */
export const pemOf = (label: string, values: readonly { readonly der: Buffer }[]): string =>
  values.map(({ der }) => toPem(label, der)).join('');

/** Writes what there is of one CA, and answers what the ledger is to say of it. */
function writeCa(paths: WorkspacePaths, { stem, certificate, key, crl }: NewCa, now: Date, passphrase: string | undefined): LedgerEntry[] {
  const files = paths[stem];
  writeNew(files.certificate, toPem('CERTIFICATE', certificate.der), 0o644);
  const certified = caCertified(certificate, now);
  if (key === undefined) {
    if (crl !== undefined) writeNew(files.crl, toPem('X509 CRL', crl.der), 0o644);
    return [certified];
  }
  writeNew(files.key, caKeyPem(key, passphrase), 0o600);
  const first = signWorkspaceCrl({ certificate, key }, { number: FIRST_CRL_NUMBER, now, revoked: [] });
  writeNew(files.crl, toPem('X509 CRL', first.der), 0o644);
  return [certified, { event: 'crl', at: now, issuer: caId(certificate), number: FIRST_CRL_NUMBER }];
}

/** The key of a CA as it is kept. */
export const caKeyPem = (key: KeyObject, passphrase: string | undefined): string => pkcs8ToPem(pkcs8Of(key), passphrase);

/** What the ledger says of a certificate of a CA. */
export function caCertified(certificate: Certificate, at: Date, issuer = certificate.authorityKeyId ?? caId(certificate)): LedgerEntry {
  return {
    event: 'ca',
    at,
    serial: certificate.serial,
    issuer,
    key: caId(certificate),
    name: labelOf(certificate.subject),
    notBefore: new Date(certificate.notBefore),
    notAfter: new Date(certificate.notAfter),
    sha256: fingerprint(certificate),
  };
}

/** What the ledger says of a certificate that a CA has signed for its own errands. */
export const delegated = (certificate: Certificate, issuer: string, at: Date): LedgerEntry => ({
  event: 'delegated',
  at,
  serial: certificate.serial,
  issuer,
  name: labelOf(certificate.subject),
  notBefore: new Date(certificate.notBefore),
  notAfter: new Date(certificate.notAfter),
  sha256: fingerprint(certificate),
});

/** A CA that may not sign the names that its own services have by default is of no use. */
function assertPermitted(trustDomain: string, constraints: WritableConstraints): void {
  const problem = constraintFault({ uri: [serviceId(trustDomain, 'default', 'api')] }, constraints);
  if (problem === undefined) return;
  throw new MtlsError('VALUE_INVALID', {
    what: 'trust domain',
    found: trustDomain,
    expected: `one that the constraints allow: ${problem}`,
  });
}

/** What an `init` that was killed left beside the place: a minute old, no other `init` is still at it. */
function sweepOld(parent: string, now: Date): void {
  try {
    for (const name of fs.readdirSync(parent).filter((each) => TEMPORARY.test(each))) {
      const stat = fs.statSync(join(parent, name), { throwIfNoEntry: false });
      if (stat !== undefined && now.getTime() - stat.mtimeMs > 60_000) removeQuietly(join(parent, name));
    }
  } catch {
    // a directory that may be written and not read: what lies there is in nobody's way
  }
}
