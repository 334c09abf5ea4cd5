import assert from 'node:assert/strict';
import { installCa } from '../../src/authority/cas/install.js';
import { changePassphrase } from '../../src/authority/cas/passphrase.js';
import { activateRotation, prepareRotation, retireRotation } from '../../src/authority/rotation/index.js';
import { burnRoot, sealRoot, unsealRoot } from '../../src/authority/cas/seal.js';
import { type Workspace, openWorkspace } from '../../src/authority/workspace.js';
import { readFileBounded } from '../../src/base/files.js';
import { crlsIn, readCertificates } from '../../src/pki/material.js';
import { type Strike, injectFaults } from './faults.js';

/** What a process of its own is asked to do with the keys of the CAs, as the JSON that is its argument. */
export interface KeyTask {
  readonly act: 'seal' | 'unseal' | 'burn' | 'passphrase' | 'install' | 'prepare' | 'activate' | 'retire';
  /** The workspace's own directory. */
  readonly directory: string;
  readonly now: number;
  /** What opens the keys. */
  readonly passphrase?: string;
  /** The new one; none is none. */
  readonly fresh?: string;
  /** The sealed key, or the certificate to install. */
  readonly file?: string;
  readonly chain?: string;
  readonly crls?: string;
  readonly strike?: Strike;
}

const NOWHERE = { deployed: [], live: [] };

/** Does it, in this process. */
export async function perform({ act, passphrase, fresh, file, chain, crls, directory, now }: KeyTask): Promise<void> {
  const workspace = workspaceAt(directory, passphrase);
  const clock = (): Date => new Date(now);
  if (act === 'seal') await sealRoot(workspace, { out: file!, ...(fresh === undefined ? {} : { passphrase: fresh }) }, clock);
  else if (act === 'unseal') await unsealRoot(workspace, file!, clock);
  else if (act === 'burn') await burnRoot(workspace, clock);
  else if (act === 'passphrase') await changePassphrase(workspace, fresh);
  else if (act === 'prepare') await prepareRotation(workspace, { crossSign: true }, clock);
  else if (act === 'activate') assert.deepEqual((await activateRotation(workspace, NOWHERE, clock)).blockers, []);
  else if (act === 'retire') assert.deepEqual((await retireRotation(workspace, NOWHERE, clock)).blockers, []);
  else {
    const above = { chain: readCertificates(chain!), crls: crlsIn(readFileBounded(crls!), crls!) };
    await installCa(workspace, { certificate: file!, ...above }, clock);
  }
}

/** A workspace whose keys that passphrase opens. */
export const workspaceAt = (directory: string, passphrase?: string): Workspace =>
  openWorkspace(directory, directory, passphrase === undefined ? undefined : () => Promise.resolve(passphrase));

async function main(task: KeyTask): Promise<void> {
  const { calls } = injectFaults(task.strike);
  await perform(task);
  console.log(JSON.stringify({ serials: [], calls }));
}

if (process.argv[2]?.startsWith('{') === true)
  void main(JSON.parse(process.argv[2]) as KeyTask).catch((error: unknown) => {
    console.error(error);
    process.exitCode = 1;
  });
