import type { TLSSocket } from 'node:tls';
import { createHash } from 'node:crypto';
import type { Clock } from '../base/clock.js';
import { fileState } from '../base/files.js';
import type { Log } from '../base/log.js';
import { MtlsError } from '../errors.js';
import { type Certificate, readCertificate } from '../pki/certificate.js';
import { isoTime, serialText } from '../pki/fields.js';
import { type Decision, type Shown, type Terms, decide } from './admission.js';
import { type AuditLine, type FailureCode, auditLine, failureLine, newId, tlsFacts } from './audit.js';
import { type CredentialFiles, type Credentials, crlFiles, loadCredentials } from './credentials.js';
import type { Peers } from './peers.js';

export interface GateOptions {
  readonly files: CredentialFiles;
  readonly peers: Peers;
  /** Who comes through: clients of ours, or we to a server. */
  readonly direction: AuditLine['direction'];
  readonly clock: Clock;
  readonly log: Log;
  readonly audit: (line: AuditLine) => void;
}

/** What was decided about a connection; `id` is in the audit. */
export interface Admitted {
  readonly id: string;
  readonly decision: Decision;
  readonly shown: Shown;
}

/** How often files are looked at, and live connections whose time may be over. */
const HEARTBEAT_MS = 500;
/** Chains that are remembered for sessions that come back: a ticket brings the certificate alone. */
const REMEMBERED_CHAINS = 1_024;
/** How long it takes until files are tried again that were of no use and did not change: what has not begun begins some time. */
const RETRY_MS = 10_000;

/**
 * Who may pass, from start to stop: holds the credentials, judges each connection by them, watches their files, and asks
 * again about live connections when a file changes or a certificate or CRL ends.
 */
export class Gate {
  readonly #options: GateOptions;
  readonly #live = new Map<TLSSocket, Admitted & { readonly address: string }>();
  readonly #chains = new Map<string, Shown>();
  readonly #onReload: ((credentials: Credentials) => void)[] = [];
  readonly #heartbeat: NodeJS.Timeout;
  #credentials: Credentials;
  #seen: string;
  /** When, and with which error, the files were of no use. */
  #failed: { readonly at: number; readonly code: string } | undefined;

  /** Throws what is wrong with the files. */
  constructor(options: GateOptions) {
    this.#options = options;
    this.#seen = stateOf(options.files);
    this.#credentials = loadCredentials(options.files, options.clock());
    this.#heartbeat = setInterval(() => this.#beat(), HEARTBEAT_MS).unref();
  }

  get credentials(): Credentials {
    return this.#credentials;
  }

  onReload(take: (credentials: Credentials) => void): void {
    this.#onReload.push(take);
  }

  /** Decides about whoever is at the other end, writes it down, and keeps watch over the connection while it lives. */
  admit(socket: TLSSocket, address: string): Admitted {
    const shown = this.#shownBy(socket);
    const now = this.#options.clock();
    const admitted = { id: newId(), decision: decide(shown, this.#terms, now), shown, address };
    this.#options.audit(auditLine(admitted.decision, this.#about(socket, 'decision', admitted)));
    if (admitted.decision.allowed) {
      this.#live.set(socket, admitted);
      socket.once('close', () => this.#live.delete(socket));
    }
    return admitted;
  }

  /** Writes down a connection that came to nothing before anybody could be judged; its id. */
  fail(code: FailureCode, reason: string, address: string): string {
    const { audit, clock, direction } = this.#options;
    const id = newId();
    audit(failureLine(code, reason, { time: clock().toISOString(), id, direction, address }));
    return id;
  }

  /** Reads the files again; false when something is wrong with them: then what was in force stays in force. */
  reload(): boolean {
    const { files, clock, log } = this.#options;
    const state = stateOf(files);
    const isNew = state !== this.#seen;
    this.#seen = state;
    try {
      this.#credentials = loadCredentials(files, clock());
    } catch (error) {
      if (!(error instanceof MtlsError)) throw error;
      // once for each state of the files: they may stay as they are for days
      if (isNew || this.#failed?.code !== error.code)
        log.warn('reload failed, the old state stays', { code: error.code, reason: error.message });
      this.#failed = { at: performance.now(), code: error.code };
      return false;
    }
    this.#failed = undefined;
    for (const take of this.#onReload) take(this.#credentials);
    const own = this.#credentials.chain[0]!;
    log.info('reloaded', { serial: serialText(own.serial), notAfter: isoTime(own.notAfter), crls: this.#credentials.crls.length });
    this.#askAgain(() => true);
    return true;
  }

  close(): void {
    clearInterval(this.#heartbeat);
  }

  #beat(): void {
    const isDue = this.#failed !== undefined && performance.now() - this.#failed.at > RETRY_MS;
    if (isDue || stateOf(this.#options.files) !== this.#seen) this.reload();
    const now = this.#options.clock().getTime();
    this.#askAgain(({ until }) => now > until);
  }

  #askAgain(about: (decision: Decision) => boolean): void {
    const now = this.#options.clock();
    // a peer has many connections, and a CRL may be long: one look for each chain is enough
    const decided = new Map<string, Decision>();
    for (const [socket, admitted] of [...this.#live]) {
      if (!about(admitted.decision)) continue;
      const name = nameOf(admitted.shown);
      const decision = decided.get(name) ?? decide(admitted.shown, this.#terms, now);
      decided.set(name, decision);
      if (decision.allowed) {
        this.#live.set(socket, { ...admitted, decision });
        continue;
      }
      this.#live.delete(socket);
      this.#options.audit(auditLine(decision, this.#about(socket, 'ended', admitted)));
      socket.destroy();
    }
  }

  get #terms(): Terms {
    const { peers, direction } = this.#options;
    return { credentials: this.#credentials, peers, purpose: direction === 'inbound' ? 'client' : 'server' };
  }

  #about(socket: TLSSocket, event: AuditLine['event'], { id, address }: { readonly id: string; readonly address: string }) {
    const { clock, direction } = this.#options;
    return { time: clock().toISOString(), event, id, direction, address, tls: socket.destroyed ? null : tlsFacts(socket) };
  }

  #shownBy(socket: TLSSocket): Shown {
    const sent = sentBy(socket);
    const [leaf] = sent;
    if (leaf === undefined) return { chain: [] };
    const name = createHash('sha256').update(leaf).digest('base64');
    const remembered = this.#chains.get(name);
    if (remembered !== undefined && socket.isSessionReused()) return remembered;
    const shown = readShown(sent);
    // a certificate without a chain leaves nothing to remember, and must not push out one that has
    if (sent.length === 1) return shown;
    this.#chains.delete(name);
    if (this.#chains.size >= REMEMBERED_CHAINS) this.#chains.delete(this.#chains.keys().next().value!);
    this.#chains.set(name, shown);
    return shown;
  }
}

/** The longest chain that is looked at: what anybody may send is tried in every order, while all others wait. */
const CHAIN_LIMIT = 6;

/** The DER of the certificates that the peer sent, the leaf first. */
function sentBy(socket: TLSSocket): Buffer[] {
  const found: Buffer[] = [];
  let certificate = socket.getPeerCertificate(true);
  // without a certificate this is an empty object; a self-signed one is its own issuer
  while ((certificate as Partial<typeof certificate>)?.raw !== undefined && found.length < CHAIN_LIMIT) {
    found.push(certificate.raw);
    if (certificate.issuerCertificate === certificate) break;
    certificate = certificate.issuerCertificate;
  }
  return found;
}

const nameOf = (shown: Shown): string => ('malformed' in shown ? '' : shown.chain.map(({ der }) => der.toString('latin1')).join('\n'));

/** What the peer shows of itself. An intermediate that cannot be read is not there; the peer's own must be readable. */
function readShown(sent: readonly Buffer[]): Shown {
  const chain: Certificate[] = [];
  for (const [i, der] of sent.entries()) {
    try {
      chain.push(readCertificate(der));
    } catch (error) {
      if (!(error instanceof MtlsError)) throw error;
      if (i === 0) return { malformed: error.message };
    }
  }
  return { chain };
}

const stateOf = (files: CredentialFiles): string => [files.certificate, files.key, files.ca, ...crlFiles(files)].map(fileState).join('\n');
