import type { Clock } from '../../base/clock.js';
import { readFileBounded, removeQuietly, syncDirectory, writeNew } from '../../base/files.js';
import { given } from '../../base/given.js';
import { MtlsError } from '../../errors.js';
import type { Certificate } from '../../pki/certificate.js';
import { KEY_TYPES, type KeyType, isEncryptedKey, readPrivateKey } from '../../pki/key.js';
import { isSameName, labelOf } from '../../pki/name.js';
import { toPem } from '../../pki/pem.js';
import type { Signer } from '../../pki/sign.js';
import { type Ca, caId, casOf, hasKey, openCa } from '../cas/cas.js';
import { caCertified, caKeyPem } from '../cas/initialize.js';
import { type LedgerEntry, type Revoked, appendLedger } from '../ledger/ledger.js';
import { viewLedger } from '../ledger/ledger-view.js';
import type { Watcher } from '../lock.js';
import { keyTypeOf } from '../policy/policy.js';
import { FIRST_CRL_NUMBER, revokedBy, signWorkspaceCrl } from '../revocation/crl.js';
import type { Workspace } from '../workspace.js';
import { type NextCas, makeNextCas } from './next-cas.js';
import { type StepResult, rotated, takeStep } from './rotate.js';
import { spread } from './spread.js';
import { type CaPaths, caFilesOf, nextGeneration, writeRotation } from './state.js';

export interface PrepareOptions {
  /** As that of the root before, unless told otherwise. */
  readonly keyType?: KeyType;
  /** Milliseconds; as long as the root before was made for. */
  readonly validity?: number;
  /** The root before need not be at hand: who trusts only it will not accept what the new one has signed. */
  readonly crossSign: boolean;
}

/**
 * Makes the next root, has the one that signs certify its key, and tells everybody here to trust both; it signs no services yet.
 * Throws ROTATION_STATE when a rotation is under way, ROTATION_NEEDS_KEY when the key of the root is not at hand, ROOT_NOT_OURS,
 * LEDGER_CORRUPT, or an error of writing; nothing counts then.
 */
export async function prepareRotation(
  workspace: Workspace,
  { crossSign, ...options }: PrepareOptions,
  clock: Clock,
  watcher: Watcher = {},
): Promise<StepResult> {
  const { paths, settings } = workspace;
  return takeStep(workspace, 'prepare', { clock, watcher }, async (rotation) => {
    const [root, issuing] = casOf(paths);
    assertOurs(workspace, root, crossSign);
    const by = crossSign ? await openCa(root, workspace.passphrase) : undefined;
    const now = clock();
    const before = { root: root.certificate, issuing: issuing?.certificate };
    const made = makeNextCas(
      before,
      by,
      { keyType: keyTypeLike(root, settings.keyType), trustDomain: settings.trustDomain, ...given(options) },
      now,
    );
    const next = nextGeneration(paths.authority);
    const entries = writeNext(paths.authority, next, {
      made,
      passphrases: await passphrasesLike(workspace, root, issuing),
      now,
      before: root.certificate,
      revoked: revokedBy(new Set([caId(root.certificate)]), viewLedger(paths).others, now),
    });
    appendLedger(paths.ledger, entries);
    const after = { ...rotation, next };
    const spreading = spread(workspace, after);
    writeRotation(paths.authority, after);
    return { blockers: [], spread: spreading };
  });
}

/** A root that was never ours is its owner's to rotate; the key of one that was is wanted to certify the next. Throws ROOT_NOT_OURS, ROTATION_NEEDS_KEY. */
export function assertOurs({ paths }: Workspace, root: Ca, crossSign: boolean): void {
  if (hasKey(root)) return;
  const id = caId(root.certificate);
  const moved = viewLedger(paths).others.filter((entry) => (entry.event === 'sealed' || entry.event === 'burnt') && entry.key === id);
  const name = labelOf(root.certificate.subject);
  if (moved.length === 0) throw new MtlsError('ROOT_NOT_OURS', { name });
  const isBurnt = moved.at(-1)!.event === 'burnt';
  if (crossSign) throw new MtlsError('ROTATION_NEEDS_KEY', { name, path: root.paths.key, isBurnt });
}

const keyTypeLike = ({ certificate }: Ca, usual: KeyType): KeyType =>
  KEY_TYPES.find((type) => type === keyTypeOf(certificate.publicKey)) ?? usual;

interface Passphrases {
  readonly root: string | undefined;
  readonly issuing: string | undefined;
}

/** Each new key is kept as the one in whose place it comes: that of a root that is away as the one that signs. */
async function passphrasesLike(workspace: Workspace, root: Ca, issuing: Ca | undefined): Promise<Passphrases> {
  const signing = issuing ?? root;
  return {
    root: await passphraseOf(workspace, hasKey(root) ? root : signing),
    issuing: await passphraseOf(workspace, signing),
  };
}

/** What opens the key of a CA, tried on it; undefined for one that lies open. Throws PASSPHRASE_WRONG. */
async function passphraseOf({ passphrase }: Workspace, { paths: { key: path } }: Ca): Promise<string | undefined> {
  const bytes = readFileBounded(path);
  if (!isEncryptedKey(bytes)) return undefined;
  const opens = await passphrase?.(path);
  readPrivateKey(bytes, path, opens);
  return opens;
}

interface ToWrite {
  readonly made: NextCas;
  readonly passphrases: Passphrases;
  readonly now: Date;
  readonly before: Certificate;
  /** What the one before says is revoked: both speak for one name. */
  readonly revoked: readonly Revoked[];
}

/** All files of a generation, or none; and what the ledger is to say of it. */
function writeNext(authority: string, generation: number, { made, passphrases, now, before, revoked }: ToWrite): LedgerEntry[] {
  const files = caFilesOf(authority, generation);
  const written: string[] = [];
  const write = (path: string, text: string, mode: number): void => {
    written.push(path);
    writeNew(path, text, mode);
  };
  const writeCa = (
    { certificate, key }: Signer,
    { certificate: path, ...beside }: CaPaths,
    passphrase: string | undefined,
  ): LedgerEntry[] => {
    write(path, toPem('CERTIFICATE', certificate.der), 0o644);
    write(beside.key, caKeyPem(key, passphrase), 0o600);
    const known = isSameName(certificate.subject, before.subject) ? revoked : [];
    const crl = signWorkspaceCrl({ certificate, key }, { number: FIRST_CRL_NUMBER, now, revoked: known });
    write(beside.crl, toPem('X509 CRL', crl.der), 0o644);
    return [caCertified(certificate, now), { event: 'crl', at: now, issuer: caId(certificate), number: FIRST_CRL_NUMBER }];
  };
  const { root, issuing, cross } = made;
  try {
    const entries = writeCa(root, files.root, passphrases.root);
    if (issuing !== undefined) entries.push(...writeCa(issuing, files.issuing, passphrases.issuing));
    if (cross !== undefined) {
      write(files.cross, toPem('CERTIFICATE', cross.der), 0o644);
      entries.push(caCertified(cross, now));
    }
    syncDirectory(authority);
    return [...entries, rotated('prepared', root.certificate, before, now)];
  } catch (error) {
    written.forEach(removeQuietly);
    throw error;
  }
}
