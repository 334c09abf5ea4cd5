import { type Certificate, fingerprint } from '../../pki/certificate.js';
import { isoTime, serialText } from '../../pki/fields.js';
import { labelOf } from '../../pki/name.js';
import type { Ca } from './cas.js';
import type { InstallResult } from './install.js';
import type { PassphraseResult } from './passphrase.js';
import type { SealResult } from './seal.js';
import { crlView } from '../views.js';
import type { Workspace } from '../workspace.js';

/** The JSON of what was done with the keys of the CAs and with their certificates. */

/** `key` is where that of the root is now; null when it is nowhere. */
export const keyMovedView = ({ root, crl, key }: SealResult) => ({
  root: labelOf(root.certificate.subject),
  key: key ?? null,
  crl: crlView({ ca: root, crl }),
});

export const passphraseView = ({ changed, unchanged }: PassphraseResult, removed: boolean) => ({ changed, unchanged, removed });

export const requestedView = ({ paths, settings }: Workspace) => ({
  workspace: paths.directory,
  trustDomain: settings.trustDomain,
  request: paths.request,
  key: paths.issuing.key,
});

export const installedView = ({ root, issuing, between, crl, withoutCrl, isRenewal }: InstallResult) => ({
  issuing: viewOf(issuing),
  root: viewOf(root),
  between: between.map(nameOf),
  crl: crlView({ ca: issuing, crl }),
  withoutCrl: withoutCrl.map(nameOf),
  renewed: isRenewal,
});

const nameOf = ({ subject }: Certificate): string => labelOf(subject);

const viewOf = ({ paths, certificate }: Ca) => ({
  name: nameOf(certificate),
  serial: serialText(certificate.serial),
  notAfter: isoTime(certificate.notAfter),
  sha256: fingerprint(certificate),
  certificate: paths.certificate,
});
