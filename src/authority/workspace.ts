import * as fs from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { JsonObject } from '../base/json.js';
import { assertPrivate, readError, readFileBounded } from '../base/files.js';
import { MtlsError, isError } from '../errors.js';
import type { Certificate } from '../pki/certificate.js';
import { KEY_TYPES, type KeyType, isKeyOf, readPrivateKey } from '../pki/key.js';
import { readCertificates } from '../pki/material.js';
import type { Signer } from '../pki/sign.js';
import { asTrustDomain } from './names.js';

export const WORKSPACE_VERSION = 1;
const DIRECTORY = '.mtls';

/** What `workspace.json` says. */
export interface WorkspaceSettings {
  readonly version: typeof WORKSPACE_VERSION;
  readonly trustDomain: string;
  readonly keyType: KeyType;
  readonly createdAt: Date;
}

/** Where everything is. All paths are absolute. */
export interface WorkspacePaths {
  readonly directory: string;
  readonly settings: string;
  readonly authority: string;
  readonly rootCertificate: string;
  readonly rootKey: string;
  readonly bundle: string;
  readonly crl: string;
  readonly ledger: string;
  readonly lock: string;
  readonly services: string;
}

/** A workspace that was found and is of a version that we read. */
export interface Workspace {
  readonly paths: WorkspacePaths;
  readonly settings: WorkspaceSettings;
}

/** The files of one service: the names that Kubernetes and cert-manager use. */
export interface ServicePaths {
  readonly directory: string;
  readonly certificate: string;
  readonly key: string;
  readonly ca: string;
}

export function workspacePaths(directory: string): WorkspacePaths {
  const authority = join(directory, 'authority');
  return {
    directory,
    settings: join(directory, 'workspace.json'),
    authority,
    rootCertificate: join(authority, 'root.crt'),
    rootKey: join(authority, 'root.key'),
    bundle: join(authority, 'bundle.pem'),
    crl: join(authority, 'root.crl'),
    ledger: join(authority, 'ledger.jsonl'),
    lock: join(authority, 'lock'),
    services: join(directory, 'services'),
  };
}

export function servicePaths(workspace: Pick<Workspace, 'paths'>, name: string): ServicePaths {
  const directory = join(workspace.paths.services, name);
  return { directory, certificate: join(directory, 'tls.crt'), key: join(directory, 'tls.key'), ca: join(directory, 'ca.crt') };
}

/** What `--workspace DIR` (or MTLS_WORKSPACE) means: DIR itself when it is a workspace or is to be named so, else `DIR/.mtls`. */
export function workspaceDirectory(from: string): string {
  const directory = resolve(from);
  const isOne = directory.endsWith(`/${DIRECTORY}`) || fs.existsSync(join(directory, 'workspace.json'));
  return isOne ? directory : join(directory, DIRECTORY);
}

/**
 * Opens the workspace named by `explicit`, else the nearest `.mtls` in `cwd` or above, found like `.git` is.
 * Throws WORKSPACE_NOT_FOUND, WORKSPACE_TOO_NEW, WORKSPACE_INVALID or FILE_MODE_TOO_OPEN.
 */
export function openWorkspace(explicit: string | undefined, cwd: string): Workspace {
  const directory = explicit === undefined ? findDirectory(cwd) : workspaceDirectory(explicit);
  if (directory === undefined) throw new MtlsError('WORKSPACE_NOT_FOUND', { searched: cwd });
  const paths = workspacePaths(directory);
  const settings = readSettings(paths.settings, explicit ?? cwd);
  assertPrivate(paths.directory);
  assertPrivate(paths.authority);
  return { paths, settings };
}

function findDirectory(cwd: string): string | undefined {
  for (let directory = resolve(cwd); ; directory = dirname(directory)) {
    // a directory that init was killed in the middle of has no settings yet: it is no workspace
    if (fs.existsSync(join(directory, DIRECTORY, 'workspace.json'))) return join(directory, DIRECTORY);
    if (directory === dirname(directory)) return undefined;
  }
}

/** Throws WORKSPACE_NOT_FOUND, WORKSPACE_TOO_NEW or WORKSPACE_INVALID. */
export function readSettings(path: string, searched: string): WorkspaceSettings {
  let text: string;
  try {
    text = readFileBounded(path, 65_536, 'the settings of a workspace').toString('utf8');
  } catch (error) {
    if (isError(error, 'FILE_NOT_FOUND')) throw new MtlsError('WORKSPACE_NOT_FOUND', { searched }, { cause: error });
    throw error;
  }
  try {
    const settings = JsonObject.parse(text, 'settings');
    const version = settings.count('version');
    if (version < 1)
      throw new MtlsError('VALUE_INVALID', { what: 'settings version', found: String(version), expected: 'a whole number from 1 on' });
    if (version > WORKSPACE_VERSION) throw new MtlsError('WORKSPACE_TOO_NEW', { path, found: version, supported: WORKSPACE_VERSION });
    return {
      version: WORKSPACE_VERSION,
      trustDomain: asTrustDomain(settings.string('trustDomain')),
      keyType: settings.word('keyType', KEY_TYPES),
      createdAt: settings.instant('createdAt'),
    };
  } catch (error) {
    if (!isError(error, 'VALUE_INVALID')) throw error;
    throw new MtlsError('WORKSPACE_INVALID', { path, problems: [error.message] }, { cause: error });
  }
}

/** The CA: its certificate and its key, which must belong together and be private. Throws what is wrong with them. */
export function readAuthority({ paths }: Workspace): Signer {
  assertPrivate(paths.rootKey);
  const certificate = readRootCertificate(paths);
  const key = readPrivateKey(readFileBounded(paths.rootKey), paths.rootKey);
  if (!isKeyOf(key, certificate.publicKey)) throw new MtlsError('KEY_MISMATCH', { certificate: paths.rootCertificate, key: paths.rootKey });
  return { certificate, key };
}

export function readRootCertificate(paths: WorkspacePaths): Certificate {
  return readCertificates(paths.rootCertificate)[0]!;
}

/** The names of all services that have a certificate. */
export function serviceNames({ paths }: Workspace): string[] {
  try {
    return fs
      .readdirSync(paths.services)
      .filter((name) => fs.existsSync(join(paths.services, name, 'tls.crt')))
      .sort();
  } catch (error) {
    throw readError(paths.services, error);
  }
}

/** The paths of a service that must exist. Throws SERVICE_NOT_FOUND with the names that there are. */
export function existingService(workspace: Workspace, name: string): ServicePaths {
  const known = serviceNames(workspace);
  if (!known.includes(name)) throw new MtlsError('SERVICE_NOT_FOUND', { name, known });
  return servicePaths(workspace, name);
}
