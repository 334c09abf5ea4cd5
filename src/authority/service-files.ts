import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { makeDirectory, syncDirectory, writeError, writeNew } from '../base/files.js';

/** What a service has on disk, by file name. A key is left out when it is not ours to see. */
export interface ServiceFiles {
  readonly 'tls.crt': string;
  readonly 'tls.key'?: string;
  readonly 'ca.crt': string;
}

const DATA = '..data';

/** New files of a service that are on the disk and that nobody can see yet. */
export interface StagedFiles {
  /** Shows them all at once. */
  readonly commit: () => void;
  /** Takes them away again. */
  readonly discard: () => void;
}

/**
 * Lays files as Kubernetes lays a secret, so that certificate and key change by one rename and no reader, and no crash,
 * ever finds one of them without the other:
 *
 *     api/tls.crt -> ..data/tls.crt     api/..data -> ..4f3a9c21b07e     api/..4f3a9c21b07e/tls.crt
 *
 * Only for whoever holds the lock. Throws DISK_FULL or FILE_NOT_WRITABLE, with nothing changed.
 */
export function stageServiceFiles(directory: string, files: ServiceFiles): StagedFiles {
  const isNew = !fs.existsSync(directory);
  const version = `..${randomBytes(6).toString('hex')}`;
  const discard = (): void => fs.rmSync(isNew ? directory : join(directory, version), { recursive: true, force: true });
  try {
    makeDirectory(join(directory, version));
    for (const [name, data] of Object.entries(files) as [string, string][]) {
      writeNew(join(directory, version, name), data, name === 'tls.key' ? 0o600 : 0o644);
    }
    syncDirectory(join(directory, version));
  } catch (error) {
    discard();
    throw writeError(directory, error);
  }
  return { discard, commit: () => show(directory, version, Object.keys(files)) };
}

function show(directory: string, version: string, names: readonly string[]): void {
  try {
    const next = join(directory, `${DATA}_tmp`);
    fs.rmSync(next, { force: true });
    fs.symlinkSync(version, next);
    for (const name of names) link(join(directory, name), `${DATA}/${name}`);
    fs.renameSync(next, join(directory, DATA));
    syncDirectory(directory);
    sweep(directory, version, names);
  } catch (error) {
    throw writeError(directory, error);
  }
}

function link(path: string, target: string): void {
  const stat = fs.lstatSync(path, { throwIfNoEntry: false });
  if (stat?.isSymbolicLink() === true && fs.readlinkSync(path) === target) return;
  fs.rmSync(path, { force: true });
  fs.symlinkSync(target, path);
}

/** Removes older versions, those of killed processes too, and the link to a key that this version does not have. */
function sweep(directory: string, version: string, names: readonly string[]): void {
  for (const name of fs.readdirSync(directory)) {
    const path = join(directory, name);
    if (name.startsWith('..') && name !== DATA && name !== version) fs.rmSync(path, { recursive: true, force: true });
    else if (!name.startsWith('..') && !names.includes(name) && isLinkIntoData(path)) fs.rmSync(path, { force: true });
  }
}

const isLinkIntoData = (path: string): boolean => fs.lstatSync(path).isSymbolicLink() && fs.readlinkSync(path).startsWith(`${DATA}/`);
