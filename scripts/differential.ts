/**
 * The long form of test/validate/differential.test.ts: `npm run differential -- [CHAINS] [SEED]` asks our validator and
 * `openssl verify` about so many random chains, and prints where they differ. Exit 1 when something is unexplained.
 * `npm run differential -- --keep DIRECTORY WORLD [SEED]` leaves one world in files, with the command for OpenSSL.
 */
import { type Answers, answers, compare } from '../test/support/differential.js';
import { DIFFERENCES, explanationOf } from '../test/support/differences.js';
import { randomWorld } from '../test/support/random-chains.js';

const [first = '50000', second, third, fourth] = process.argv.slice(2);
await (first === '--keep' ? keep(second!, Number(third), Number(fourth ?? 1)) : run(Number(first), Number(second ?? 1)));

async function run(count: number, seed: number): Promise<void> {
  const counts = { good: 0, bad: 0, explained: 0, unexplained: 0 };
  const uses = new Map<string, number>();
  let done = 0;
  for await (const answer of answers(seed, count)) {
    const explanation = explanationOf(answer);
    if (explanation === undefined) {
      counts.unexplained++;
      console.log(`unexplained: ${describe(answer)}`);
    } else if (explanation.length === 0) counts[answer.ours.length === 0 ? 'good' : 'bad']++;
    else counts.explained++;
    for (const [row, kind] of explanation ?? []) {
      const key = `${DIFFERENCES.indexOf(row)} ${kind}`;
      uses.set(key, (uses.get(key) ?? 0) + 1);
    }
    if (++done % 5_000 === 0) console.error(`${done} chains`);
  }
  for (const [index, { kinds, ours, openssl, right, reason }] of DIFFERENCES.entries()) {
    console.log(`\nwe: ${ours.join(', ') || 'valid'}; openssl: ${openssl.join(', ') || 'OK'}; right: ${right}\n  ${reason}`);
    for (const kind of kinds) console.log(`  ${String(uses.get(`${index} ${kind}`) ?? 0).padStart(6)}  ${kind}`);
  }
  console.log(
    `\n${done} chains, seed ${seed}: ${counts.good} good and ${counts.bad} bad for both, ${counts.explained} explained, ${counts.unexplained} unexplained`,
  );
  if (counts.unexplained > 0) process.exitCode = 1;
}

async function keep(directory: string, index: number, seed: number): Promise<void> {
  for (const answer of await compare(directory, randomWorld(seed, index))) console.log(describe(answer));
}

function describe({ id, labels, ours, theirs }: Answers): string {
  return `${id} [${labels.join(' + ')}] we: ${ours.join(', ') || 'valid'}; openssl: ${theirs.join(', ') || 'OK'}`;
}
