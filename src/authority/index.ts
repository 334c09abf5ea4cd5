export { type Ca, type SigningCa, assertSigned, caId, casOf, openCa } from './cas/cas.js';
export { type ConstraintOptions, asConstraints } from './cas/constraints.js';
export { CRL_VALIDITY, type SignedCrl, crlPaths, readWorkspaceCrls, refreshCrls } from './revocation/crl.js';
export type { RevokeTarget } from './ledger/find.js';
export { DEFAULT_TRUST_DOMAIN, type InitializeOptions, initializeWorkspace } from './cas/initialize.js';
export { type InstallOptions, type InstallResult, installCa } from './cas/install.js';
export { type IssueResult, issueCertificates } from './issue/issue.js';
export { type CrlSigned, type Issued, type LedgerEntry, PROFILES, type Revoked, readLedger } from './ledger/ledger.js';
export type { Watcher } from './lock.js';
export { type GivenCa, type NewCas, takeCas } from './cas/make-cas.js';
export { asHttpUrl, asTrustDomain } from './names.js';
export { type PassphraseResult, changePassphrase, closedKeys } from './cas/passphrase.js';
export { type IssueRequest, type Planner, plan, plannerOf } from './issue/plan.js';
export { type KnownCertificate, knownCertificates } from './ledger/known-certificate.js';
export { installedView, keyMovedView, passphraseView, requestedView } from './cas/key-views.js';
export { profileNames } from './policy/profiles.js';
export { type RequestOptions, requestWorkspace } from './cas/request.js';
export { type SealOptions, type SealResult, burnRoot, rootToSeal, sealRoot, unsealRoot } from './cas/seal.js';
export { readServicesFile, servicesFormatOf } from './issue/services-file.js';
export type { Smoke } from './issue/smoke.js';
export { type ListOptions, LIST_ORDERS, type ListedCertificate, STATUSES, type Status, listCertificates } from './ledger/list.js';
export { type ReleaseResult, type RevokeResult, SERVICE_REASONS, releaseCertificates, revokeCertificates } from './revocation/revoke.js';
export { type LedgerVerdict, verifyLedger } from './ledger/verify-ledger.js';
export { witnessAgainst } from './ledger/witnesses.js';
export type { RunningServer } from './revocation/server.js';
export { type ServeOptions, serveCrls, serveOcsp } from './revocation/serve.js';
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
