import * as fs from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { JsonObject } from '../base/json.js';
import { assertPrivate, readError, readFileBounded } from '../base/files.js';
import { MtlsError, isError } from '../errors.js';
import { KEY_TYPES, type KeyType } from '../pki/key.js';
import { assertSigned } from './cas/cas.js';
import { asHttpUrl, asTrustDomain } from './names.js';
import { type CaFiles, type CaPaths, caFilesOf, rotationOf } from './rotation/state.js';

export const WORKSPACE_VERSION = 1;
const DIRECTORY = '.mtls';

/** What `workspace.json` says. */
export interface WorkspaceSettings {
  readonly version: typeof WORKSPACE_VERSION;
  readonly trustDomain: string;
  readonly keyType: KeyType;
  readonly createdAt: Date;
  /** Where the CRLs and an OCSP responder are asked for, as certificates say it. */
  readonly crlUrl?: string;
  readonly ocspUrl?: string;
}

/** Where everything is. All paths are absolute; those of CAs are of the generation that signs at the moment they are asked for. */
export interface WorkspacePaths extends CaFiles {
  readonly directory: string;
  readonly settings: string;
  readonly authority: string;
  /** The request that a company's CA is to sign. */
  readonly request: string;
  readonly bundle: string;
  readonly ledger: string;
  /** Where its lines are by what they are about; made anew when it is not there. */
  readonly ledgerIndex: string;
  readonly lock: string;
  readonly services: string;
  readonly policy: string;
  readonly profiles: string;
}

/** Where certificates of a CA say that its CRL is: below a URL that ends in `/`, under the name of its file. */
export function crlUrlsOf({ crlUrl }: Pick<WorkspaceSettings, 'crlUrl'>, { crl }: CaPaths): readonly string[] {
  if (crlUrl === undefined) return [];
  return [crlUrl.endsWith('/') ? `${crlUrl}${basename(crl)}` : crlUrl];
}

/** Finds a passphrase for the key at `path`, asking somebody where it must; the same one again, however often it is called. */
export type PassphraseSource = (path: string) => Promise<string>;

/** A workspace that was found and is of a version that we read. */
export interface Workspace {
  readonly paths: WorkspacePaths;
  readonly settings: WorkspaceSettings;
  /** Where its CAs' keys are encrypted. */
  readonly passphrase?: PassphraseSource;
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
  const generations = new Map<number, CaFiles>();
  const current = (): CaFiles => {
    const number = rotationOf(authority).current;
    const known = generations.get(number) ?? caFilesOf(authority, number);
    generations.set(number, known);
    return known;
  };
  return {
    directory,
    settings: join(directory, 'workspace.json'),
    authority,
    get root() {
      return current().root;
    },
    get issuing() {
      return current().issuing;
    },
    get chain() {
      return current().chain;
    },
    get chainCrls() {
      return current().chainCrls;
    },
    get cross() {
      return current().cross;
    },
    request: join(authority, 'issuing.csr'),
    bundle: join(authority, 'bundle.pem'),
    ledger: join(authority, 'ledger.jsonl'),
    ledgerIndex: join(authority, 'ledger.index'),
    lock: join(authority, 'lock'),
    services: join(directory, 'services'),
    policy: join(directory, 'policy.yaml'),
    profiles: join(directory, 'profiles'),
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
export function openWorkspace(explicit: string | undefined, cwd: string, passphrase?: PassphraseSource): Workspace {
  const paths = workspacePaths(locateWorkspace(explicit, cwd));
  const settings = readSettings(paths.settings, explicit ?? cwd);
  assertPrivate(paths.directory);
  assertPrivate(paths.authority);
  return { paths, settings, ...(passphrase === undefined ? {} : { passphrase }) };
}

/** Where that workspace is, whatever is wrong with it. Throws WORKSPACE_NOT_FOUND. */
export function locateWorkspace(explicit: string | undefined, cwd: string): string {
  const directory = explicit === undefined ? findDirectory(cwd) : workspaceDirectory(explicit);
  if (directory === undefined || !fs.existsSync(directory)) throw new MtlsError('WORKSPACE_NOT_FOUND', { searched: explicit ?? cwd });
  return directory;
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
      ...optionalUrl(settings, 'crlUrl'),
      ...optionalUrl(settings, 'ocspUrl'),
    };
  } catch (error) {
    if (!isError(error, 'VALUE_INVALID')) throw error;
    throw new MtlsError('WORKSPACE_INVALID', { path, problems: [error.message] }, { cause: error });
  }
}

function optionalUrl(settings: JsonObject, key: 'crlUrl' | 'ocspUrl'): Partial<Record<typeof key, string>> {
  const url = settings.optionalString(key);
  return url === undefined ? {} : { [key]: asHttpUrl(url, key) };
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

/** The paths of a service that must exist. Throws CA_NOT_SIGNED, and SERVICE_NOT_FOUND with the names that there are. */
export function existingService(workspace: Workspace, name: string): ServicePaths {
  assertSigned(workspace.paths);
  const known = serviceNames(workspace);
  if (!known.includes(name)) throw new MtlsError('SERVICE_NOT_FOUND', { name, known });
  return servicePaths(workspace, name);
}
