import * as fs from 'node:fs';
import type { Clock } from '../../base/clock.js';
import { CRL_FILE_LIMIT, readFileBounded, writeError, writeFileAtomic } from '../../base/files.js';
import { MtlsError } from '../../errors.js';
import { type Certificate, isSelfSigned } from '../../pki/certificate.js';
import type { Crl } from '../../pki/crl.js';
import { isKeyOf } from '../../pki/key.js';
import { certificatesIn, crlsIn, readCertificates } from '../../pki/material.js';
import { isSameName, labelOf } from '../../pki/name.js';
import { toPem } from '../../pki/pem.js';
import { isCrlOf } from '../../validate/crl-faults.js';
import { type Ca, caId, isWaiting, openKeyOf } from './cas.js';
import { writeCrl } from '../revocation/crl.js';
import { caCertified, pemOf } from './initialize.js';
import { appendLedger } from '../ledger/ledger.js';
import { viewLedger } from '../ledger/ledger-view.js';
import { type Watcher, withLock } from '../lock.js';
import { type NewCas, takeCas } from './make-cas.js';
import type { Workspace, WorkspacePaths } from '../workspace.js';

export interface InstallOptions {
  /** The certificate that was signed, or a file of several among which it is. */
  readonly certificate: string;
  /** The CAs above it, up to the root. Those that are installed already need not be given again. */
  readonly chain: readonly Certificate[];
  /** Of the CAs above it. */
  readonly crls: readonly Crl[];
}

export interface InstallResult {
  readonly root: Ca;
  readonly issuing: Ca;
  readonly between: readonly Certificate[];
  /** That of the issuing CA. */
  readonly crl: Crl;
  /** The CAs above it of which no CRL is here: peers that ask for one refuse everybody. */
  readonly withoutCrl: readonly Certificate[];
  readonly isRenewal: boolean;
}

/**
 * Installs the certificate that somebody else's CA signed for the key of the issuing CA: the first, or a renewed one. It is
 * checked before it is believed: that the key is ours, that it may sign services, and that its path to its root holds now.
 * The certificate itself is the last file that is written, and what makes the others count; killed before it, the same call
 * can be made again. Throws NO_ISSUING_CA, KEY_MISMATCH, CA_NOT_FIT with every reason.
 */
export async function installCa(
  workspace: Workspace,
  options: InstallOptions,
  clock: Clock,
  watcher: Watcher = {},
): Promise<InstallResult> {
  const { paths } = workspace;
  if (!fs.existsSync(paths.request) && !fs.existsSync(paths.issuing.certificate)) {
    const why = 'there is none whose certificate could be installed';
    throw new MtlsError('NO_ISSUING_CA', { why, remedy: 'in another directory: mtls init --request' });
  }
  const bytes = readFileBounded(options.certificate);
  await openKeyOf(paths.issuing, workspace.passphrase);
  const install = async (): Promise<InstallResult> => {
    const key = await openKeyOf(paths.issuing, workspace.passphrase);
    const now = clock();
    const before = isWaiting(paths) ? undefined : installed(paths);
    const given = certificatesIn(bytes, options.certificate);
    const certificate = given.find(({ publicKey }) => isKeyOf(key, publicKey)) ?? given[0]!;
    const chain = [...given, ...options.chain, ...(before?.above ?? [])].filter((each) => each !== certificate);
    const answer = { path: options.certificate, certificate, key, chain, crls: options.crls };
    if (isKeyOf(key, certificate.publicKey) && isSelfSigned(certificate)) throw unfit(options, 'it is signed by itself');
    const taken = takeCas(answer, paths.issuing.key, now);
    if (before !== undefined) assertSameCa(options, before, taken);
    const root = taken.cas[0]!.certificate;
    noteCas(workspace, taken, now);
    writeAbove(paths, taken, options.crls);
    const issuing = { paths: paths.issuing, certificate };
    const crl = writeCrl(workspace, { ...issuing, key }, viewLedger(paths).others, [], now);
    writeFileAtomic(paths.issuing.certificate, toPem('CERTIFICATE', certificate.der));
    const withoutCrl = [root, ...taken.between].filter((ca) => !standing(paths).some((each) => isCrlOf(each, ca)));
    return {
      root: { paths: paths.root, certificate: root },
      issuing,
      between: taken.between,
      crl,
      withoutCrl,
      isRenewal: isAnother(certificate, before),
    };
  };
  return withLock(paths.lock, install, watcher);
}

const isAnother = (certificate: Certificate, before: Installed | undefined): boolean =>
  before !== undefined && !before.certificate.der.equals(certificate.der);

interface Installed {
  readonly certificate: Certificate;
  /** The CAs above it, the root the last. */
  readonly above: readonly Certificate[];
}

function installed(paths: WorkspacePaths): Installed {
  const between = fs.existsSync(paths.chain) ? readCertificates(paths.chain) : [];
  return {
    certificate: readCertificates(paths.issuing.certificate)[0]!,
    above: [...between, readCertificates(paths.root.certificate)[0]!],
  };
}

/** Services and CRLs are tied to its name and key identifier, and peers to its root: a renewed certificate has the same ones. */
function assertSameCa(options: InstallOptions, before: Installed, { cas }: NewCas): void {
  const [root, issuing] = [cas[0]!.certificate, cas[1]!.certificate];
  const rootBefore = before.above.at(-1)!;
  if (!root.publicKey.der.equals(rootBefore.publicKey.der))
    throw unfit(options, `its root ${labelOf(root.subject)} is another one than peers trust, ${labelOf(rootBefore.subject)}`);
  if (!isSameName(issuing.subject, before.certificate.subject))
    throw unfit(options, `it is called ${labelOf(issuing.subject)}, and services were signed by ${labelOf(before.certificate.subject)}`);
  if (caId(issuing) !== caId(before.certificate))
    throw unfit(options, `its key identifier is ${caId(issuing)}, and services name ${caId(before.certificate)}`);
  if (issuing.notBefore < before.certificate.notBefore)
    throw unfit(options, `it begins ${new Date(issuing.notBefore).toISOString()}, before the one that is installed`);
}

const unfit = ({ certificate: path }: InstallOptions, problem: string): MtlsError =>
  new MtlsError('CA_NOT_FIT', { path, problems: [problem] });

/** What the ledger does not know already. */
function noteCas({ paths }: Workspace, { cas, between }: NewCas, now: Date): void {
  const known = new Set(viewLedger(paths).others.flatMap((entry) => (entry.event === 'ca' ? [entry.sha256] : [])));
  const [root, issuing] = [cas[0]!.certificate, cas[1]!.certificate];
  const entries = [caCertified(root, now), caCertified(issuing, now, caId(between[0] ?? root))].filter(
    (entry) => entry.event !== 'ca' || !known.has(entry.sha256),
  );
  if (entries.length > 0) appendLedger(paths.ledger, entries);
}

/** The files of the CAs above, where they are not what they are to be already. */
function writeAbove(paths: WorkspacePaths, { cas, between }: NewCas, crls: readonly Crl[]): void {
  const root = cas[0]!.certificate;
  const pem = toPem('CERTIFICATE', root.der);
  put(paths.root.certificate, pem);
  const others = trusted(paths).filter(({ publicKey }) => !publicKey.der.equals(root.publicKey.der));
  put(paths.bundle, `${pem}${pemOf('CERTIFICATE', others)}`);
  put(paths.chain, pemOf('CERTIFICATE', between));
  const all = [...crls, ...standing(paths)];
  const newest = (ca: Certificate): Crl[] =>
    all
      .filter((each) => isCrlOf(each, ca))
      .sort((one, other) => other.thisUpdate - one.thisUpdate)
      .slice(0, 1);
  put(paths.root.crl, pemOf('X509 CRL', newest(root)));
  put(paths.chainCrls, pemOf('X509 CRL', between.flatMap(newest)));
}

/** What stands there already is not written again; a file of nothing is none. */
function put(path: string, pem: string): void {
  try {
    if (pem === '') fs.rmSync(path, { force: true });
    else if (!fs.existsSync(path) || fs.readFileSync(path, 'latin1') !== pem) writeFileAtomic(path, pem);
  } catch (error) {
    throw writeError(path, error);
  }
}

/** The certificates that services are told to trust. */
const trusted = ({ bundle }: WorkspacePaths): readonly Certificate[] => (fs.existsSync(bundle) ? readCertificates(bundle) : []);

/** The CRLs of the CAs above that are here; a file that holds none is about to be written anew. */
const standing = ({ root, chainCrls }: WorkspacePaths): Crl[] => [...crlsAt(root.crl), ...crlsAt(chainCrls)];

function crlsAt(path: string): Crl[] {
  try {
    return crlsIn(readFileBounded(path, CRL_FILE_LIMIT), path);
  } catch (error) {
    if (error instanceof MtlsError) return [];
    throw error;
  }
}
