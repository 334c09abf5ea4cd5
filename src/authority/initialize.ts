import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import { dirname, join, relative } from 'node:path';
import type { Clock } from '../base/clock.js';
import { DAY } from '../base/duration.js';
import { TEMPORARY, havingDone, makeDirectory, removeQuietly, syncDirectory, writeError, writeNew } from '../base/files.js';
import { toHex } from '../base/bytes.js';
import { MtlsError, shellWord, systemCode } from '../errors.js';
import type { Certificate } from '../pki/certificate.js';
import { type KeyType, generateKey, keyIdentifier, privateKeyToPem, publicKeyInfo } from '../pki/key.js';
import { OID } from '../pki/oids.js';
import { toPem } from '../pki/pem.js';
import { type Signer, signCertificate } from '../pki/sign.js';
import { FIRST_CRL_NUMBER, signWorkspaceCrl } from './crl.js';
import { BACKDATE } from './issue.js';
import { asTrustDomain } from './names.js';
import { WORKSPACE_VERSION, type Workspace, type WorkspaceSettings, readSettings, workspacePaths } from './workspace.js';

export const DEFAULT_TRUST_DOMAIN = 'cluster.local';
const DEFAULT_ROOT_VALIDITY = 3_650 * DAY;

export interface InitializeOptions {
  /** The workspace's directory itself, which must not exist yet. */
  readonly directory: string;
  readonly trustDomain?: string;
  readonly keyType?: KeyType;
  /** Milliseconds; ten years unless told otherwise. */
  readonly validity?: number;
  readonly clock: Clock;
}

/**
 * Makes a workspace with a root CA and an empty CRL. It is built beside its place and put there by one rename: killed at
 * any instant, there is no workspace or a whole one. Throws WORKSPACE_EXISTS, WORKSPACE_INVALID or WORKSPACE_TOO_NEW when
 * something is there, VALUE_INVALID, or an error of writing.
 */
export function initializeWorkspace(options: InitializeOptions): { workspace: Workspace; root: Certificate } {
  const { directory, keyType = 'ecdsa-p256', validity = DEFAULT_ROOT_VALIDITY, clock } = options;
  const trustDomain = asTrustDomain(options.trustDomain ?? DEFAULT_TRUST_DOMAIN);
  if (fs.existsSync(directory)) throw occupied(directory);
  const now = clock();
  const root = makeRoot(trustDomain, keyType, now, validity);
  const settings: WorkspaceSettings = { version: WORKSPACE_VERSION, trustDomain, keyType, createdAt: now };

  const parent = dirname(directory);
  makeDirectory(parent);
  sweepOld(parent, now);
  const building = join(parent, `.mtls-${randomBytes(6).toString('hex')}.tmp`);
  try {
    writeWorkspace(building, settings, root, now);
    fs.renameSync(building, directory);
    havingDone({ done: 'the workspace is made', rest: 'mtls list' }, () => syncDirectory(parent));
  } catch (error) {
    removeQuietly(building);
    // another init was faster
    if (['ENOTEMPTY', 'EEXIST'].includes(systemCode(error) ?? '')) throw new MtlsError('WORKSPACE_EXISTS', { path: directory });
    throw writeError(directory, error);
  }
  return { workspace: { paths: workspacePaths(directory), settings }, root: root.certificate };
}

/** Why none can be made there: there is one, of this version or a newer one, or what is left of one. */
function occupied(directory: string): MtlsError {
  const { settings, rootCertificate, rootKey, ledger } = workspacePaths(directory);
  if (!fs.statSync(directory).isDirectory())
    return new MtlsError('WORKSPACE_INVALID', { path: directory, problems: ['it is no directory'] });
  const missing = [settings, rootCertificate, rootKey, ledger].filter((path) => !fs.existsSync(path));
  if (missing[0] !== settings) readSettings(settings, directory);
  if (missing.length === 0) return new MtlsError('WORKSPACE_EXISTS', { path: directory });
  const problems = [`the workspace there is damaged, without ${missing.map((path) => relative(directory, path)).join(', ')}`];
  const word = shellWord(directory);
  const isEmpty = fs.readdirSync(directory).length === 0;
  const remedies = isEmpty ? [`rmdir ${word}`] : [`ls -lR ${word}`, 'put what is missing back from a backup'];
  return new MtlsError('WORKSPACE_INVALID', { path: directory, problems, remedies });
}

function makeRoot(trustDomain: string, keyType: KeyType, now: Date, validity: number): Signer {
  const key = generateKey(keyType);
  const publicKey = publicKeyInfo(key);
  const template = {
    // the key id in the name: two roots made on one day are told apart by people and by OpenSSL
    subject: [
      // at most 64 (RFC 5280 §A.1, ub-organization-name)
      [OID.organizationName, trustDomain.slice(0, 64)],
      [OID.commonName, `mtls root CA ${toHex(keyIdentifier(publicKey)).slice(0, 8)}`],
    ] as const,
    publicKey,
    notBefore: new Date(now.getTime() - BACKDATE),
    notAfter: new Date(now.getTime() + validity),
    // it signs services, and no other CA
    ca: { pathLength: 0 },
    keyUsage: ['keyCertSign', 'cRLSign'] as const,
  };
  return { certificate: signCertificate(template, { key }), key };
}

function writeWorkspace(directory: string, settings: WorkspaceSettings, root: Signer, now: Date): void {
  const paths = workspacePaths(directory);
  for (const path of [paths.directory, paths.authority, paths.services]) makeDirectory(path);
  const certificate = toPem('CERTIFICATE', root.certificate.der);
  const crl = signWorkspaceCrl(root, { number: FIRST_CRL_NUMBER, now, revoked: [] });
  writeNew(join(directory, '.gitignore'), '*\n', 0o600);
  writeNew(paths.rootKey, privateKeyToPem(root.key), 0o600);
  writeNew(paths.rootCertificate, certificate, 0o644);
  writeNew(paths.bundle, certificate, 0o644);
  writeNew(paths.crl, toPem('X509 CRL', crl.der), 0o644);
  writeNew(paths.ledger, `${JSON.stringify({ event: 'crl', at: now, number: FIRST_CRL_NUMBER })}\n`, 0o600);
  writeNew(paths.settings, `${JSON.stringify(settings, null, 2)}\n`, 0o600);
  for (const path of [paths.services, paths.authority, paths.directory]) syncDirectory(path);
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
