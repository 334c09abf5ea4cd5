import type { Certificate } from '../pki/certificate.js';
import { type Crl, countRevoked } from '../pki/crl.js';
import { isoTime, serialText } from '../pki/fields.js';
import { labelOf } from '../pki/name.js';
import type { Reason } from '../pki/crl.js';
import { numberOf } from './crl.js';
import type { IssueResult } from './issue.js';
import type { RevokeResult } from './revoke.js';
import type { Workspace } from './workspace.js';

/** The JSON of what the authority did: what `--json` prints, and what text is a view of. */

export const initializedView = (workspace: Workspace, root: Certificate) => ({
  workspace: workspace.paths.directory,
  trustDomain: workspace.settings.trustDomain,
  root: {
    name: labelOf(root.subject),
    serial: serialText(root.serial),
    notAfter: isoTime(root.notAfter),
    certificate: workspace.paths.rootCertificate,
  },
  crl: workspace.paths.crl,
});

export const issuedView = ({ entry, paths, names, keyless, replaced, cappedByIssuer }: IssueResult) => ({
  name: entry.name,
  namespace: entry.namespace,
  profile: entry.profile,
  serial: serialText(entry.serial),
  notBefore: isoTime(entry.notBefore),
  notAfter: isoTime(entry.notAfter),
  uri: entry.uri,
  dns: names.dns,
  ip: names.ip,
  sha256: entry.sha256,
  certificate: paths.certificate,
  key: keyless ? null : paths.key,
  ca: paths.ca,
  cappedByIssuer,
  replaced: replaced === undefined ? null : { serial: serialText(replaced.serial), notAfter: isoTime(replaced.notAfter) },
});

export const crlView = (workspace: Workspace, crl: Crl) => ({
  path: workspace.paths.crl,
  number: Number(numberOf(crl)),
  thisUpdate: isoTime(crl.thisUpdate),
  nextUpdate: crl.nextUpdate === undefined ? null : isoTime(crl.nextUpdate),
  revoked: countRevoked(crl),
});

export const revokedView = (workspace: Workspace, { revoked, changed, already, crl }: RevokeResult, reason: Reason) => ({
  revoked: revoked.map(({ name, serial }) => ({ name, serial: serialText(serial), reason })),
  changed: changed.map(({ issued: { name, serial }, revocation }) => ({
    name,
    serial: serialText(serial),
    reason,
    before: revocation.reason,
    at: isoTime(revocation.at),
  })),
  already: already.map(({ issued: { name, serial }, revocation }) => ({
    name,
    serial: serialText(serial),
    reason: revocation.reason,
    at: isoTime(revocation.at),
  })),
  crl: crlView(workspace, crl),
});
