import type { Coverage } from './coverage.js';
import { encodeItems, parseItems, placesIn } from './elements.js';
import { timesOf } from './mutate-text.js';
import { Random } from './random.js';
import type { Target } from './targets.js';
import { Trial, WrongAnswer } from './trial.js';

/** What one step with any input of a megabyte may cost: more is a finding. */
export const LIMIT = { milliseconds: 1_000, megabytes: 200 } as const;

/** What must not have happened. Findings of one `key` have one cause, as far as can be told. */
export interface Finding {
  readonly kind: 'throw' | 'wrong answer' | 'slow' | 'memory' | 'hang' | 'crash';
  readonly key: string;
  readonly input: Buffer;
  readonly detail: string;
}

/** What an input costs when nothing else runs, best of several. */
export type Measure = (input: Buffer) => { readonly milliseconds: number; readonly megabytes: number };

interface Options {
  readonly seed: number;
  readonly measure: Measure;
  /** None where somebody else counts: what is kept then rests on outcomes alone. */
  readonly coverage?: Coverage;
  /** Told of each input before it is tried. */
  readonly before?: (input: Buffer) => void;
  readonly found: (finding: Finding) => void;
  readonly kept?: (input: Buffer) => void;
}

/** So many inputs are tried between two looks at the coverage. */
const BATCH = 100;
/** Above this an input is bent seldom: one that is small says as much in less time. */
const SMALL = 4_096;

/** One target under fire. Everything but the clock follows from the seed. */
export class Campaign {
  readonly #target: Target;
  readonly #options: Options;
  readonly #random: Random;
  readonly #corpus: Buffer[] = [];
  readonly #findings = new Set<string>();
  /** The smallest input for each outcome. */
  readonly #outcomes = new Map<string, Buffer>();
  #executions = 0;
  #peak = 0;

  constructor(target: Target, options: Options) {
    this.#target = target;
    this.#options = options;
    this.#random = new Random(options.seed);
  }

  get executions(): number {
    return this.#executions;
  }

  get corpus(): number {
    return this.#corpus.length;
  }

  get findings(): ReadonlySet<string> {
    return this.#findings;
  }

  get outcomes(): ReadonlyMap<string, Buffer> {
    return this.#outcomes;
  }

  /** Tries inputs as they are and takes them up: seeds, and what earlier campaigns kept. */
  plant(inputs: readonly Buffer[]): void {
    const { coverage } = this.#options;
    for (const input of inputs) {
      this.#try(input);
      this.#corpus.push(input);
      coverage?.add(coverage.take());
    }
  }

  /** Tries some more: a batch. */
  step(): void {
    const { coverage } = this.#options;
    const batch: Buffer[] = [];
    for (let i = 0; i < BATCH; i++) {
      const input = this.#bent();
      batch.push(input);
      if (this.#try(input)) this.#keep(input);
    }
    if (coverage === undefined) return;
    let fresh = new Set(coverage.take());
    for (const input of batch) {
      if (fresh.size === 0) break;
      this.#try(input);
      const reached = coverage.take().filter((block) => fresh.has(block));
      if (reached.length === 0) continue;
      coverage.add(reached);
      this.#keep(input);
      fresh = new Set([...fresh].filter((block) => !reached.includes(block)));
    }
    // reached once and not again: what a cache does, or a first call
    coverage.add([...fresh]);
  }

  #bent(): Buffer {
    const random = this.#random;
    let input = this.#chosen();
    for (let times = timesOf(random); times > 0; times--) input = this.#target.mutate(input, random, () => this.#chosen());
    return input;
  }

  #chosen(): Buffer {
    const [one, another] = [this.#random.pick(this.#corpus), this.#random.pick(this.#corpus.slice(-50))];
    const chosen = this.#random.oneIn(2) ? one : another;
    return chosen.length <= SMALL || this.#random.oneIn(1 + chosen.length / SMALL) ? chosen : this.#random.pick(this.#corpus);
  }

  #keep(input: Buffer): void {
    if (this.#corpus.at(-1)?.equals(input) === true) return;
    this.#corpus.push(input);
    this.#options.kept?.(input);
  }

  /** Runs one input. True when something came of it that never did before. */
  #try(input: Buffer): boolean {
    const { before, measure } = this.#options;
    before?.(input);
    this.#executions++;
    const trial = new Trial();
    const { outcome, finding } = examine(this.#target, input, trial);
    const peak = process.resourceUsage().maxRSS / 1024;
    const grown = peak - this.#peak;
    this.#peak = peak;
    if (finding !== undefined) this.#report(finding);
    if (trial.longest > LIMIT.milliseconds || grown > LIMIT.megabytes) this.#cost(input, measure(input));
    const smallest = this.#outcomes.get(outcome);
    if (smallest === undefined || input.length < smallest.length) this.#outcomes.set(outcome, input);
    return smallest === undefined;
  }

  #cost(input: Buffer, { milliseconds, megabytes }: ReturnType<Measure>): void {
    const detail = `${milliseconds.toFixed(0)} ms, ${megabytes.toFixed(0)} MB for ${input.length} octets`;
    if (milliseconds > LIMIT.milliseconds) this.#report({ kind: 'slow', key: 'slow', input, detail });
    if (megabytes > LIMIT.megabytes) this.#report({ kind: 'memory', key: 'memory', input, detail });
  }

  #report(finding: Finding): void {
    if (this.#findings.has(finding.key)) return;
    this.#findings.add(finding.key);
    this.#options.found(finding);
    if (finding.kind === 'throw' || finding.kind === 'wrong answer')
      this.#options.found({ ...finding, input: smaller(this.#target, finding, this.#options.before) });
  }
}

/** Runs one input: what came of it, without what differs from input to input, and the finding if it is one. */
export function examine(target: Target, input: Buffer, trial = new Trial()): { readonly outcome: string; readonly finding?: Finding } {
  try {
    return {
      outcome: inGeneral(target.check(input, trial)),
    };
  } catch (error) {
    const wrong = error instanceof WrongAnswer;
    const { name, message, stack = '' } = error instanceof Error ? error : new Error(String(error));
    const place = /src\/[\w/-]+\.ts:\d+/.exec(stack)?.[0] ?? '';
    const key = wrong ? message : `${name} ${place === '' ? message.replace(/\d+/g, '#') : place}`;
    const detail = stack.split('\n').slice(0, 12).join('\n');
    return { outcome: `finding ${key}`, finding: { kind: wrong ? 'wrong answer' : 'throw', key, input, detail } };
  }
}

/** An outcome without what the input itself says in it: else each input would have its own. */
const inGeneral = (outcome: string): string =>
  outcome
    .replace(/\b(?:0x)?[\da-f]*\d[\da-f]*\b/g, '#')
    .replace(/#(?:\.#)+/g, '#')
    .slice(0, 300);

/** Leaves elements and octets out as long as the finding stays the same; a little, not the least. */
function smaller(target: Target, { key, input }: Finding, before: Options['before']): Buffer {
  const end = performance.now() + 3_000;
  let best = input;
  const stays = (candidate: Buffer): boolean => {
    before?.(candidate);
    if (candidate.length >= best.length || examine(target, candidate).finding?.key !== key) return false;
    best = candidate;
    return true;
  };
  for (let at = 0; performance.now() < end; at++) {
    const items = parseItems(best) ?? [];
    const place = placesIn(items)[at];
    if (place === undefined) break;
    place.siblings.splice(place.index, 1);
    if (stays(encodeItems(items))) at = -1;
  }
  for (let size = best.length >> 1; size > 0; size >>= 1) {
    for (let at = 0; at < best.length && performance.now() < end;) {
      if (!stays(Buffer.concat([best.subarray(0, at), best.subarray(at + size)]))) at += size;
    }
  }
  return best;
}

/** The cost of one input in this process, best of three. */
export function measureHere(target: Target, input: Buffer): ReturnType<Measure> {
  let [milliseconds, megabytes] = [Infinity, Infinity];
  for (let i = 0; i < 3 && (milliseconds > LIMIT.milliseconds || megabytes > LIMIT.megabytes); i++) {
    globalThis.gc?.();
    const trial = new Trial({ weighed: true });
    examine(target, input, trial);
    milliseconds = Math.min(milliseconds, trial.longest);
    megabytes = Math.min(megabytes, trial.greediest);
    // what takes this long does so the second time too
    if (milliseconds > 5 * LIMIT.milliseconds) break;
  }
  return { milliseconds, megabytes };
}
