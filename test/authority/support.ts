import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Ca, type SigningCa, caId, casOf, openCa } from '../../src/authority/cas/cas.js';
import { dueCas, readWorkspaceCrls, refreshCrls } from '../../src/authority/revocation/crl.js';
import { type InitializeOptions, initializeWorkspace } from '../../src/authority/cas/initialize.js';
import { type IssueResult, issueCertificates } from '../../src/authority/issue/issue.js';
import { currentUser, readLedger } from '../../src/authority/ledger/ledger.js';
import type { IssueRequest } from '../../src/authority/issue/plan.js';
import { type RevokeResult, revokeCertificates } from '../../src/authority/revocation/revoke.js';
import { type Workspace, type WorkspacePaths, serviceNames, servicePaths } from '../../src/authority/workspace.js';
import type { Clock } from '../../src/base/clock.js';
import { verifySignature } from '../../src/pki/algorithms.js';
import { isSignedBy } from '../../src/pki/certificate.js';
import type { Crl, Reason } from '../../src/pki/crl.js';
import { isKeyOf, readPrivateKey } from '../../src/pki/key.js';
import { readCertificates } from '../../src/pki/material.js';
import { AT } from '../support/chains.js';
import { temporaryDirectory } from '../support/material.js';

/** Modes, links and uids mean something here. */
export const unix = process.platform === 'win32' ? it.skip : it;

/** Stands still at AT. */
export const clock: Clock = () => AT;
/** Stands still so many milliseconds after AT. */
export const clockAt =
  (milliseconds: number): Clock =>
  () =>
    new Date(AT.getTime() + milliseconds);

/** A workspace of shop.test in a directory of its own, made at AT. */
export function newWorkspace(options: Partial<InitializeOptions> = {}) {
  const directory = temporaryDirectory();
  const made = initializeWorkspace({ directory: join(directory.path, '.mtls'), trustDomain: 'shop.test', clock, ...options });
  return { ...made, parent: directory.path, remove: directory.remove };
}

/** The one certificate of one request. */
export async function issueOne(workspace: Workspace, request: string | IssueRequest, at: Clock = clock): Promise<IssueResult> {
  const [issued] = await issueCertificates(workspace, [typeof request === 'string' ? { name: request } : request], at);
  return issued!;
}

/** The CA that signs, with its key. */
export const issuerWithKey = (workspace: Workspace): Promise<SigningCa> => openCa(casOf(workspace.paths).at(-1)!, workspace.passphrase);

/** A new CRL of the one CA of a workspace. */
export async function refreshCrl(workspace: Workspace, at: Clock, validity?: number): Promise<Crl> {
  return (await refreshCrls(workspace, at, validity)).at(-1)!.crl;
}

/** The CRL of the root. */
export const rootCrl = (paths: WorkspacePaths): Crl => readWorkspaceCrls(paths)[0];

/** The root, and whether its CRL is due. */
export const rootOf = (paths: WorkspacePaths): Ca => casOf(paths)[0];
export const isCrlDue = (paths: WorkspacePaths, now: Date): boolean => dueCas(paths, [rootOf(paths)], now).length > 0;

/** Revokes, where there is one CA and so one CRL. */
export async function revoke(workspace: Workspace, what: string, reason: Reason, at: Clock): Promise<RevokeResult & { readonly crl: Crl }> {
  const result = await revokeCertificates(workspace, { what }, reason, at);
  return { ...result, crl: result.crls[0]!.crl };
}

/** Who makes the entries here. */
export const by = currentUser();

/** How the ledger names the root. */
export const rootId = (paths: WorkspacePaths): string => caId(rootOf(paths).certificate);

export const text = (path: string): string => readFileSync(path, 'utf8');

/** All that must hold of a workspace at any instant: what can be seen is whole, belongs together, and stands in the ledger. */
export function assertWhole(workspace: Workspace): void {
  const root = rootOf(workspace.paths).certificate;
  const ledger = readLedger(workspace.paths.ledger);
  const issued = ledger.flatMap((entry) => (entry.event === 'issued' ? [entry.serial] : []));
  assert.equal(new Set(issued).size, issued.length, 'no serial twice');
  const numbers = ledger.flatMap((entry) => (entry.event === 'crl' ? [entry.number] : []));
  assert.deepEqual(
    numbers,
    numbers.map((_, i) => i + 1),
    'every CRL has the number after the one before',
  );
  const crl = rootCrl(workspace.paths);
  assert.equal(verifySignature(crl.signatureAlgorithm, crl.tbs, crl.signature, root.publicKey), 'valid');
  assert.ok(numbers.includes(Number(`0x${crl.number}`)), 'the ledger knows the CRL');
  for (const name of serviceNames(workspace)) {
    const paths = servicePaths(workspace, name);
    const certificate = readCertificates(paths.certificate)[0]!;
    assert.ok(issued.includes(certificate.serial), `the ledger knows the certificate of ${name}`);
    assert.equal(isSignedBy(certificate, root), 'valid');
    assert.ok(isKeyOf(readPrivateKey(readFileSync(paths.key), paths.key), certificate.publicKey), `the key of ${name} is its own`);
    assert.equal(text(paths.ca), text(workspace.paths.bundle));
  }
}

export { failure } from '../support/failure.js';
export { staleLock } from './processes.js';
