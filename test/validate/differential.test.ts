import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { type Answers, answers } from '../support/differential.js';
import { DIFFERENCES, type Difference, explanationOf } from '../support/differences.js';
import { missing, needs } from '../support/programs.js';
import { VARIATIONS } from '../support/random-chains.js';

const SEED = 1;
const CHAINS = 2_000;
/** How many chains are made for a row that none of those needed. */
const CHAINS_FOR_ROW = 400;

describe('random chains, asked about here and of openssl verify', function () {
  this.timeout(120_000);
  const all: Answers[] = [];
  const used = new Set<Difference>();

  before(needs('openssl'));
  before(async function () {
    // other releases have other numbers, and some of these differences no more
    if (!spawnSync('openssl', ['version'], { encoding: 'utf8' }).stdout.startsWith('OpenSSL 3.0.')) {
      missing.add('OpenSSL 3.0, for the differential test');
      this.test!.parent!.title += ' (left out: not OpenSSL 3.0)';
      this.skip();
    }
    for await (const answer of answers(SEED, CHAINS)) {
      all.push(answer);
      for (const [row] of explanationOf(answer) ?? []) used.add(row);
    }
  });

  it('get the same verdict from both, or the table says why not', () => {
    const unexplained = all.filter((answer) => explanationOf(answer) === undefined);
    assert.deepEqual(unexplained.map(describeAnswers), []);
  });

  it('need every row of the table', async () => {
    for (const row of DIFFERENCES.filter((candidate) => candidate.rare !== true && !used.has(candidate)))
      assert.ok(await isNeeded(row), `nothing needs the row of ${row.kinds.join(', ')}`);
  });

  it('are good and bad, with each feature and each fault', async () => {
    const good = all.filter(({ ours }) => ours.length === 0).length;
    assert.ok(good > CHAINS / 4 && good < (CHAINS * 3) / 4, `${good} of ${CHAINS} are good`);
    const met = new Set(all.flatMap(({ labels }) => labels));
    const { features, faults } = VARIATIONS;
    assert.equal(new Set([...features, ...faults]).size, features.length + faults.length);
    // few worlds have what some of these need
    for (const name of [...features, ...faults].filter((candidate) => !met.has(candidate))) {
      assert.ok(await isMet(name), `no chain has ${name}`);
    }
  });

  it('are told apart by a table that cites what it rests on', () => {
    for (const { reason } of DIFFERENCES) assert.match(reason, /RFC \d{4}|X\.690/);
  });
});

async function isNeeded(row: Difference): Promise<boolean> {
  for (const kind of row.kinds)
    for await (const answer of answers(SEED, CHAINS_FOR_ROW, kind))
      if (explanationOf(answer)?.some(([found]) => found === row) === true) return true;
  return false;
}

async function isMet(name: string): Promise<boolean> {
  for await (const { labels } of answers(SEED, CHAINS_FOR_ROW, name)) if (labels.includes(name)) return true;
  return false;
}

const describeAnswers = ({ id, labels, ours, theirs }: Answers): string =>
  `${id} [${labels.join(' + ')}]: we say ${ours.join(', ') || 'valid'}, OpenSSL ${theirs.join(', ') || 'OK'}`;
