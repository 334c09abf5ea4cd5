export { CRL_VALIDITY, readWorkspaceCrl, refreshCrl } from './crl.js';
export { DEFAULT_TRUST_DOMAIN, type InitializeOptions, initializeWorkspace } from './initialize.js';
export { type IssueRequest, type IssueResult, issueCertificates } from './issue.js';
export { type CrlSigned, type Issued, type LedgerEntry, PROFILES, type Profile, type Revoked, readLedger } from './ledger.js';
export type { Watcher } from './lock.js';
export { asTrustDomain } from './names.js';
export { type ListOptions, type ListedCertificate, type Status, listCertificates } from './list.js';
export { type RevokeResult, SERVICE_REASONS, revokeCertificates } from './revoke.js';
export { crlView, initializedView, issuedView, revokedView } from './views.js';
export {
  type ServicePaths,
  type Workspace,
  type WorkspacePaths,
  type WorkspaceSettings,
  existingService,
  openWorkspace,
  readAuthority,
  serviceNames,
  servicePaths,
  workspaceDirectory,
} from './workspace.js';
