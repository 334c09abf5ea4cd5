import assert from 'node:assert/strict';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { LIMIT } from '../../scripts/fuzz/campaign.js';
import { Trial } from '../../scripts/fuzz/trial.js';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** The tests allow for the counting of c8, and for whoever else works on the same processors; `npm run fuzz` does not. */
const SLACK = 2;

/**
 * Tries it up to three times: each step of the best trial must be within what any input of a megabyte may cost.
 * `prepare` is not counted.
 */
export function isEachWithinLimits<T, Given = undefined>(
  run: (trial: Trial, given: Given) => T,
  prepare: () => Given = () => undefined as Given,
): T {
  const limit = SLACK * LIMIT.milliseconds;
  let [longest, greediest] = [Infinity, Infinity];
  let answer: T | undefined;
  // what takes far too long does so the second time too
  for (let tries = 0; tries < 3 && (tries === 0 || longest < 2 * limit) && (longest > limit || greediest > LIMIT.megabytes); tries++) {
    const given = prepare();
    collect();
    const trial = new Trial({ weighed: true });
    answer = run(trial, given);
    longest = Math.min(longest, trial.longest);
    greediest = Math.min(greediest, trial.greediest);
  }
  assert.ok(longest <= limit, `${longest.toFixed(0)} ms`);
  assert.ok(greediest <= LIMIT.megabytes, `${greediest.toFixed(0)} MB`);
  return answer as T;
}

/** The same for one step. */
export function isWithinLimits<T, Given = undefined>(run: (given: Given) => T, prepare?: () => Given): T {
  return isEachWithinLimits((trial, given) => trial.run(() => run(given)), prepare);
}
