/**
 * Nothing is ever lost: `npm run crash -- --minutes 10 --seed 7`, after a build. Commands of the built program are killed and
 * refused writes, and each time the workspace is opened again and asked for what it promises (test/authority/witness.ts):
 * what was reported is there; what is half-done is invisible, or completed by the next command; serial numbers never repeat;
 * CRL numbers never go back; `audit verify` holds; keys and certificates belong together; openssl reads it all.
 *
 *     everywhere  each command, at every call that changes the file system: killed, killed in the middle of a write, refused
 *     random      commands in random order, killed at random instants, for --minutes; the same --seed, the same order
 *     processes   --processes of them at once (32), some of them killed
 *
 * `--only SECTION` runs one of them. A finding names the seed and the step, and its workspace is kept; the end is then 1.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Place, type Program, REFUSALS, crashingProgram, faultsAt, randomFate } from '../test/authority/crashing.js';
import { crowd } from '../test/authority/crowd.js';
import type { Strike } from '../test/authority/faults.js';
import { threeAtATime } from '../test/authority/processes.js';
import { Random } from './fuzz/random.js';

/** So many steps at random, and another workspace is begun. */
const STEPS = 150;
/** So many findings are enough. */
const ENOUGH = 10;

/** Commands that between them write all that is ever written, on a workspace where each has something to do. */
const COMMANDS: readonly (readonly string[])[] = [
  ['issue', 'api'],
  ['issue', 'api', 'cart'],
  ['renew', 'api'],
  ['renew', 'api', '--same-key', '--revoke-old'],
  ['revoke', 'api', '--reason', 'keyCompromise'],
  ['revoke', 'db', '--lift-hold'],
  ['crl'],
  ['authority', 'passphrase', '--new-passphrase-file', 'pass'],
  ['authority', 'seal', '--out', 'root0.key', '--new-passphrase-file', 'pass'],
  ['authority', 'unseal', 'root0.key'],
  ['authority', 'rotate', 'prepare'],
  ['authority', 'rotate', 'activate'],
  ['authority', 'rotate', 'retire'],
];

/** What must have been done before the last of these words is said. */
const BEFORE: Readonly<Record<string, readonly (readonly string[])[]>> = {
  unseal: [['authority', 'seal', '--out', 'root0.key', '--new-passphrase-file', 'pass']],
  activate: [['authority', 'rotate', 'prepare']],
  retire: [
    ['authority', 'rotate', 'prepare'],
    ['authority', 'rotate', 'activate'],
    // its certificate was on hold, and nobody renews it
    ['issue', 'db'],
    ['renew', '--all', '--revoke-old'],
  ],
};

const { values: flags } = parseArgs({
  options: {
    minutes: { type: 'string', default: '1' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 31)) },
    processes: { type: 'string', default: '32' },
    only: { type: 'string' },
  },
});

const SECTIONS = { everywhere, random, processes };
const chosen = Object.entries(SECTIONS).filter(([name]) => flags.only === undefined || flags.only === name);
const seed = Number(flags.seed);
const directory = mkdtempSync(join(tmpdir(), 'mtls-crash-'));
let [findings, places] = [0, 0];

if (chosen.length === 0) {
  console.error(`usage: npm run crash -- [--minutes M] [--seed N] [--processes P] [--only ${Object.keys(SECTIONS).join('|')}]`);
  process.exitCode = 2;
} else {
  const program = await crashingProgram();
  for (const [name, run] of chosen) {
    const start = performance.now();
    const before = findings;
    const done = await run(program);
    const seconds = Math.round((performance.now() - start) / 1000);
    console.log(`${name}: ${done}, ${findings - before} findings (seed ${flags.seed}, ${seconds} s)`);
  }
  program.remove();
}
if (findings === 0) rmSync(directory, { recursive: true });
else process.exitCode = 1;

function newDirectory(): string {
  const path = join(directory, String(places++));
  mkdirSync(path);
  return path;
}

/** What went wrong, where, and the last of what was run there. */
function report(where: string, place: Place, error: unknown): void {
  findings++;
  console.log(`finding: ${where}\n  ${(error as Error).message.replaceAll('\n', '\n  ')}\n  kept: ${place.directory}`);
  for (const line of place.history.slice(-6)) console.log(`    ${line}`);
}

async function everywhere(program: Program): Promise<string> {
  const open = await Place.create(newDirectory(), program, { issuingCa: true });
  let strikes = 0;
  for (const command of COMMANDS) {
    const from = open.copy(join(directory, `${places++}`));
    for (const done of BEFORE[command.find((word) => word in BEFORE) ?? ''] ?? []) await from.run(done);
    const begin = (): Place => {
      const place = from.copy(join(directory, `${places++}`));
      place.leaveLock();
      return place;
    };
    const { calls } = await begin().run(command, 'whole', true);
    const all = calls.flatMap((call, at) => [
      ...faultsAt(call).map((fault): Strike => ({ fault, at })),
      ...REFUSALS.map((refusal): Strike => ({ ...refusal, at })),
    ]);
    await threeAtATime(all, async (strike) => {
      if (findings >= ENOUGH) return;
      const place = begin();
      try {
        await place.run(command, { strike });
        await place.survive();
        rmSync(place.directory, { recursive: true });
      } catch (error) {
        report(`mtls ${command.join(' ')}, ${strike.fault} at call ${strike.at}, ${calls[strike.at]}`, place, error);
      }
    });
    strikes += all.length;
    console.error(`${command.join(' ')}: ${calls.length} calls, ${all.length} strikes`);
  }
  return `${COMMANDS.length} commands, ${strikes} strikes`;
}

async function random(program: Program): Promise<string> {
  const end = performance.now() + Number(flags.minutes) * 60_000;
  const counts = { commands: 0, killed: 0, refused: 0, workspaces: 0, reports: 0 };
  while (performance.now() < end && findings < ENOUGH) {
    const numbers = new Random(seed + counts.workspaces);
    const place = await Place.create(newDirectory(), program, { issuingCa: counts.workspaces++ % 2 === 0 });
    let step = 0;
    try {
      for (; step < STEPS && performance.now() < end; step++) {
        const { code } = await place.run(place.randomCommand(numbers), randomFate(numbers));
        counts.commands++;
        if (code === null) counts.killed++;
        else if (code !== 0) counts.refused++;
        await (step % 10 === 9 ? place.survive() : place.witness.check());
      }
      counts.reports += place.witness.reports;
      rmSync(place.directory, { recursive: true });
    } catch (error) {
      report(`seed ${flags.seed}, workspace ${counts.workspaces}, step ${step}`, place, error);
    }
    if (counts.workspaces % 10 === 0)
      console.error(`${counts.workspaces} workspaces, ${counts.commands} commands, ${counts.killed} killed`);
  }
  const { commands, killed, refused, workspaces, reports } = counts;
  return `${commands} commands in ${workspaces} workspaces, ${killed} killed, ${refused} refused a write, ${reports} things reported`;
}

async function processes(program: Program): Promise<string> {
  const place = await Place.create(newDirectory(), program, { issuingCa: true });
  try {
    const { commands, killed, longest, takeovers } = await crowd(place, Number(flags.processes), { each: 8, killing: true, seed });
    return `${flags.processes} at once, ${commands} commands, ${killed} killed, ${takeovers} locks taken over, the longest took ${(longest / 1000).toFixed(1)} s`;
  } catch (error) {
    report(`${flags.processes} processes, seed ${flags.seed}`, place, error);
    return `${flags.processes} at once`;
  }
}
