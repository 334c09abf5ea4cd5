export { type Ca, type SigningCa, assertSigned, caId, casOf, openCa } from './cas.js';
export { type ConstraintOptions, asConstraints } from './constraints.js';
export { CRL_VALIDITY, type SignedCrl, crlPaths, readWorkspaceCrls, refreshCrls } from './crl.js';
export type { RevokeTarget } from './find.js';
export { DEFAULT_TRUST_DOMAIN, type InitializeOptions, initializeWorkspace } from './initialize.js';
export { type InstallOptions, type InstallResult, installCa } from './install.js';
export { type IssueResult, issueCertificates } from './issue.js';
export { type CrlSigned, type Issued, type LedgerEntry, PROFILES, type Revoked, readLedger } from './ledger.js';
export type { Watcher } from './lock.js';
export { type GivenCa, type NewCas, takeCas } from './make-cas.js';
export { asHttpUrl, asTrustDomain } from './names.js';
export { type PassphraseResult, changePassphrase, closedKeys } from './passphrase.js';
export { type IssueRequest, type Planner, plan, plannerOf } from './plan.js';
export { type KnownCertificate, knownCertificates } from './known-certificate.js';
export { installedView, keyMovedView, passphraseView, requestedView } from './key-views.js';
export { profileNames } from './policy/profiles.js';
export { type RequestOptions, requestWorkspace } from './request.js';
export { type SealOptions, type SealResult, burnRoot, rootToSeal, sealRoot, unsealRoot } from './seal.js';
export { readServicesFile, servicesFormatOf } from './services-file.js';
export type { Smoke } from './smoke.js';
export { type ListOptions, LIST_ORDERS, type ListedCertificate, STATUSES, type Status, listCertificates } from './list.js';
export { type ReleaseResult, type RevokeResult, SERVICE_REASONS, releaseCertificates, revokeCertificates } from './revoke.js';
export { type LedgerVerdict, verifyLedger } from './verify-ledger.js';
export type { RunningServer } from './revocation-server.js';
export { type ServeOptions, serveCrls, serveOcsp } from './serve-revocation.js';
export { crlView, initializedView, issuedView, releasedView, revokedView } from './views.js';
export {
  type PassphraseSource,
  type ServicePaths,
  type Workspace,
  type WorkspacePaths,
  type WorkspaceSettings,
  existingService,
  openWorkspace,
  serviceNames,
  servicePaths,
  workspaceDirectory,
} from './workspace.js';
