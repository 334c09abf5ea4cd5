import { type KeyObject, createHash } from 'node:crypto';
import * as fs from 'node:fs';
import type { Clock } from '../../base/clock.js';
import { parseDuration } from '../../base/duration.js';
import { readFileBounded } from '../../base/files.js';
import { given } from '../../base/given.js';
import { MtlsError, isError, shellWord } from '../../errors.js';
import type { Certificate } from '../../pki/certificate.js';
import { KEY_TYPES, isEncryptedKey, isKeyOf, readPrivateKey } from '../../pki/key.js';
import { caId, casOf, everyCaOf, otherCasOf } from '../cas/cas.js';
import { type IssueResult, issueCertificates } from '../issue/issue.js';
import { type Issued, revocationsIn } from '../ledger/ledger.js';
import { viewLedger } from '../ledger/ledger-view.js';
import type { Watcher } from '../lock.js';
import { type IssueRequest, currentCertificate } from '../issue/plan.js';
import { keyTypeOf } from '../policy/policy.js';
import { revokeCertificates } from '../revocation/revoke.js';
import { type PassphraseSource, type Workspace, existingService, serviceNames, servicePaths } from '../workspace.js';

/** When a certificate is due: at so many milliseconds, or at that share of its life, before its end. */
export type Before = { readonly milliseconds: number } | { readonly share: number };

/** At two thirds of the life. */
export const USUAL_BEFORE: Before = { share: 1 / 3 };
/** Nothing is due before so much of its life is over, or a certificate shorter than what was asked would be renewed without end. */
const LEAST_AGE = 0.1;

/** Reads `20d` or `33%`. Throws VALUE_INVALID. */
export function parseBefore(text: string): Before {
  const percent = /^(\d{1,2})%$/.exec(text.trim());
  if (percent === null) return { milliseconds: parseDuration(text, '--before') };
  const share = Number(percent[1]) / 100;
  if (share > 0) return { share };
  throw new MtlsError('VALUE_INVALID', { what: '--before', found: text, expected: 'a duration such as 20d, or 1% to 99% of the life' });
}

/** From when on a certificate is due. */
export function dueAt({ notBefore, notAfter }: Pick<Certificate, 'notBefore' | 'notAfter'>, before: Before = USUAL_BEFORE): number {
  const life = notAfter - notBefore;
  const left = 'share' in before ? before.share * life : before.milliseconds;
  return Math.max(notAfter - left, notBefore + LEAST_AGE * life);
}

/** A service, the certificate that it has now, and when that is due. */
export interface Renewable {
  readonly name: string;
  readonly certificate: Certificate;
  /** Infinity where a new one would end no later: the issuing CA ends then. */
  readonly due: number;
}

/** Every service with the certificate that it shows; `failed` is told of those whose files cannot be read. */
export function renewables(workspace: Workspace, before: Before, failed: (name: string, error: unknown) => void): Renewable[] {
  const end = casOf(workspace.paths).at(-1)!.certificate.notAfter;
  const others = otherCasOf(workspace.paths).map(({ certificate }) => caId(certificate));
  const dueOf = (certificate: Certificate): number => {
    // of a root that was rotated away from: everybody waits for this one
    if (others.includes(certificate.authorityKeyId ?? '')) return certificate.notBefore;
    return certificate.notAfter >= end ? Infinity : dueAt(certificate, before);
  };
  return serviceNames(workspace).flatMap((name): Renewable[] => {
    try {
      const certificate = currentCertificate(workspace, name);
      if (certificate === undefined) return [];
      return [{ name, certificate, due: dueOf(certificate) }];
    } catch (error) {
      failed(name, error);
      return [];
    }
  });
}

/** How to renew. */
export interface RenewOptions {
  readonly sameKey?: boolean;
  /** Finds what the key at a path is to be under. Without one no key is renewed that was under a passphrase. */
  readonly keyPassphrase?: PassphraseSource;
  readonly clock: Clock;
  readonly watcher?: Watcher;
}

/** What the ledger knows, opened once for many services. */
export interface Known {
  readonly find: (serial: string) => Issued | undefined;
  readonly revoked: ReadonlySet<string>;
}

/** Throws LEDGER_CORRUPT. */
export function knownTo({ paths }: Workspace): Known {
  const view = viewLedger(paths);
  return { find: (serial) => view.issued('serial', serial)[0], revoked: new Set(revocationsIn(view.others).keys()) };
}

/**
 * Gives a service a new certificate with the names, the profile and the life of the one that it has, which stays valid.
 * Throws SERVICE_NOT_FOUND, NOT_RENEWABLE, PASSPHRASE_WRONG, or what `issueCertificates` throws; nothing is changed then.
 */
export async function renewService(workspace: Workspace, name: string, known: Known, options: RenewOptions): Promise<IssueResult> {
  existingService(workspace, name);
  const request = await requestFor(workspace, name, known, options);
  const [issued] = await issueCertificates(workspace, [request], options.clock, options.watcher);
  return issued!;
}

/** Revokes the certificate that was replaced, as superseded. */
export async function revokeReplaced(workspace: Workspace, { replaced }: IssueResult, { clock, watcher }: RenewOptions): Promise<void> {
  if (replaced !== undefined) await revokeCertificates(workspace, { what: replaced.serial }, 'superseded', clock, watcher);
}

async function requestFor(workspace: Workspace, name: string, known: Known, options: RenewOptions): Promise<IssueRequest> {
  const certificate = currentCertificate(workspace, name)!;
  const entry = known.find(certificate.serial);
  const issue = `mtls issue ${shellWord(name)}`;
  if (entry === undefined || entry.name !== name || entry.sha256 !== createHash('sha256').update(certificate.der).digest('hex'))
    throw new MtlsError('NOT_RENEWABLE', { name, why: 'the ledger does not know its certificate', remedy: issue });
  if (known.revoked.has(certificate.serial))
    throw new MtlsError('NOT_RENEWABLE', { name, why: 'its certificate was revoked', remedy: `if it is to go on: ${issue}` });
  const { key: keyPath } = servicePaths(workspace, name);
  if (!fs.existsSync(keyPath))
    throw new MtlsError('NOT_RENEWABLE', { name, why: 'its key is not here', remedy: `with a new request: ${issue} --csr FILE` });
  if (options.keyPassphrase === undefined && isClosed(keyPath)) {
    const why = 'its key is under a passphrase, and none was given for the next one';
    throw new MtlsError('NOT_RENEWABLE', { name, why, remedy: `mtls renew ${shellWord(name)} --key-passphrase-file FILE` });
  }
  const keyPassphrase = await options.keyPassphrase?.(keyPath);
  const { dns, ip, uri } = certificate.subjectAltName;
  return {
    name,
    namespace: entry.namespace,
    profile: entry.profile,
    names: { dns, ip, uri },
    renews: certificate,
    ...given({ validity: lifeOf(workspace, entry), keyType: KEY_TYPES.find((type) => type === keyTypeOf(certificate.publicKey)) }),
    ...given({ keyPassphrase, key: options.sameKey === true ? keyOf(workspace, name, certificate, keyPassphrase) : undefined }),
  };
}

/** Undefined, that is as the profile has it, where the life was cut short by the end of the CA. */
function lifeOf(workspace: Workspace, { at, notAfter }: Issued): number | undefined {
  const wasCapped = everyCaOf(workspace.paths).some(({ certificate }) => certificate.notAfter === notAfter.getTime());
  // a certificate has whole seconds only
  return wasCapped ? undefined : Math.ceil((notAfter.getTime() - at.getTime()) / 1000) * 1000;
}

/** Whatever is wrong with a key, the next one mends. */
function isClosed(path: string): boolean {
  try {
    return isEncryptedKey(readFileBounded(path));
  } catch {
    return false;
  }
}

function keyOf(workspace: Workspace, name: string, { publicKey }: Certificate, passphrase: string | undefined): KeyObject {
  const { key: path, certificate } = servicePaths(workspace, name);
  const key = openedKey(path, passphrase, `mtls renew ${shellWord(name)} --same-key --key-passphrase-file FILE`);
  if (!isKeyOf(key, publicKey)) throw new MtlsError('KEY_MISMATCH', { certificate, key: path });
  return key;
}

function openedKey(path: string, passphrase: string | undefined, remedy: string): KeyObject {
  try {
    return readPrivateKey(readFileBounded(path), path, passphrase);
  } catch (error) {
    throw isError(error, 'PASSPHRASE_WRONG') ? new MtlsError('PASSPHRASE_WRONG', { path, remedy }, { cause: error }) : error;
  }
}
