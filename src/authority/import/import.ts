import type { KeyObject } from 'node:crypto';
import * as fs from 'node:fs';
import { join, resolve } from 'node:path';
import type { Clock } from '../../base/clock.js';
import { isWithin, makeDirectory, readFileBounded, syncDirectory } from '../../base/files.js';
import { MtlsError } from '../../errors.js';
import { type Certificate, fingerprint, isSelfSigned } from '../../pki/certificate.js';
import { isoTime, serialText } from '../../pki/fields.js';
import { isKeyOf, pkcs8Of } from '../../pki/key.js';
import { readCertificates } from '../../pki/material.js';
import { formatName, labelOf } from '../../pki/name.js';
import { pkcs8ToPem } from '../../pki/pbes2.js';
import { toPem } from '../../pki/pem.js';
import { verify } from '../../validate/verify.js';
import { assertSigned, caId, casOf, chainOf } from '../cas/cas.js';
import type { Found, InFile } from './files.js';
import { revocationsIn } from '../ledger/ledger.js';
import { type LedgerView, viewLedger } from '../ledger/ledger-view.js';
import { type Watcher, withLock } from '../lock.js';
import { asLabel } from '../names.js';
import { currentCertificate } from '../issue/plan.js';
import { type ServiceFiles, stageServiceFiles } from '../service-files.js';
import { type ServicePaths, type Workspace, servicePaths } from '../workspace.js';

export interface ImportOptions {
  /** The first of the files, for errors. */
  readonly path: string;
  /** All that was named, as it was typed; that path alone unless told. */
  readonly words?: readonly string[];
  /** What the key is to be under. */
  readonly keyPassphrase?: string | undefined;
  /** Replace what is there, newer or not. */
  readonly force?: boolean;
}

/** A service's certificate with its key and chain, in place. */
export interface Imported {
  /** The service of the workspace; undefined where it was laid elsewhere. */
  readonly name: string | undefined;
  readonly certificate: Certificate;
  /** From its issuer up to the root, which is not sent. */
  readonly above: readonly Certificate[];
  readonly paths: ServicePaths;
  readonly encrypted: boolean;
  /** What was found and belongs to none of this. */
  readonly leftOut: readonly InFile<string>[];
  readonly replaced: Certificate | undefined;
}

/**
 * Lays what was found as the files of the service that the ledger says it is. Everything is checked before it is believed: the
 * key belongs to the certificate, which is in force, leads to the root of the workspace, stands in the ledger and is not
 * revoked. Throws IMPORT_NOT_FIT, KEY_MISMATCH, CERTIFICATE_NOT_IN_FORCE, SERIAL_NOT_FOUND; FILE_EXISTS for a service that
 * has a newer one, unless forced.
 */
export async function importService(
  workspace: Workspace,
  found: Found,
  options: ImportOptions,
  clock: Clock,
  watcher: Watcher = {},
): Promise<Imported> {
  const { paths } = workspace;
  assertSigned(paths);
  const place = async (): Promise<Imported> => {
    const trusted = { roots: readCertificates(paths.bundle), intermediates: chainOf(paths) };
    const pair = onePair(found, options.path);
    const leaf = pair.certificate.value;
    // before anything else is said of what is none of ours
    const name = serviceOf(workspace, leaf, options);
    const good = judge(pair, found, options.path, trusted, clock());
    const standing = readableCertificate(workspace, name);
    const replaced = standing?.der.equals(leaf.der) === true ? undefined : standing;
    const service = servicePaths(workspace, name);
    if (options.force !== true && replaced !== undefined && isNewer(replaced, leaf)) {
      const what = `newer than what is to be imported: from ${isoTime(replaced.notBefore)} on, that from ${isoTime(leaf.notBefore)}`;
      throw new MtlsError('FILE_EXISTS', { path: service.certificate, what });
    }
    const bundle = readFileBounded(paths.bundle).toString('latin1');
    const chain = sentBehind(workspace, good);
    return { ...lay({ ...good, chain }, service, bundle, options, () => syncDirectory(paths.services)), name, replaced };
  };
  return withLock(paths.lock, place, watcher);
}

/**
 * The same for any directory: the root is one that was found too, or that of a workspace. Throws as `importService` does;
 * FILE_EXISTS for a directory that has a certificate, unless forced.
 */
export async function importInto(
  directory: string,
  workspace: Workspace | undefined,
  found: Found,
  options: ImportOptions,
  clock: Clock,
): Promise<Imported> {
  if (workspace !== undefined) assertElsewhere(workspace, directory);
  const own = trustedBy(workspace);
  const roots = found.certificates.map(({ value }) => value).filter((each) => isCa(each) && isSelfSigned(each));
  const pair = onePair(found, options.path);
  const good = judge(pair, found, options.path, { roots: [...own.roots, ...roots], intermediates: own.intermediates }, clock());
  const root = good.above.at(-1)!;
  if (workspace !== undefined) assertNotRevoked(viewLedger(workspace.paths), good.leaf, options.path);
  const isOurs = own.roots.some(({ der }) => der.equals(root.der));
  const service = servicesIn(resolve(directory));
  makeDirectory(service.directory);
  const place = async (): Promise<Imported> => {
    const isThere = fs.lstatSync(service.certificate, { throwIfNoEntry: false }) !== undefined;
    if (isThere && options.force !== true) throw new MtlsError('FILE_EXISTS', { path: service.certificate });
    const chain = good.above.slice(0, -1);
    return { ...lay({ ...good, chain }, service, pemOf(isOurs ? own.roots : [root]), options), name: undefined, replaced: undefined };
  };
  return withLock(join(service.directory, '.lock'), place);
}

/** Into the workspace itself goes only what its ledger knows. */
function assertElsewhere({ paths }: Workspace, directory: string): void {
  if (!isWithin(paths.directory, resolve(directory))) return;
  const expected = 'a directory outside of the workspace: what its ledger knows goes into it without --out';
  throw new MtlsError('VALUE_INVALID', { what: '--out', found: directory, expected });
}

const servicesIn = (directory: string): ServicePaths => ({
  ...{ directory, certificate: join(directory, 'tls.crt'), key: join(directory, 'tls.key'), ca: join(directory, 'ca.crt') },
});

function trustedBy(workspace: Workspace | undefined): Trusted {
  if (workspace === undefined || !fs.existsSync(workspace.paths.bundle)) return { roots: [], intermediates: [] };
  return { roots: readCertificates(workspace.paths.bundle), intermediates: chainOf(workspace.paths) };
}

interface Trusted {
  readonly roots: readonly Certificate[];
  readonly intermediates: readonly Certificate[];
}

interface Good extends Pick<Imported, 'above' | 'leftOut'> {
  readonly leaf: Certificate;
  readonly key: KeyObject;
}

/** The certificate in force, and the good path above it. */
function judge({ certificate, key }: Pair, found: Found, path: string, trusted: Trusted, now: Date): Good {
  const leaf = certificate.value;
  if (now.getTime() < leaf.notBefore || now.getTime() > leaf.notAfter) {
    const dates = { notBefore: isoTime(leaf.notBefore), notAfter: isoTime(leaf.notAfter), now: isoTime(now) };
    throw new MtlsError('CERTIFICATE_NOT_IN_FORCE', { path: certificate.path, ...dates });
  }
  const intermediates = [...found.certificates.map(({ value }) => value).filter((each) => each !== leaf), ...trusted.intermediates];
  const verdict = verify({ leaf, intermediates, roots: trusted.roots, crls: [], at: now });
  if (!verdict.valid) throw unfit(path, ...verdict.errors.map(({ code, message }) => `${code} ${message}`));
  const isUsed = (each: Certificate): boolean => verdict.path.some(({ der }) => der.equals(each.der));
  const strangers = found.certificates
    .filter(({ value }) => !isUsed(value))
    .map((each) => ({ path: each.path, value: `the certificate of ${labelOf(each.value.subject)}` }));
  return { leaf, key, above: verdict.path.slice(1), leftOut: [...strangers, ...found.others] };
}

interface Pair {
  readonly certificate: InFile<Certificate>;
  readonly key: KeyObject;
}

/** Exactly one key, and one certificate that is no CA's, which belong together. */
function onePair({ certificates, keys }: Found, path: string): Pair {
  const [key, ...otherKeys] = keys;
  if (key === undefined)
    throw new MtlsError('IMPORT_NOT_FIT', { path, problems: ['no private key in it'], remedy: 'name the file of its key with --key' });
  if (otherKeys.length > 0) throw unfit(path, `${keys.length} private keys (in ${filesOf(keys)}), expected one`);
  if (certificates.length === 0) throw unfit(path, 'no certificate in it');
  const [certificate, ...others] = certificates.filter(({ value }) => !isCa(value));
  if (certificate === undefined) throw unfit(path, 'only certificates of CAs in it, expected one of a service');
  if (others.length > 0) {
    const names = [certificate, ...others].map(({ value }) => `${labelOf(value.subject)} ${serialText(value.serial)}`);
    throw unfit(path, `${names.length} certificates of services (${names.slice(0, 5).join(', ')}), expected one`);
  }
  if (!isKeyOf(key.value, certificate.value.publicKey))
    throw new MtlsError('KEY_MISMATCH', { certificate: certificate.path, key: key.path });
  return { certificate, key: key.value };
}

const isCa = ({ basicConstraints }: Certificate): boolean => basicConstraints?.ca === true;
const filesOf = (things: readonly { readonly path: string }[]): string => [...new Set(things.map(({ path }) => path))].join(', ');
const unfit = (path: string, ...problems: readonly string[]): MtlsError => new MtlsError('IMPORT_NOT_FIT', { path, problems });

/** Whose it is, as the ledger knows it: this very certificate, and not revoked. */
function serviceOf({ paths }: Workspace, leaf: Certificate, { path, words = [path] }: ImportOptions): string {
  const ledger = viewLedger(paths);
  const entry = ledger.issued('serial', leaf.serial).find(({ sha256 }) => sha256 === fingerprint(leaf));
  if (entry === undefined) throw new MtlsError('SERIAL_NOT_FOUND', { serial: serialText(leaf.serial), elsewhere: words });
  assertNotRevoked(ledger, leaf, path);
  return asLabel(entry.name);
}

function assertNotRevoked({ others }: LedgerView, { serial }: Certificate, path: string): void {
  const revoked = revocationsIn(others).get(serial);
  if (revoked !== undefined) throw unfit(path, `its certificate was revoked ${revoked.at.toISOString()} (${revoked.reason})`);
}

/** What cannot be read may be replaced. */
function readableCertificate(workspace: Workspace, name: string): Certificate | undefined {
  try {
    return currentCertificate(workspace, name);
  } catch (error) {
    if (error instanceof MtlsError) return undefined;
    throw error;
  }
}

/** Of one second either may be: what stands there stays. */
const isNewer = (standing: Certificate, given: Certificate): boolean => standing.notBefore >= given.notBefore;

/** What issue would send with it; what the CAs of another generation have signed leads to its root by itself. */
function sentBehind({ paths }: Workspace, { leaf, above }: Good): readonly Certificate[] {
  const issuer = casOf(paths).at(-1)!.certificate;
  return above[0]?.der.equals(issuer.der) === true || leaf.authorityKeyId === caId(issuer) ? chainOf(paths) : above.slice(0, -1);
}

/** Writes all of it, and switches by one rename. `sync` brings a new directory's name to the disk before that. */
function lay(
  { leaf, key, above, leftOut, chain }: Good & { readonly chain: readonly Certificate[] },
  paths: ServicePaths,
  ca: string,
  { keyPassphrase }: ImportOptions,
  sync = (): void => {},
) {
  const files: ServiceFiles = {
    'tls.crt': pemOf([leaf, ...chain]),
    'tls.key': pkcs8ToPem(pkcs8Of(key), keyPassphrase),
    'ca.crt': ca,
  };
  const staged = stageServiceFiles(paths.directory, files);
  sync();
  staged.commit();
  return { certificate: leaf, above, paths, encrypted: keyPassphrase !== undefined, leftOut };
}

const pemOf = (certificates: readonly Certificate[]): string => certificates.map(({ der }) => toPem('CERTIFICATE', der)).join('');

/** The JSON of what was imported. */
export const importedView = ({ name, certificate: leaf, above, paths, encrypted, leftOut, replaced }: Imported) => ({
  name: name ?? null,
  subject: formatName(leaf.subject),
  serial: serialText(leaf.serial),
  notBefore: isoTime(leaf.notBefore),
  notAfter: isoTime(leaf.notAfter),
  uri: leaf.subjectAltName.uri,
  dns: leaf.subjectAltName.dns,
  ip: leaf.subjectAltName.ip,
  sha256: fingerprint(leaf),
  certificate: paths.certificate,
  key: paths.key,
  ca: paths.ca,
  encrypted,
  chain: above.map(({ subject }) => labelOf(subject)),
  leftOut: leftOut.map(({ path, value }) => ({ path, what: value })),
  replaced: replaced === undefined ? null : { serial: serialText(replaced.serial), notAfter: isoTime(replaced.notAfter) },
});
