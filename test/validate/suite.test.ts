import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BatchAnswer, answerLine } from '../../src/validate/batch.js';
import { missing } from '../support/programs.js';

// The suite is not shipped with the sources. A tier is a floor, not a picture: more may agree than is asked here.
const DIRECTORY = process.env['MTLS_SUITES'] ?? fileURLToPath(new URL('../../../shared/suites', import.meta.url));
const FILE = join(DIRECTORY, 'limbo.jsonl');
const TIERS = { core: [130, 130], depth: [5, 5], dos: [7, 7] } as const;

interface Case {
  readonly id: string;
  readonly tier: string;
  readonly expect: boolean;
}

describe('the x509-limbo suite', () => {
  const cases: { readonly asked: Case; readonly answer: BatchAnswer }[] = [];

  before(function () {
    if (!existsSync(FILE)) {
      missing.add('the x509-limbo suite (MTLS_SUITES)');
      this.test!.parent!.title += ' (left out: not here, see MTLS_SUITES)';
      this.skip();
    }
    const now = new Date();
    for (const line of readFileSync(FILE, 'utf8').trim().split('\n'))
      cases.push({ asked: JSON.parse(line) as Case, answer: answerLine(line, now) });
  });

  const differing = (tier: string): typeof cases =>
    cases.filter(({ asked, answer }) => asked.tier === tier && answer.valid !== asked.expect);
  const describeCase = ({ asked, answer }: (typeof cases)[number]): string =>
    `${asked.id}: expected ${asked.expect ? 'valid' : 'a refusal'}, found ${answer.errors.map(({ code }) => code).join(', ') || 'valid'}`;

  for (const [tier, [floor, size]] of Object.entries(TIERS)) {
    it(`${tier}: at least ${floor} of ${size} agree`, () => {
      const ofTier = cases.filter(({ asked }) => asked.tier === tier);
      assert.equal(ofTier.length, size);
      const others = differing(tier).map(describeCase);
      for (const line of others) console.log(`      differs: ${line}`);
      assert.ok(size - others.length >= floor, `${size - others.length} agree, these do not:\n${others.join('\n')}`);
    });

    it(`${tier}: nothing is accepted that should be refused`, () => {
      assert.deepEqual(
        differing(tier)
          .filter(({ answer }) => answer.valid)
          .map(describeCase),
        [],
      );
    });
  }

  it('answers with the id of the request, and says why whenever it refuses', () => {
    for (const { asked, answer } of cases) {
      assert.equal(answer.id, asked.id);
      assert.equal(answer.errors.length === 0, answer.valid, asked.id);
    }
  });
});
