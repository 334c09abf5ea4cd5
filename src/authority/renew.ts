import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import type { Clock } from '../base/clock.js';
import { parseDuration } from '../base/duration.js';
import { readFileBounded } from '../base/files.js';
import { given } from '../base/given.js';
import { MtlsError, shellWord } from '../errors.js';
import type { Certificate } from '../pki/certificate.js';
import { KEY_TYPES, isKeyOf, readPrivateKey } from '../pki/key.js';
import { casOf } from './cas.js';
import { type IssueResult, issueCertificates } from './issue.js';
import { type Issued, type LedgerEntry, readLedger, revocationsIn } from './ledger.js';
import type { Watcher } from './lock.js';
import { type IssueRequest, currentCertificate } from './plan.js';
import { keyTypeOf } from './policy/policy.js';
import { revokeCertificates } from './revoke.js';
import { type Workspace, existingService, serviceNames, servicePaths } from './workspace.js';

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
  return serviceNames(workspace).flatMap((name): Renewable[] => {
    try {
      const certificate = currentCertificate(workspace, name);
      if (certificate === undefined) return [];
      return [{ name, certificate, due: certificate.notAfter >= end ? Infinity : dueAt(certificate, before) }];
    } catch (error) {
      failed(name, error);
      return [];
    }
  });
}

/** How to renew. */
export interface RenewOptions {
  readonly sameKey?: boolean;
  readonly clock: Clock;
  readonly watcher?: Watcher;
}

/** What the ledger knows, read once for many services. */
export interface Known {
  readonly issued: ReadonlyMap<string, Issued>;
  readonly revoked: ReadonlySet<string>;
}

/** Throws LEDGER_CORRUPT. */
export function knownTo(workspace: Workspace, ledger: readonly LedgerEntry[] = readLedger(workspace.paths.ledger)): Known {
  const issued = new Map(ledger.flatMap((entry) => (entry.event === 'issued' ? [[entry.serial, entry] as const] : [])));
  return { issued, revoked: new Set(revocationsIn(ledger).keys()) };
}

/**
 * Gives a service a new certificate with the names, the profile and the life of the one that it has, which stays valid.
 * Throws SERVICE_NOT_FOUND, NOT_RENEWABLE, or what `issueCertificates` throws; nothing is changed then.
 */
export async function renewService(workspace: Workspace, name: string, known: Known, options: RenewOptions): Promise<IssueResult> {
  existingService(workspace, name);
  const request = requestFor(workspace, name, known, options);
  const [issued] = await issueCertificates(workspace, [request], options.clock, options.watcher);
  return issued!;
}

/** Revokes the certificate that was replaced, as superseded. */
export async function revokeReplaced(workspace: Workspace, { replaced }: IssueResult, { clock, watcher }: RenewOptions): Promise<void> {
  if (replaced !== undefined) await revokeCertificates(workspace, { what: replaced.serial }, 'superseded', clock, watcher);
}

function requestFor(workspace: Workspace, name: string, known: Known, { sameKey = false }: RenewOptions): IssueRequest {
  const certificate = currentCertificate(workspace, name)!;
  const entry = known.issued.get(certificate.serial);
  const issue = `mtls issue ${shellWord(name)}`;
  if (entry === undefined || entry.name !== name || entry.sha256 !== createHash('sha256').update(certificate.der).digest('hex'))
    throw new MtlsError('NOT_RENEWABLE', { name, why: 'the ledger does not know its certificate', remedy: issue });
  if (known.revoked.has(certificate.serial))
    throw new MtlsError('NOT_RENEWABLE', { name, why: 'its certificate was revoked', remedy: `if it is to go on: ${issue}` });
  const { key: keyPath, certificate: path } = servicePaths(workspace, name);
  if (!fs.existsSync(keyPath))
    throw new MtlsError('NOT_RENEWABLE', { name, why: 'its key is not here', remedy: `with a new request: ${issue} --csr FILE` });
  const { dns, ip, uri } = certificate.subjectAltName;
  return {
    name,
    namespace: entry.namespace,
    profile: entry.profile,
    names: { dns, ip, uri },
    renews: certificate,
    ...given({ validity: lifeOf(workspace, entry), keyType: KEY_TYPES.find((type) => type === keyTypeOf(certificate.publicKey)) }),
    ...(sameKey ? { key: keyOf(keyPath, path, certificate) } : {}),
  };
}

/** Undefined, that is as the profile has it, where the life was cut short by the end of the CA. */
function lifeOf(workspace: Workspace, { at, notAfter }: Issued): number | undefined {
  const wasCapped = casOf(workspace.paths).some(({ certificate }) => certificate.notAfter === notAfter.getTime());
  // a certificate has whole seconds only
  return wasCapped ? undefined : Math.ceil((notAfter.getTime() - at.getTime()) / 1000) * 1000;
}

function keyOf(keyPath: string, path: string, certificate: Certificate) {
  const key = readPrivateKey(readFileBounded(keyPath), keyPath);
  if (!isKeyOf(key, certificate.publicKey)) throw new MtlsError('KEY_MISMATCH', { certificate: path, key: keyPath });
  return key;
}
