import { DAY } from '../../base/duration.js';
import { fileState } from '../../base/files.js';
import type { Log } from '../../base/log.js';
import { MtlsError } from '../../errors.js';
import { isoTime } from '../../pki/fields.js';
import { generateKey, publicKeyInfo } from '../../pki/key.js';
import { labelOf } from '../../pki/name.js';
import type { CertificateStatus } from '../../pki/ocsp-write.js';
import { OID } from '../../pki/oids.js';
import { type Signer, signCertificate } from '../../pki/sign.js';
import { type Ca, type SigningCa, caId, everyCaOf, openCa } from '../cas/cas.js';
import { delegated } from '../cas/initialize.js';
import { BACKDATE } from '../issue/issue.js';
import { type Issued, appendLedger, revocationsIn } from '../ledger/ledger.js';
import { type LedgerView, viewLedger } from '../ledger/ledger-view.js';
import { withLock } from '../lock.js';
import type { AnsweringAuthority } from './ocsp-responder.js';
import type { Workspace } from '../workspace.js';

/** How long a delegation lasts. It is renewed when half of this is over, under another key. */
const DELEGATION = 7 * DAY;
/** How often it is looked whether the ledger changed. */
const LOOK_MS = 1_000;
/** How long it takes until a key is asked for again that could not be had. */
const RETRY_MS = 60_000;

/** Whom a CA delegated its answers to: a key in memory that nobody else ever sees. */
interface Delegation {
  readonly responder: Signer | undefined;
  readonly renewAt: number;
  readonly problem?: MtlsError;
}

/** What a workspace knows of its certificates, for an OCSP responder: read from the ledger, and again when that changes. */
export class OcspSource {
  readonly #workspace: Workspace;
  readonly #log: Log;
  readonly #delegations = new Map<string, Delegation>();
  #lookedAt = -Infinity;
  #found: Promise<readonly AnsweringAuthority[]> = Promise.resolve([]);
  #known: Known | undefined;
  /** What the list that was answered last was made of. */
  #made: { readonly of: string; readonly list: readonly AnsweringAuthority[] } | undefined;

  constructor(workspace: Workspace, log: Log) {
    this.#workspace = workspace;
    this.#log = log;
  }

  /** The CAs that can be answered for; the same list as long as nothing changed. Rejects with what is wrong with the workspace. */
  authoritiesAt(now: Date): Promise<readonly AnsweringAuthority[]> {
    if (Math.abs(now.getTime() - this.#lookedAt) < LOOK_MS) return this.#found;
    this.#lookedAt = now.getTime();
    // one after the other: a passphrase may have to be typed
    return (this.#found = this.#found.catch(() => {}).then(() => this.#look(now)));
  }

  /** Rejects when not one CA can be answered for, with why not. */
  async assertOpen(now: Date): Promise<void> {
    if ((await this.authoritiesAt(now)).length > 0) return;
    throw [...this.#delegations.values()].find(({ problem }) => problem !== undefined)!.problem!;
  }

  async #look(now: Date): Promise<readonly AnsweringAuthority[]> {
    const { paths } = this.#workspace;
    const cas = everyCaOf(paths);
    // a delegation is noted in the ledger, which is looked at after it
    for (const ca of cas) await this.#delegate(ca, now);
    const state = fileState(paths.ledger);
    if (this.#known?.state !== state) this.#known = { state, ...knownIn(viewLedger(paths)) };
    const list = cas.flatMap((ca) => this.#answering(ca, this.#known!, now));
    const of = [state, ...list.map(({ responder }) => responder.certificate.serial)].join(' ');
    if (this.#made?.of !== of) this.#made = { of, list };
    return this.#made.list;
  }

  /** Has a CA delegate its answers, when it is time. What cannot be renewed is used to its end. */
  async #delegate(ca: Ca, now: Date): Promise<void> {
    const id = caId(ca.certificate);
    const before = this.#delegations.get(id);
    if (before !== undefined && now.getTime() < before.renewAt) return;
    const name = labelOf(ca.certificate.subject);
    try {
      const responder = delegateOf(await openCa(ca, this.#workspace.passphrase), this.#workspace, now);
      const { ledger, lock } = this.#workspace.paths;
      await withLock(lock, async () => appendLedger(ledger, [delegated(responder.certificate, id, now)]));
      const { notAfter } = responder.certificate;
      this.#delegations.set(id, { responder, renewAt: (now.getTime() + notAfter) / 2 });
      this.#log.info('delegated', { ca: name, until: isoTime(notAfter) });
    } catch (error) {
      if (!(error instanceof MtlsError)) throw error;
      this.#delegations.set(id, { responder: before?.responder, renewAt: now.getTime() + RETRY_MS, problem: error });
      if (before?.problem?.code !== error.code) this.#log.warn('no new delegation', { ca: name, code: error.code, reason: error.message });
    }
  }

  #answering({ certificate }: Ca, { find, revoked }: Known, now: Date): AnsweringAuthority[] {
    const id = caId(certificate);
    const responder = this.#delegations.get(id)?.responder;
    if (responder === undefined || now.getTime() > responder.certificate.notAfter) return [];
    const statusOf = (asked: string): CertificateStatus => {
      const found = find(asked);
      return found?.issuer === id ? (revoked.get(found.serial) ?? { status: 'good' }) : { status: 'unknown' };
    };
    return [{ issuer: certificate, responder, statusOf }];
  }
}

/** By serial number: which certificate it is, and how it was revoked. */
interface Known {
  readonly state: string;
  readonly find: (serial: string) => Pick<Issued, 'serial' | 'issuer'> | undefined;
  readonly revoked: ReadonlyMap<string, CertificateStatus>;
}

function knownIn(view: LedgerView): Omit<Known, 'state'> {
  const cas = new Map(view.others.flatMap((entry) => (entry.event === 'ca' ? [[entry.serial, entry] as const] : [])));
  return {
    find: (serial) => cas.get(serial) ?? view.issued('serial', serial)[0],
    revoked: new Map([...revocationsIn(view.others)].map(([serial, { at, reason }]) => [serial, { status: 'revoked', at, reason }])),
  };
}

/** A certificate for OCSP signing, in force as long as the CA is at most (RFC 6960 §4.2.2.2). Throws ISSUER_EXPIRED. */
function delegateOf(ca: SigningCa, { settings }: Workspace, now: Date): Signer {
  const { notBefore, notAfter } = ca.certificate;
  if (now.getTime() >= notAfter) throw new MtlsError('ISSUER_EXPIRED', { notAfter: isoTime(notAfter), now: isoTime(now) });
  const key = generateKey(settings.keyType);
  const template = {
    subject: [[OID.commonName, `mtls OCSP responder ${caId(ca.certificate).slice(0, 8)}`]] as const,
    publicKey: publicKeyInfo(key),
    notBefore: new Date(Math.max(now.getTime() - BACKDATE, notBefore)),
    notAfter: new Date(Math.min(now.getTime() + DELEGATION, notAfter)),
    keyUsage: ['digitalSignature'] as const,
    extendedKeyUsage: [OID.ocspSigning],
    ocspNoCheck: true,
  } as const;
  return { certificate: signCertificate(template, ca), key };
}
