import type { Clock } from '../base/clock.js';
import { MtlsError } from '../errors.js';
import { DEMO_REFUSALS, type Refusal, tryRefusal } from './refusals.js';
import { type Passage, startScene } from './scene.js';

/** What came of it; `ok` only if all went as it must. Every line of it is the outcome of a handshake in this run. */
export interface DemoReport {
  readonly ok: boolean;
  readonly workspace: string;
  readonly root: string;
  readonly services: readonly { readonly name: string; readonly uri: string; readonly serial: string }[];
  readonly passage: Passage;
  readonly refusals: readonly Refusal[];
}

export interface DemoOptions {
  /** An empty directory for everything that is written. */
  readonly directory: string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/**
 * The main job from end to end, on this machine and in real handshakes: a root, two services with a sidecar each, a
 * request from one to the other, then what must fail. Whatever it starts is stopped when it returns or throws.
 */
export async function runDemo(options: DemoOptions): Promise<DemoReport> {
  const scene = await startScene(options);
  try {
    const passage = await scene.passRequest();
    const refusals: Refusal[] = [];
    for (const attempt of DEMO_REFUSALS) {
      if (options.signal.aborted) throw new MtlsError('INTERRUPTED', {});
      refusals.push(await tryRefusal(attempt, scene));
    }
    const ok = passage.ok && refusals.every((refusal) => refusal.ok);
    return { ok, workspace: scene.workspace.paths.directory, root: scene.root, services: scene.services, passage, refusals };
  } finally {
    await scene.stop();
  }
}
