import type { Certificate } from '../pki/certificate.js';
import { countRevoked } from '../pki/crl.js';
import { isoTime, serialText } from '../pki/fields.js';
import { labelOf } from '../pki/name.js';
import type { Reason } from '../pki/crl.js';
import { type SignedCrl, crlPaths, numberOf } from './revocation/crl.js';
import { casOf } from './cas/cas.js';
import type { IssueResult } from './issue/issue.js';
import type { ReleaseResult, RevokeResult } from './revocation/revoke.js';
import type { Workspace } from './workspace.js';

/** The JSON of what the authority did: what `--json` prints, and what text is a view of. */

export const initializedView = (workspace: Workspace) => ({
  workspace: workspace.paths.directory,
  trustDomain: workspace.settings.trustDomain,
  ...authoritiesView(workspace),
  crl: crlPaths(workspace.paths)[0],
});

/** The root, and the CA that issues, which may be the same one. */
function authoritiesView({ paths }: Workspace) {
  const cas = casOf(paths).map(({ paths: { certificate: path }, certificate }) => viewOf(certificate, path));
  return { root: cas[0]!, issuing: cas[1] ?? null };
}

const viewOf = ({ subject, serial, notAfter }: Certificate, path: string) => ({
  name: labelOf(subject),
  serial: serialText(serial),
  notAfter: isoTime(notAfter),
  certificate: path,
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

export const crlView = ({ ca, crl }: SignedCrl) => ({
  path: ca.paths.crl,
  issuer: labelOf(ca.certificate.subject),
  number: Number(numberOf(crl)),
  thisUpdate: isoTime(crl.thisUpdate),
  nextUpdate: crl.nextUpdate === undefined ? null : isoTime(crl.nextUpdate),
  revoked: countRevoked(crl),
});

export const revokedView = ({ revoked, changed, already, crls }: RevokeResult, reason: Reason) => ({
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
  crls: crls.map(crlView),
});

export const releasedView = ({ released, crls }: ReleaseResult) => ({
  released: released.map(({ name, serial }) => ({ name, serial: serialText(serial) })),
  crls: crls.map(crlView),
});
