import assert from 'node:assert/strict';
import type { Fault, Strike } from './faults.js';
import type { KeyTask } from './key-child.js';
import { childProcesses, reportOf, threeAtATime } from './processes.js';

const WRITES = ['writeSync', 'writeFileSync'];

/**
 * Runs `task` in a process that is let be, and then in others that are killed at every change of the file system in turn, and
 * in the middle of every write. `place` makes the place of each; `survived` looks at what is left.
 */
export async function killEverywhere(
  task: (place: string) => KeyTask,
  place: () => string,
  survived: (task: KeyTask, place: string, wasKilled: boolean) => Promise<void>,
): Promise<void> {
  const children = await childProcesses<KeyTask>('key-child.ts');
  try {
    const whole = place();
    const { calls } = reportOf(await children.run(task(whole)));
    await survived(task(whole), whole, false);
    const strikes = calls.flatMap((call, at) => {
      const faults: readonly Fault[] = WRITES.includes(call) ? ['kill', 'tear'] : ['kill'];
      return faults.map((fault): Strike => ({ fault, at }));
    });
    assert.ok(strikes.length > 15, `${strikes.length} places only`);
    await threeAtATime(strikes, async (strike) => {
      const here = place();
      try {
        assert.deepEqual(await children.run({ ...task(here), strike }), { killed: true });
        await survived(task(here), here, true);
      } catch (error) {
        throw new Error(`${strike.fault} at ${strike.at}, ${calls[strike.at]}`, { cause: error });
      }
    });
  } finally {
    children.remove();
  }
}
