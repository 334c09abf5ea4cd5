import assert from 'node:assert/strict';
import { Campaign, type Finding, examine, measureHere } from '../../scripts/fuzz/campaign.js';
import { readCorpus } from '../../scripts/fuzz/corpus.js';
import { TARGETS, type Target } from '../../scripts/fuzz/targets.js';

/** About a second and a half of each, of the same seed always. `npm run fuzz` goes on from there, guided by coverage. */
const EXECUTIONS: Readonly<Record<keyof typeof TARGETS, number>> = {
  der: 2_500,
  certificate: 1_200,
  crl: 1_200,
  csr: 6_000,
  ocsp: 4_000,
  'ocsp-request': 3_000,
  pem: 1_200,
  pkcs12: 3_000,
  ledger: 2_500,
};

const said = ({ kind, key, input, detail }: Finding): string =>
  `${kind}: ${key}\n${detail}\n${input.subarray(0, 3_000).toString('base64')} (${input.length} octets)`;

describe('fuzzing, the short form', () => {
  for (const [name, executions] of Object.entries(EXECUTIONS) as [keyof typeof TARGETS, number][]) {
    const target: Target = TARGETS[name];

    it(`finds nothing in ${executions} inputs for ${name}`, () => {
      const findings: Finding[] = [];
      const measure = (input: Buffer) => measureHere(target, input);
      const campaign = new Campaign(target, { seed: 1, measure, found: (finding) => findings.push(finding) });
      campaign.plant(target.seeds());
      while (campaign.executions < executions) campaign.step();
      assert.deepEqual(findings.map(said), []);
      assert.ok(campaign.outcomes.size > 5, `only ${campaign.outcomes.size} outcomes: the inputs do not come far`);
    });

    it(`finds nothing in what was kept for ${name}`, () => {
      const corpus = readCorpus(name);
      assert.ok(corpus.length > 0);
      for (const { holds, data } of corpus) {
        const { finding } = examine(target, data);
        assert.equal(finding, undefined, `${holds}: ${finding === undefined ? '' : said(finding)}`);
      }
    });
  }
});
