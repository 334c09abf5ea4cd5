import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { readPolicy } from '../../../src/authority/policy/policy.js';
import { readProfile } from '../../../src/authority/policy/profiles.js';
import { type ServicesFormat, readServicesFile } from '../../../src/authority/issue/services-file.js';

const page = readFileSync(new URL('../../../docs/policy.md', import.meta.url), 'utf8');
const blocks = [...page.matchAll(/^```(\w+)\n(.*?)^```$/gms)].map(([, format, text]) => ({ format: format!, text: text! }));

describe('docs/policy.md', () => {
  it('shows a policy and a profile that have every key', async () => {
    const policy = await readPolicy('/w/policy.yaml', blocks[0]!.text);
    assert.equal(Object.keys(policy).length, 8);
    assert.deepEqual([policy.names!.dns.length, policy.names!.ip.length, policy.names!.uri.length], [3, 3, 2]);
    const profile = await readProfile('/w/profiles/edge.yaml', blocks[1]!.text);
    assert.equal(Object.keys(profile).length, 10);
  });

  it('shows the same services in each format', async () => {
    const lists = blocks.slice(2);
    assert.deepEqual(
      lists.map(({ format }) => format),
      ['yaml', 'csv', 'jsonl'],
    );
    const readings = await Promise.all(lists.map(({ format, text }) => readServicesFile(text, '/w/services', format as ServicesFormat)));
    for (const { requests, problems } of readings) {
      assert.deepEqual(problems, []);
      assert.deepEqual(
        requests.map(({ request }) => request),
        readings[0]!.requests.map(({ request }) => request),
      );
      assert.equal(requests.length, 2);
    }
  });
});
