import type { KeyObject } from 'node:crypto';
import * as fs from 'node:fs';
import { type Staged, assertPrivate, havingDone, readFileBounded, stageFile } from '../../base/files.js';
import { MtlsError, isError } from '../../errors.js';
import { isEncryptedKey, isKeyOf, publicKeyInfo, readPrivateKey } from '../../pki/key.js';
import { caKeysOf } from './cas.js';
import { caKeyPem } from './initialize.js';
import { type Watcher, withLock } from '../lock.js';
import type { Workspace, WorkspacePaths } from '../workspace.js';

/** The files of keys that were written anew, and of those that were as they are to be already. */
export interface PassphraseResult {
  readonly changed: readonly string[];
  readonly unchanged: readonly string[];
}

/** The keys of the CAs that are here. */
const keysOf = (paths: WorkspacePaths): string[] => caKeysOf(paths).filter((path) => fs.existsSync(path));

/** Those of them that a passphrase opens. */
export const closedKeys = ({ paths }: Workspace): string[] => keysOf(paths).filter((path) => isEncryptedKey(readFileBounded(path)));

/**
 * Puts the keys of the CAs that are here under `fresh`, or under nothing when it is undefined; the workspace's passphrase
 * opens them. All are opened and the new files are on the disk before the first is switched; killed in between, the same call
 * finishes: what `fresh` opens already is left as it is. Throws PASSPHRASE_WRONG and KEY_ENCRYPTED, CA_KEY_AWAY when there is
 * no key here.
 */
export async function changePassphrase(workspace: Workspace, fresh: string | undefined, watcher: Watcher = {}): Promise<PassphraseResult> {
  const { paths } = workspace;
  // somebody may have to type: nobody else need wait for that
  const ahead = new Map<string, OpenedKey>();
  for (const path of keysOf(paths)) ahead.set(path, await openForChange(workspace, path, fresh));
  const change = async (): Promise<PassphraseResult> => {
    const keys = keysOf(paths);
    if (keys.length === 0) throw new MtlsError('CA_KEY_AWAY', { name: 'the CA', path: paths.root.key });
    const opened: OpenedKey[] = [];
    for (const path of keys) opened.push(await openForChange(workspace, path, fresh, ahead.get(path)));
    const toWrite = opened.flatMap(({ path, key }) => (key === undefined ? [] : [{ path, key }]));
    const staged = stageAll(toWrite, fresh);
    const changed: string[] = [];
    for (const [i, { path }] of toWrite.entries()) {
      const done = changed.length === 0 ? 'nothing was changed' : `under the new passphrase already: ${changed.join(', ')}`;
      havingDone({ done, rest: 'do the same again' }, () => commit(staged, i));
      changed.push(path);
    }
    return { changed, unchanged: keys.filter((path) => !changed.includes(path)) };
  };
  return withLock(paths.lock, change, watcher);
}

interface OpenedKey {
  readonly path: string;
  readonly bytes: Buffer;
  /** Undefined when the file is as it is to be. */
  readonly key: KeyObject | undefined;
}

/** Opening takes a third of a second: what was opened `before`, and has not changed, is not opened again. */
async function openForChange({ passphrase }: Workspace, path: string, fresh: string | undefined, before?: OpenedKey): Promise<OpenedKey> {
  assertPrivate(path);
  const bytes = readFileBounded(path);
  if (before?.bytes.equals(bytes) === true) return before;
  if (!isEncryptedKey(bytes)) {
    const key = readPrivateKey(bytes, path);
    return { path, bytes, key: fresh === undefined ? undefined : key };
  }
  if (fresh !== undefined && isOpenedBy(bytes, path, fresh)) return { path, bytes, key: undefined };
  return { path, bytes, key: readPrivateKey(bytes, path, await passphrase?.(path)) };
}

function isOpenedBy(bytes: Buffer, path: string, passphrase: string): boolean {
  try {
    readPrivateKey(bytes, path, passphrase);
    return true;
  } catch (error) {
    if (isError(error, 'PASSPHRASE_WRONG') || isError(error, 'KEY_UNREADABLE')) return false;
    throw error;
  }
}

/** All of them are on the disk, and open again, or none is. */
function stageAll(keys: readonly { readonly path: string; readonly key: KeyObject }[], fresh: string | undefined): Staged[] {
  const staged: Staged[] = [];
  try {
    for (const { path, key } of keys) {
      const pem = caKeyPem(key, fresh);
      if (!isKeyOf(readPrivateKey(Buffer.from(pem), path, fresh), publicKeyInfo(key)))
        throw new MtlsError('INTERNAL', { problem: 'a key that was encrypted does not open again' });
      staged.push(stageFile(path, pem, 0o600));
    }
  } catch (error) {
    for (const each of staged) each.discard();
    throw error;
  }
  return staged;
}

/** What cannot be switched takes those behind it away. */
function commit(staged: readonly Staged[], i: number): void {
  try {
    staged[i]!.commit();
  } catch (error) {
    for (const each of staged.slice(i + 1)) each.discard();
    throw error;
  }
}
