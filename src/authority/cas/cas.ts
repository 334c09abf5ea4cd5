import type { KeyObject } from 'node:crypto';
import * as fs from 'node:fs';
import { toHex } from '../../base/bytes.js';
import { assertPrivate, readFileBounded } from '../../base/files.js';
import { MtlsError, isError } from '../../errors.js';
import type { Certificate } from '../../pki/certificate.js';
import { isEncryptedKey, isKeyOf, keyIdentifier, readPrivateKey } from '../../pki/key.js';
import { readCertificates } from '../../pki/material.js';
import { labelOf } from '../../pki/name.js';
import type { Signer } from '../../pki/sign.js';
import { type CaFiles, type CaPaths, caFilesOf, rotationOf } from '../rotation/state.js';
import type { PassphraseSource, Workspace, WorkspacePaths } from '../workspace.js';

/** A CA of the workspace. */
export interface Ca {
  readonly paths: CaPaths;
  readonly certificate: Certificate;
}

/** A CA that can sign: its certificate and its key, which belong together. */
export interface SigningCa extends Ca, Signer {}

/** The CAs of a workspace that sign, from the one that peers trust down to the one that issues. Throws CA_NOT_SIGNED. */
export function casOf(paths: WorkspacePaths): readonly [Ca, ...Ca[]] {
  assertSigned(paths);
  return casIn(paths);
}

/** Those of one generation. */
export const casIn = ({ root, issuing }: Pick<CaFiles, 'root' | 'issuing'>): readonly [Ca, ...Ca[]] => [
  caAt(root),
  ...(fs.existsSync(issuing.certificate) ? [caAt(issuing)] : []),
];

/**
 * All CAs whose certificates may be out and whose CRLs are asked for: while a root is rotated, those of the other generation
 * before those that sign. Throws CA_NOT_SIGNED.
 */
export function everyCaOf(paths: WorkspacePaths, signing = casOf(paths)): readonly [Ca, ...Ca[]] {
  const [first, ...others] = [...otherCasOf(paths), ...signing];
  return [first!, ...others];
}

/** Those of them that sign no services: not yet, or no more. */
export function otherCasOf(paths: WorkspacePaths): readonly Ca[] {
  const other = otherFiles(paths);
  return other === undefined ? [] : casIn(other);
}

/** Where the keys of all of them are, or would be. */
export const caKeysOf = (paths: WorkspacePaths): readonly string[] =>
  [otherFiles(paths) ?? [], paths].flat().flatMap(({ root, issuing }) => [root.key, issuing.key]);

/** Of the generation that is about to sign, or did before this one. */
export function otherFiles({ authority }: WorkspacePaths): CaFiles | undefined {
  const { next, old } = rotationOf(authority);
  const other = next ?? old;
  return other === undefined ? undefined : caFilesOf(authority, other);
}

/** Has the CA of a workspace been requested, and not yet got its certificate? Whatever else is there counts from then on. */
export const isWaiting = ({ request, issuing }: WorkspacePaths): boolean => fs.existsSync(request) && !fs.existsSync(issuing.certificate);

/** Throws CA_NOT_SIGNED while the CA waits for its certificate. */
export function assertSigned(paths: WorkspacePaths): void {
  if (isWaiting(paths)) throw new MtlsError('CA_NOT_SIGNED', { path: paths.request });
}

const caAt = (paths: CaPaths): Ca => ({ paths, certificate: readCertificates(paths.certificate)[0]! });

/** The CA that peers trust. */
export const rootOf = (paths: WorkspacePaths): Ca => casOf(paths)[0];

/** The CA that signs services. */
export const issuerOf = (paths: WorkspacePaths): Ca => casOf(paths).at(-1)!;

/**
 * What a service sends behind its own certificate: the CAs between it and the root, the nearest first; and while the root
 * before is still trusted somewhere, what that one signed for this.
 */
export function chainOf(paths: WorkspacePaths, cas = casOf(paths)): readonly Certificate[] {
  const between = fs.existsSync(paths.chain) ? readCertificates(paths.chain) : [];
  const isCrossed = rotationOf(paths.authority).old !== undefined && fs.existsSync(paths.cross);
  return [...cas.slice(1).map(({ certificate }) => certificate), ...between, ...(isCrossed ? readCertificates(paths.cross) : [])];
}

/** How the ledger names a CA: by its key identifier, which it keeps when its certificate is renewed. */
export const caId = ({ subjectKeyId, publicKey }: Certificate): string => subjectKeyId ?? toHex(keyIdentifier(publicKey));

/** Its key is at hand. */
export const hasKey = ({ paths }: Ca): boolean => fs.existsSync(paths.key);

/** A passphrase that will be needed is asked for now: nobody else can write while somebody types. */
export async function askAhead({ passphrase }: Workspace, cas: readonly Ca[]): Promise<void> {
  if (passphrase === undefined) return;
  for (const { paths } of cas.filter(hasKey)) if (isEncryptedKey(readFileBounded(paths.key))) await passphrase(paths.key);
}

/**
 * A CA with its key, which must be private and belong to its certificate. Throws CA_KEY_AWAY when it is not there, and what
 * is wrong with it.
 */
export async function openCa({ paths, certificate }: Ca, passphrase: PassphraseSource | undefined): Promise<SigningCa> {
  const key = await openKeyOf(paths, passphrase, labelOf(certificate.subject));
  if (!isKeyOf(key, certificate.publicKey)) throw new MtlsError('KEY_MISMATCH', { certificate: paths.certificate, key: paths.key });
  return { paths, certificate, key };
}

/** The key of a CA that may have no certificate yet. */
export async function openKeyOf({ key: path }: CaPaths, passphrase: PassphraseSource | undefined, name = 'the CA'): Promise<KeyObject> {
  if (!fs.existsSync(path)) throw new MtlsError('CA_KEY_AWAY', { name, path });
  assertPrivate(path);
  return openKey(path, passphrase);
}

async function openKey(path: string, passphrase: PassphraseSource | undefined) {
  const bytes = readFileBounded(path);
  try {
    return readPrivateKey(bytes, path);
  } catch (error) {
    if (!isError(error, 'KEY_ENCRYPTED') || passphrase === undefined) throw error;
  }
  return readPrivateKey(bytes, path, await passphrase(path));
}

/**
 * All CAs whose keys are at hand, from the root down. A key above the issuer's that another passphrase opens is left alone:
 * for each its own one is tried, or, when nobody is to be asked again (`asked`), that of the issuer.
 */
export async function openCas(workspace: Workspace, cas = everyCaOf(workspace.paths), asked?: 'issuer'): Promise<readonly SigningCa[]> {
  const { passphrase } = workspace;
  const issuer = await openCa(cas.at(-1)!, passphrase);
  const again = passphrase === undefined || asked === undefined ? passphrase : () => passphrase(issuer.paths.key);
  const above: SigningCa[] = [];
  for (const ca of cas.slice(0, -1).filter(hasKey)) {
    try {
      above.push(await openCa(ca, again));
    } catch (error) {
      if (!isError(error, 'PASSPHRASE_WRONG') && !isError(error, 'KEY_ENCRYPTED')) throw error;
    }
  }
  return [...above, issuer];
}
