import * as fs from 'node:fs';
import { readFileBounded } from '../../base/files.js';
import { DAY } from '../../base/duration.js';
import { shellWord } from '../../errors.js';
import { isSelfSigned, isSignedBy } from '../../pki/certificate.js';
import { isoTime } from '../../pki/fields.js';
import { isEncryptedKey, isKeyOf, readPrivateKey } from '../../pki/key.js';
import { readCertificates } from '../../pki/material.js';
import { labelOf } from '../../pki/name.js';
import { type Ca, hasKey } from '../cas/cas.js';
import type { Examined } from './examined.js';
import { type DoctorFinding, attempt, found, ours } from './findings.js';

const YEAR = 365 * DAY;

/** Each CA: its key, whether that is under a passphrase, its end; and the bundle. */
export const checkAuthorities = (examined: Examined): DoctorFinding[] => [
  ...examined.cas.flatMap((ca) => [...keyFindings(ca, examined), ...endFindings(ca, examined)]),
  ...chainFindings(examined),
  ...bundleFindings(examined),
];

/** An encrypted key is not opened: a doctor asks for no passphrase. */
function keyFindings(ca: Ca, { paths }: Examined): DoctorFinding[] {
  if (!hasKey(ca)) return [];
  const { key: path, certificate: beside } = ca.paths;
  const findings: DoctorFinding[] = [];
  const bytes = attempt(path, findings, () => readFileBounded(path));
  if (bytes === undefined || attempt(path, findings, () => isEncryptedKey(bytes)) !== false) return findings;
  const key = attempt(path, findings, () => readPrivateKey(bytes, path));
  if (key === undefined) return findings;
  const name = labelOf(ca.certificate.subject);
  if (!isKeyOf(key, ca.certificate.publicKey)) {
    const message = `${path}: expected the key of ${name}, found another`;
    return [found('CA_KEY_MISMATCH', path, message, `put the key back that belongs to ${shellWord(beside)}, from a backup`)];
  }
  const message = `${path}: expected a passphrase on the key of ${name}, found none`;
  return [found('CA_KEY_NOT_ENCRYPTED', path, message, ours('authority passphrase', paths.directory))];
}

function endFindings({ paths: { certificate: path }, certificate }: Ca, { paths, now }: Examined): DoctorFinding[] {
  const left = certificate.notAfter - now.getTime();
  if (left > YEAR) return [];
  const message = `${labelOf(certificate.subject)} ${left < 0 ? 'ended' : 'ends'} ${isoTime(certificate.notAfter)}, expected more than a year from now`;
  const isOurs = fs.existsSync(paths.root.key);
  if (left < 0)
    return [found('CA_ENDED', path, message, isOurs ? ours('authority rotate', paths.directory) : 'in another directory: mtls init')];
  return [
    found(
      'CA_ENDS_SOON',
      path,
      message,
      isOurs ? ours('authority rotate prepare', paths.directory) : 'get the next one from whoever has the key of the root',
    ),
  ];
}

/** Each CA below the root is signed by the one above it, those of a company between them. */
function chainFindings({ paths, cas }: Examined): DoctorFinding[] {
  const [root, issuing] = [paths.root, paths.issuing].map((each) => cas.find((ca) => ca.paths === each)?.certificate);
  const findings: DoctorFinding[] = [];
  const between = fs.existsSync(paths.chain) ? attempt(paths.chain, findings, () => readCertificates(paths.chain)) : [];
  if (root === undefined || issuing === undefined || between === undefined) return findings;
  const line = [issuing, ...between, root];
  const at = line.findIndex((certificate, i) => i > 0 && isSignedBy(line[i - 1]!, certificate) !== 'valid');
  if (at < 0) return [];
  const [below, above] = [labelOf(line[at - 1]!.subject), labelOf(line[at]!.subject)];
  const file = paths.issuing.certificate;
  const restore = `put ${file} and ${paths.chain} back from a backup`;
  return [found('CA_CHAIN_BROKEN', file, `${below}: expected the signature of ${above}, found another`, restore)];
}

function bundleFindings({ paths: { bundle, root }, cas }: Examined): DoctorFinding[] {
  const findings: DoctorFinding[] = [];
  const trusted = attempt(bundle, findings, () => readCertificates(bundle));
  const roots = cas.filter(({ certificate }) => isSelfSigned(certificate));
  const files = roots.length === 0 ? [root.certificate] : roots.map(({ paths }) => paths.certificate);
  const anew = `cat ${files.map(shellWord).join(' ')} > ${shellWord(bundle)}`;
  if (trusted === undefined) return findings.map((finding) => ({ ...finding, remedy: anew }));
  const missing = roots.filter(({ certificate }) => !trusted.some(({ der }) => der.equals(certificate.der)));
  return missing.map(({ paths: { certificate: path }, certificate: { subject } }) => {
    const message = `${bundle}: expected ${labelOf(subject)}, and it is not in it`;
    const remedy = missing.length === roots.length ? anew : `cat ${shellWord(path)} >> ${shellWord(bundle)}`;
    return found('BUNDLE_NOT_ROOT', bundle, message, remedy);
  });
}
