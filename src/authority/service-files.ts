import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { type Staged, makeDirectory, removeQuietly, syncDirectory, writeError, writeNew } from '../base/files.js';

/** What a service has on disk, by file name. A key is left out when it is not ours to see. */
export interface ServiceFiles {
  readonly 'tls.crt': string;
  readonly 'tls.key'?: string;
  readonly 'ca.crt': string;
}

const DATA = '..data';
const NEXT = '..data_tmp';

/**
 * Lays files as Kubernetes lays a secret, so that certificate and key change by one rename and no reader, and no crash,
 * ever finds one of them without the other:
 *
 *     api/tls.crt -> ..data/tls.crt     api/..data -> ..4f3a9c21b07e     api/..4f3a9c21b07e/tls.crt
 *
 * All that needs space is done here: what `commit` has left to do is the rename. Only for whoever holds the lock. Throws
 * DISK_FULL or FILE_NOT_WRITABLE, with nothing changed.
 */
export function stageServiceFiles(directory: string, files: ServiceFiles): Staged {
  const isNew = !fs.existsSync(directory);
  const version = `..${randomBytes(6).toString('hex')}`;
  const names = Object.keys(files);
  const made = [version, NEXT];
  const discard = (): void => (isNew ? [directory] : made.map((name) => join(directory, name))).forEach(removeQuietly);
  try {
    makeDirectory(join(directory, version));
    for (const [name, data] of Object.entries(files) as [string, string][]) {
      writeNew(join(directory, version, name), data, name === 'tls.key' ? 0o600 : 0o644);
    }
    syncDirectory(join(directory, version));
    fs.rmSync(join(directory, NEXT), { force: true });
    fs.symlinkSync(version, join(directory, NEXT));
    // a link into what is not there yet shows nothing
    for (const name of names.filter((each) => fs.lstatSync(join(directory, each), { throwIfNoEntry: false }) === undefined)) {
      fs.symlinkSync(`${DATA}/${name}`, join(directory, name));
      made.push(name);
    }
  } catch (error) {
    discard();
    throw writeError(directory, error);
  }
  return { discard, commit: () => show(directory, version, names) };
}

function show(directory: string, version: string, names: readonly string[]): void {
  try {
    const data = join(directory, DATA);
    // a copy that followed links made a directory of it
    if (fs.lstatSync(data, { throwIfNoEntry: false })?.isDirectory() === true) fs.renameSync(data, `${data}_${version.slice(2)}`);
    fs.renameSync(join(directory, NEXT), data);
    for (const name of names) replaceByLink(directory, name);
    syncDirectory(directory);
  } catch (error) {
    throw writeError(directory, error);
  }
  sweep(directory, version, names);
}

/** For what was laid here by somebody else. */
function replaceByLink(directory: string, name: string): void {
  if (isLinkIntoData(join(directory, name))) return;
  const next = join(directory, NEXT);
  fs.symlinkSync(`${DATA}/${name}`, next);
  fs.renameSync(next, join(directory, name));
}

/** Removes older versions, those of killed processes too, and the link to a key that this version does not have. */
function sweep(directory: string, version: string, names: readonly string[]): void {
  try {
    for (const name of fs.readdirSync(directory)) {
      const path = join(directory, name);
      if (name.startsWith('..') && name !== DATA && name !== version) removeQuietly(path);
      else if (!name.startsWith('..') && !names.includes(name) && isLinkIntoData(path)) removeQuietly(path);
    }
  } catch {
    // the new files are there; the next issue sweeps
  }
}

const isLinkIntoData = (path: string): boolean => fs.lstatSync(path).isSymbolicLink() && fs.readlinkSync(path).startsWith(`${DATA}/`);
