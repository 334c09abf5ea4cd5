import * as fs from 'node:fs';
import { join } from 'node:path';
import { readFileBounded, writeError, writeFileAtomic } from '../../base/files.js';
import { type ErrorCode, MtlsError } from '../../errors.js';
import { type Certificate, fingerprint } from '../../pki/certificate.js';
import { readCertificates } from '../../pki/material.js';
import { casIn } from '../cas/cas.js';
import { pemOf } from '../cas/initialize.js';
import { viewLedger } from '../ledger/ledger-view.js';
import { stageServiceFiles } from '../service-files.js';
import { type Workspace, type WorkspacePaths, serviceNames, servicePaths } from '../workspace.js';
import { type Rotation, caFilesOf } from './state.js';

/** Whom the services here were told to trust. */
export interface Spread {
  readonly updated: readonly string[];
  /** Those whose files could not be changed, and why. */
  readonly failed: readonly { readonly name: string; readonly code: ErrorCode; readonly problem: string }[];
  /** Was anything not as it was to be? */
  readonly isChanged: boolean;
}

/**
 * Under the lock: brings `bundle.pem` and the `ca.crt` of every service here to what a state of the rotation asks for, and removes
 * the keys of CAs that have no part in it any more. What is so already is left alone; killed in between, the same call goes on.
 * Roots that somebody added to the bundle stay.
 */
export function spread(workspace: Workspace, rotation: Rotation): Spread {
  const { paths } = workspace;
  const { bundle: wanted, isBundle, keys } = undone(paths, rotation);
  if (!isBundle) writeFileAtomic(paths.bundle, wanted);
  const bundle = readFileBounded(paths.bundle).toString('latin1');
  const updated: string[] = [];
  const failed: Spread['failed'][number][] = [];
  for (const name of serviceNames(workspace)) {
    try {
      if (giveBundle(workspace, name, bundle)) updated.push(name);
    } catch (error) {
      if (!(error instanceof MtlsError)) throw error;
      failed.push({ name, code: error.code, problem: error.message });
    }
  }
  for (const path of keys) remove(path);
  return { updated, failed, isChanged: !isBundle || updated.length > 0 || failed.length > 0 || keys.length > 0 };
}

/** Is there anything that a step left to be done? */
export function isUnfinished({ paths }: Pick<Workspace, 'paths'>, rotation: Rotation): boolean {
  const { isBundle, keys } = undone(paths, rotation);
  return !isBundle || keys.length > 0;
}

function undone(paths: WorkspacePaths, rotation: Rotation) {
  const roots = rootsFor(paths, rotation);
  return {
    bundle: pemOf('CERTIFICATE', roots),
    isBundle: isSame(readCertificates(paths.bundle), roots),
    keys: strayKeys(paths.authority, rotation),
  };
}

/** The root that signs first: some readers take one only. */
function rootsFor(paths: WorkspacePaths, { current, next, old }: Rotation): readonly Certificate[] {
  const rootIn = (generation: number): Certificate => casIn(caFilesOf(paths.authority, generation))[0].certificate;
  const ours = [current, next, old].flatMap((generation) => (generation === undefined ? [] : [rootIn(generation)]));
  const known = new Set(viewLedger(paths).others.flatMap((entry) => (entry.event === 'ca' ? [entry.sha256] : [])));
  const others = readCertificates(paths.bundle).filter((each) => !known.has(fingerprint(each)));
  return [...ours, ...others];
}

/** Whatever text stands between them. */
const isSame = (some: readonly Certificate[], others: readonly Certificate[]): boolean =>
  some.length === others.length && some.every(({ der }, i) => der.equals(others[i]!.der));

/** Certificate and key as they are, with another bundle, by one rename. */
function giveBundle(workspace: Workspace, name: string, bundle: string): boolean {
  const { directory, certificate, key, ca } = servicePaths(workspace, name);
  if (!fs.existsSync(certificate) || (fs.existsSync(ca) && readFileBounded(ca).toString('latin1') === bundle)) return false;
  const own = fs.existsSync(key) ? { 'tls.key': readFileBounded(key).toString('latin1') } : {};
  stageServiceFiles(directory, { 'tls.crt': readFileBounded(certificate).toString('latin1'), 'ca.crt': bundle, ...own }).commit();
  return true;
}

const KEY = /^(?:root|issuing)(?:-(\d{1,9}))?\.key$/;

/** Of roots that were retired or given up, and of those that a killed process was about to prepare. */
function strayKeys(authority: string, { current, next, old }: Rotation): string[] {
  const names = fs.readdirSync(authority).filter((name) => KEY.test(name));
  return names.filter((name) => ![current, next, old].includes(Number(KEY.exec(name)![1] ?? 1))).map((name) => join(authority, name));
}

function remove(path: string): void {
  try {
    fs.rmSync(path);
  } catch (error) {
    throw writeError(path, error);
  }
}
