import { Random } from '../../scripts/fuzz/random.js';
import type { Ended, Fate, Place } from './crashing.js';

interface CrowdOptions {
  /** So many commands, one after the other, of each. */
  readonly each: number;
  /** One in eight is killed, at any instant or in the middle of what it does. */
  readonly killing?: boolean;
  readonly seed?: number;
}

/**
 * So many at once issue, renew, revoke and sign CRLs in one workspace, each its commands one after the other. All come to their
 * end, and what each reported is there. They find the lock of one that was killed.
 */
export async function crowd(place: Place, size: number, { each, killing = false, seed = 1 }: CrowdOptions) {
  const ended: Ended[] = [];
  const one = async (i: number): Promise<void> => {
    const random = new Random(seed + i);
    const own = `own-${i}`;
    const commands = [['issue', own, 'shared'], ['renew', own], ['revoke', own, '--reason', 'superseded'], ['crl'], ['issue', own, 'api']];
    for (let turn = 0; turn < each; turn++) {
      // what is there to renew or revoke comes with the first, which nobody kills
      const command = turn === 0 ? commands[0]! : commands[(i + turn) % commands.length]!;
      const fate = killing && turn > 0 && random.oneIn(8) ? randomDeath(random) : 'whole';
      ended.push(await place.run(command, fate));
    }
  };
  place.leaveLock();
  await Promise.all(Array.from({ length: size }, (_, i) => one(i)));
  await place.survive();
  const took = ended.map(({ milliseconds }) => milliseconds);
  return {
    commands: ended.length,
    killed: ended.filter(({ code }) => code === null).length,
    takeovers: ended.filter(({ stderr }) => /^took over the lock of process \d+ on .+, which is gone$/m.test(stderr)).length,
    longest: Math.max(...took),
  };
}

const randomDeath = (random: Random): Fate =>
  random.oneIn(2) ? { killAfter: random.below(3_000) } : { strike: { fault: 'kill', at: 4 + random.below(30) } };
