import * as fs from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { MtlsError, isError } from '../errors.js';
import { identityOf } from '../validate/identity.js';
import { casOf } from './cas.js';
import { type SignedCrl, dueCas, refreshCrls } from './crl.js';
import type { IssueResult } from './issue.js';
import { type Hooks, runHooks } from './renew-hooks.js';
import { writeMetrics } from './renew-metrics.js';
import { type Before, type Known, type Renewable, type RenewOptions, knownTo, renewService, renewables, revokeReplaced } from './renew.js';
import type { Workspace } from './workspace.js';

/** What happened to one service, or to the CRLs. */
export type RenewEvent =
  | { readonly event: 'renewed'; readonly result: IssueResult }
  | { readonly event: 'hooked' | 'revoked'; readonly service: string }
  | { readonly event: 'failed'; readonly service: string; readonly error: MtlsError }
  | { readonly event: 'crls'; readonly crls: readonly SignedCrl[] };

/** What rounds of renewals go by. */
export interface RoundOptions extends RenewOptions {
  readonly before: Before;
  readonly hooks: Hooks;
  readonly revokeOld: boolean;
  readonly metrics?: string;
  readonly tell: (event: RenewEvent) => void;
}

const FIRST_BACKOFF = 1_000;
const LONGEST_BACKOFF = 5 * 60_000;
/** A clock may jump, and files may come from elsewhere: it is looked again so often. */
const LONGEST_SLEEP = 60_000;
/** Where CRLs and metrics stand among the services. */
const CRLS = '(crls)';
const METRICS = '(metrics)';
const WORKSPACE = '(workspace)';

/** How long to wait after so many failures in a row. */
export const backoff = (failures: number): number => Math.min(FIRST_BACKOFF * 2 ** (failures - 1), LONGEST_BACKOFF);

interface Trouble {
  readonly failures: number;
  readonly next: number;
}

/**
 * Rounds of renewals. What failed is tried again, later each time; what was renewed and whose hook failed is not renewed
 * again, only its hook is run. One service's trouble stops no other.
 */
export class RenewRounds {
  readonly #workspace: Workspace;
  readonly #options: RoundOptions;
  readonly #troubles = new Map<string, Trouble>();
  readonly #unfinished = new Map<string, IssueResult>();
  /** Their files could not be read when it was looked last. */
  #unreadable: ReadonlySet<string> = new Set();
  #failures = 0;
  #lastSuccess: Date | undefined;

  constructor(workspace: Workspace, options: RoundOptions) {
    this.#workspace = workspace;
    this.#options = options;
  }

  get isTroubled(): boolean {
    return this.#troubles.size > 0;
  }

  /** Renews these, or whatever is due. Throws nothing but INTERRUPTED. */
  async round(names?: readonly string[], early: Early = () => 0): Promise<void> {
    for (const [name, result] of this.#unfinished) await this.#attempt(name, () => this.#finish(name, result));
    await this.#attempt(WORKSPACE, async () => {
      const due = names === undefined ? this.#due(early) : [];
      if (names === undefined && due.length === 0) return;
      const known = knownTo(this.#workspace);
      // what was revoked is not brought back unasked
      const targets = names ?? due.flatMap(({ name, certificate: { serial } }) => (known.revoked.has(serial) ? [] : [name]));
      for (const name of targets) await this.#attempt(name, () => this.#renew(name, known));
    });
    await this.#attempt(CRLS, () => this.#keepCrls());
    if (!this.isTroubled) this.#lastSuccess = this.#options.clock();
    await this.#attempt(METRICS, () => this.#writeMetrics());
  }

  /** Rounds until the signal: each when something is due, and once a minute. `random` (0 to 1) spreads them over a tenth of the life left. */
  async watch(signal: AbortSignal, random: () => number): Promise<void> {
    const jitter = new Map<string, number>();
    const early = (serial: string, left: number): number => {
      if (!jitter.has(serial)) jitter.set(serial, random());
      return (jitter.get(serial)! * left) / 10;
    };
    try {
      while (!signal.aborted) {
        await this.round(undefined, early);
        await sleep(this.#untilNext(early), undefined, { signal });
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  #due(early: Early): Renewable[] {
    const now = this.#options.clock().getTime();
    const unreadable = new Set<string>();
    const all = renewables(this.#workspace, this.#options.before, (name, error) => {
      unreadable.add(name);
      if (this.#isToTry(name)) this.#failed(name, error);
    });
    for (const name of this.#unreadable) if (!unreadable.has(name)) this.#troubles.delete(name);
    this.#unreadable = unreadable;
    return all.filter(({ certificate: { serial, notAfter }, due }) => due - early(serial, notAfter - due) <= now);
  }

  #untilNext(early: Early): number {
    const now = this.#options.clock().getTime();
    const dues = this.#quietly(() =>
      renewables(this.#workspace, this.#options.before, () => {}).map(({ name, certificate: { serial, notAfter }, due }) =>
        Math.max(due - early(serial, notAfter - due), this.#troubles.get(name)?.next ?? 0),
      ),
    );
    const waits = [...dues, ...[...this.#troubles.values()].map(({ next }) => next)].map((at) => at - now);
    // what is due and was passed over (revoked) waits for the next look
    return Math.min(LONGEST_SLEEP, ...waits.filter((wait) => wait > 0));
  }

  #quietly(act: () => number[]): number[] {
    try {
      return act();
    } catch {
      return []; // the next round says why
    }
  }

  async #renew(name: string, known: Known): Promise<void> {
    const result = await renewService(this.#workspace, name, known, this.#options);
    this.#options.tell({ event: 'renewed', result });
    this.#unfinished.set(name, result);
    await this.#finish(name, result);
  }

  /** The old one is revoked last: until the hook is done somebody still shows it. */
  async #finish(name: string, result: IssueResult): Promise<void> {
    const { hooks, revokeOld, tell } = this.#options;
    await runHooks(hooks, name, result.paths);
    if (hooks.exec !== undefined || hooks.signal !== undefined) tell({ event: 'hooked', service: name });
    if (revokeOld) {
      await revokeReplaced(this.#workspace, result, this.#options);
      tell({ event: 'revoked', service: name });
    }
    this.#unfinished.delete(name);
  }

  async #keepCrls(): Promise<void> {
    const { clock, watcher, tell } = this.#options;
    const withKey = casOf(this.#workspace.paths).filter(({ paths }) => fs.existsSync(paths.key));
    if (dueCas(this.#workspace.paths, withKey, clock()).length === 0) return;
    tell({ event: 'crls', crls: await refreshCrls(this.#workspace, clock, undefined, watcher) });
  }

  async #writeMetrics(): Promise<void> {
    const { metrics, clock, before } = this.#options;
    if (metrics === undefined) return;
    const certificates = renewables(this.#workspace, before, () => {}).map(({ name, certificate }) => ({
      ...{ service: name, namespace: identityOf(certificate)?.namespace ?? '', certificate },
    }));
    writeMetrics(metrics, { certificates, now: clock(), lastSuccess: this.#lastSuccess, failures: this.#failures });
  }

  #isToTry(name: string): boolean {
    const trouble = this.#troubles.get(name);
    return trouble === undefined || trouble.next <= this.#options.clock().getTime();
  }

  async #attempt(name: string, act: () => Promise<void>): Promise<void> {
    if (!this.#isToTry(name)) return;
    try {
      await act();
      this.#troubles.delete(name);
    } catch (error) {
      if (isError(error, 'INTERRUPTED')) throw error;
      this.#failed(name, error);
    }
  }

  #failed(service: string, error: unknown): void {
    if (!(error instanceof MtlsError)) throw error;
    this.#failures++;
    const failures = 1 + (this.#troubles.get(service)?.failures ?? 0);
    this.#troubles.set(service, { failures, next: this.#options.clock().getTime() + backoff(failures) });
    this.#options.tell({ event: 'failed', service, error });
  }
}

/** How many milliseconds before it is due, by serial number and what is left of its life then. */
type Early = (serial: string, left: number) => number;
