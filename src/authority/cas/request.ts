import type { Clock } from '../../base/clock.js';
import { given } from '../../base/given.js';
import { toHex } from '../../base/bytes.js';
import { writeNew } from '../../base/files.js';
import { signRequest } from '../../pki/csr-write.js';
import { type KeyType, generateKey, keyIdentifier, publicKeyInfo } from '../../pki/key.js';
import { labelOf } from '../../pki/name.js';
import { toPem } from '../../pki/pem.js';
import { DEFAULT_TRUST_DOMAIN, buildWorkspace, caKeyPem } from './initialize.js';
import { caSubject } from './make-cas.js';
import { asTrustDomain } from '../names.js';
import { WORKSPACE_VERSION, type Workspace, type WorkspacePaths, type WorkspaceSettings } from '../workspace.js';

export interface RequestOptions {
  /** The workspace's directory itself, which must not exist yet. */
  readonly directory: string;
  readonly trustDomain?: string;
  readonly keyType?: KeyType;
  /** What the key of the CA is encrypted under. */
  readonly passphrase?: string;
  readonly crlUrl?: string;
  readonly ocspUrl?: string;
  readonly clock: Clock;
}

/**
 * Makes a workspace whose issuing CA is to be signed by a CA of somebody else: its key, and the request. Until the answer is
 * installed everything that needs a CA throws CA_NOT_SIGNED. Throws as `initializeWorkspace` does.
 */
export function requestWorkspace(options: RequestOptions): Workspace {
  const { directory, keyType = 'ecdsa-p256', passphrase, clock } = options;
  const trustDomain = asTrustDomain(options.trustDomain ?? DEFAULT_TRUST_DOMAIN);
  const now = clock();
  const urls = given({ crlUrl: options.crlUrl, ocspUrl: options.ocspUrl });
  const settings: WorkspaceSettings = { version: WORKSPACE_VERSION, trustDomain, keyType, createdAt: now, ...urls };
  return buildWorkspace(directory, settings, (paths) => writeRequest(paths, settings, now, passphrase));
}

function writeRequest(paths: WorkspacePaths, { trustDomain, keyType }: WorkspaceSettings, now: Date, passphrase: string | undefined) {
  const key = generateKey(keyType);
  const publicKey = publicKeyInfo(key);
  const subject = caSubject(trustDomain, 'issuing', publicKey);
  const request = signRequest({ subject, ca: { pathLength: 0 }, keyUsage: ['keyCertSign', 'cRLSign'] }, key);
  writeNew(paths.issuing.key, caKeyPem(key, passphrase), 0o600);
  writeNew(paths.request, toPem('CERTIFICATE REQUEST', request.der), 0o644);
  return [{ event: 'requested', at: now, key: toHex(keyIdentifier(publicKey)), name: labelOf(request.subject) } as const];
}
