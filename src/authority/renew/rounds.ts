import * as fs from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { given } from '../../base/given.js';
import { MtlsError } from '../../errors.js';
import { identityOf } from '../../validate/identity.js';
import { Attempts, inRounds } from '../attempts.js';
import { everyCaOf } from '../cas/cas.js';
import { type SignedCrl, dueCas, refreshCrls } from '../revocation/crl.js';
import type { IssueResult } from '../issue/issue.js';
import { type Hooks, runHooks } from './hooks.js';
import { writeMetrics } from './metrics.js';
import { type Before, type Known, type Renewable, type RenewOptions, knownTo, renewService, renewables, revokeReplaced } from './renew.js';
import type { Workspace } from '../workspace.js';

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

/** Milliseconds in which whoever shows a certificate has seen the new one: sidecars look at their files twice a second. */
const RELOADING = 2_000;

/** Where CRLs and metrics stand among the services. */
const CRLS = '(crls)';
const METRICS = '(metrics)';
const WORKSPACE = '(workspace)';

/**
 * Rounds of renewals. What failed is tried again, later each time; what was renewed and whose hook failed is not renewed
 * again, only its hook is run. One service's trouble stops no other.
 */
export class RenewRounds {
  readonly #workspace: Workspace;
  readonly #options: RoundOptions;
  readonly #attempts: Attempts;
  /** Renewed, and the hook is still to be run, or the old one to be revoked. */
  readonly #unfinished = new Map<string, { readonly result: IssueResult; readonly isHooked: boolean }>();
  /** Their files could not be read when it was looked last. */
  #unreadable: ReadonlySet<string> = new Set();
  #lastSuccess: Date | undefined;

  constructor(workspace: Workspace, options: RoundOptions) {
    this.#workspace = workspace;
    this.#options = options;
    this.#attempts = new Attempts(options.clock, (service, error) => options.tell({ event: 'failed', service, error }));
  }

  get isTroubled(): boolean {
    return this.#attempts.isTroubled;
  }

  /** Renews these, or whatever is due. Throws nothing but INTERRUPTED. */
  async round(names?: readonly string[], early: Early = () => 0): Promise<void> {
    for (const [name, { result, isHooked }] of this.#unfinished)
      if (!isHooked) await this.#attempts.attempt(name, () => this.#hook(name, result));
    await this.#attempts.attempt(WORKSPACE, async () => {
      const due = names === undefined ? this.#due(early) : [];
      if (names === undefined && due.length === 0) return;
      const known = knownTo(this.#workspace);
      // what was revoked is not brought back unasked
      const targets = names ?? due.flatMap(({ name, certificate: { serial } }) => (known.revoked.has(serial) ? [] : [name]));
      for (const name of targets) await this.#attempts.attempt(name, () => this.#renew(name, known));
    });
    await this.#revokeOld();
    await this.#attempts.attempt(CRLS, () => this.#keepCrls());
    if (!this.isTroubled) this.#lastSuccess = this.#options.clock();
    await this.#attempts.attempt(METRICS, () => this.#writeMetrics());
  }

  /** Rounds until the signal: each when something is due, and once a minute. `random` (0 to 1) spreads them over a tenth of the life left. */
  async watch(signal: AbortSignal, random: () => number): Promise<void> {
    const jitter = new Map<string, number>();
    const early = (serial: string, left: number): number => {
      if (!jitter.has(serial)) jitter.set(serial, random());
      return (jitter.get(serial)! * left) / 10;
    };
    await inRounds(
      () => this.round(undefined, early),
      () => [...this.#dues(early), ...this.#attempts.nexts],
      this.#options.clock,
      signal,
    );
  }

  #due(early: Early): Renewable[] {
    const now = this.#options.clock().getTime();
    const unreadable = new Set<string>();
    const all = renewables(this.#workspace, this.#options.before, (name, error) => {
      unreadable.add(name);
      if (this.#attempts.isToTry(name)) this.#attempts.failed(name, error);
    });
    for (const name of this.#unreadable) if (!unreadable.has(name)) this.#attempts.forget(name);
    this.#unreadable = unreadable;
    return all.filter(({ certificate: { serial, notAfter }, due }) => due - early(serial, notAfter - due) <= now);
  }

  #dues(early: Early): number[] {
    try {
      return renewables(this.#workspace, this.#options.before, () => {}).map(({ name, certificate: { serial, notAfter }, due }) =>
        Math.max(due - early(serial, notAfter - due), this.#attempts.nextOf(name)),
      );
    } catch {
      return []; // the next round says why
    }
  }

  async #renew(name: string, known: Known): Promise<void> {
    const result = await renewService(this.#workspace, name, known, this.#options);
    this.#options.tell({ event: 'renewed', result });
    this.#unfinished.set(name, { result, isHooked: false });
    await this.#hook(name, result);
  }

  async #hook(name: string, result: IssueResult): Promise<void> {
    const { hooks, revokeOld, tell } = this.#options;
    await runHooks(hooks, name, result.paths);
    if (hooks.exec !== undefined || hooks.signal !== undefined) tell({ event: 'hooked', service: name });
    if (revokeOld) this.#unfinished.set(name, { result, isHooked: true });
    else this.#unfinished.delete(name);
  }

  /** The old ones are revoked last, all together: until the new ones were seen somebody still shows them. */
  async #revokeOld(): Promise<void> {
    const { watcher, tell } = this.#options;
    const replaced = [...this.#unfinished].filter(([, { isHooked }]) => isHooked);
    if (replaced.length === 0) return;
    await sleep(RELOADING, undefined, given({ signal: watcher?.signal })).catch(() => {
      throw new MtlsError('INTERRUPTED', {});
    });
    for (const [name, { result }] of replaced) {
      await this.#attempts.attempt(name, async () => {
        await revokeReplaced(this.#workspace, result, this.#options);
        this.#unfinished.delete(name);
        tell({ event: 'revoked', service: name });
      });
    }
  }

  async #keepCrls(): Promise<void> {
    const { clock, watcher, tell } = this.#options;
    const withKey = everyCaOf(this.#workspace.paths).filter(({ paths }) => fs.existsSync(paths.key));
    if (dueCas(this.#workspace.paths, withKey, clock()).length === 0) return;
    tell({ event: 'crls', crls: await refreshCrls(this.#workspace, clock, undefined, watcher) });
  }

  async #writeMetrics(): Promise<void> {
    const { metrics, clock, before } = this.#options;
    if (metrics === undefined) return;
    const certificates = renewables(this.#workspace, before, () => {}).map(({ name, certificate }) => ({
      ...{ service: name, namespace: identityOf(certificate)?.namespace ?? '', certificate },
    }));
    writeMetrics(metrics, { certificates, now: clock(), lastSuccess: this.#lastSuccess, failures: this.#attempts.failures });
  }
}

/** How many milliseconds before it is due, by serial number and what is left of its life then. */
type Early = (serial: string, left: number) => number;
