import assert from 'node:assert/strict';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { verifyDeployment } from '../../../src/cli/deployment.js';
import { failure, unix } from '../../authority/support.js';
import { AT, DAY, shifted } from '../../support/chains.js';
import { type Deployed, ca, crl, leaf, secret, tree } from './support.js';

const root = ca('root');

type Question = Parameters<typeof verifyDeployment>[0];

describe('verify --dir', () => {
  let deployed: Deployed;
  beforeEach(() => {
    deployed = tree();
    deployed.write('api', secret(leaf('api', root), root));
    deployed.write('web', secret(leaf('web', root, { notAfter: shifted(30 * DAY) }), root));
  });
  afterEach(() => deployed.remove());

  const ask = (flags: Partial<Question> = {}) => verifyDeployment({ dir: deployed.path, at: AT.toISOString(), ...flags });
  const text = async (flags: Partial<Question> = {}): Promise<string[]> => {
    // marks are ASCII where the locale of the test is
    const marks: readonly (readonly [RegExp, string])[] = [
      [/✓/g, 'ok'],
      [/✗/g, 'x'],
      [/·/g, '-'],
    ];
    const whole = (await (await ask(flags)).text()).replaceAll(deployed.path, 'DIR');
    return marks
      .reduce((found, [sign, word]) => found.replace(sign, word), whole)
      .split('\n')
      .map((line) => line.replace(/ +/g, ' '));
  };

  it('is good: 0, and says of whom', async () => {
    assert.equal((await ask()).exitCode, 0);
    assert.deepEqual(await text(), ['ok api (server, client)', 'ok web (server, client)', '2 services in DIR, 2 good']);
  });

  it('draws who could talk to whom, and says why not', async () => {
    deployed.write('far', secret(leaf('far', ca('far')), root));
    assert.equal((await ask({ pairs: true })).exitCode, 1);
    const why = 'no certificate of far at hand, the issuer of far';
    assert.deepEqual(await text({ pairs: true }), [
      ...['ok api (server, client)', 'ok web (server, client)', `x far ISSUER_NOT_FOUND ${why} (DIR/far/tls.crt)`],
      ...['3 services in DIR, 2 good', ''],
      'client \\ server 1 2 3',
      ' 1 api x ok',
      ' 2 far x x',
      ' 3 web ok x',
      `x api, web refuse far as a server: ISSUER_NOT_FOUND ${why}`,
      `x api, web refuse far as a client: ISSUER_NOT_FOUND ${why}`,
      '6 pairs: 2 could talk, 4 could not',
    ]);
  });

  it('draws no matrix that nobody could read', async () => {
    for (let i = 0; i < 30; i++) deployed.write(`s${i}`, secret(leaf(`s${i}`, root), root));
    assert.deepEqual((await text({ pairs: true })).slice(-3), [
      '32 services in DIR, 32 good',
      '',
      '992 pairs: 992 could talk, 0 could not',
    ]);
  });

  it('a policy says who is meant to talk: the others do not count', async () => {
    const links = join(deployed.path, 'links');
    writeFileSync(links, 'web -> api');
    deployed.write('web', secret(leaf('web', root, { purposes: ['1.3.6.1.5.5.7.3.2'] }), root));
    assert.equal((await ask({ pairs: true, links })).exitCode, 0);
    assert.deepEqual((await text({ pairs: true, links })).slice(-5), [
      'client \\ server 1 2',
      ' 1 api -',
      ' 2 web ok',
      '- not meant to: by the policy, or not for this purpose',
      '2 pairs: 1 could talk, 0 could not, 1 not meant to',
    ]);
    writeFileSync(links, 'web -> apj');
    assert.equal((await ask({ links })).exitCode, 1);
  });

  it('tells what ends as a timeline', async () => {
    assert.deepEqual([(await ask({ forecast: '29d' })).exitCode, (await ask({ forecast: '90d' })).exitCode], [0, 1]);
    assert.deepEqual((await text({ forecast: '90d' })).slice(-4), [
      '',
      ' ENDS WHAT WHOSE',
      'x 2026-07-01T12:00:00Z leaf web takes down web; 2 links',
      'x within 90d, until 2026-08-30T12:00:00Z: 1 end, 1 of which takes something down',
    ]);
    assert.deepEqual((await text({ forecast: '29d' })).slice(-1), ['ok nothing ends within 29d, until 2026-06-30T12:00:00Z']);
  });

  it('a CRL that is late is told once of all who have it', async () => {
    deployed.write('', { 'root.crl': crl(root, [], { thisUpdate: shifted(-2 * DAY), nextUpdate: shifted(-DAY) }) });
    const why = 'the CRL of root: the CRL ended 2026-05-31T12:00:00Z, 1 day before 2026-06-01T12:00:00Z';
    assert.deepEqual(await text(), [`x api, web CRL_EXPIRED ${why} (DIR/root.crl)`, '2 services in DIR, 0 good']);
  });

  unix('shows what a directory is called, and lets it steer no terminal', async () => {
    deployed.write('bad\u001b[31m\nname', secret(leaf('api', root), root));
    const lines = await text({ pairs: true });
    assert.ok(lines.includes('ok bad\\u001b[31m\\u000aname (server, client)'), lines.join('\n'));
  });

  it('has as JSON all of it', async () => {
    const result = (await ask({ pairs: true, forecast: '90d' })).result as Record<string, unknown>;
    assert.deepEqual(Object.keys(result), ['good', 'at', 'directory', 'services', 'findings', 'counts', 'refusals', 'pairs', 'forecast']);
    assert.deepEqual(Object.keys((await ask()).result as object), ['good', 'at', 'directory', 'services', 'findings']);
    const [api] = result['services'] as readonly object[];
    assert.deepEqual(api, {
      ...{ name: 'api', directory: join(deployed.path, 'api') },
      files: {
        certificate: join(deployed.path, 'api/tls.crt'),
        key: join(deployed.path, 'api/tls.key'),
        chain: null,
        bundle: join(deployed.path, 'api/ca.crt'),
        crls: [],
        shared: { bundle: false, crls: false },
      },
      ...{ roles: ['server', 'client'], identity: 'spiffe://shop.test/ns/default/sa/api', notAfter: '2026-09-09T12:00:00Z' },
      ...{ good: true, findings: [] },
    });
    assert.deepEqual(result['forecast'], {
      ...{ within: '90d', until: '2026-08-30T12:00:00Z' },
      endings: [
        {
          ...{ ends: '2026-07-01T12:00:00Z', what: 'leaf', whose: 'web', file: join(deployed.path, 'web/tls.crt'), heldBy: 1 },
          ...{ links: 2, services: ['web'] },
          firstLinks: [
            { client: 'api', server: 'web' },
            { client: 'web', server: 'api' },
          ],
        },
      ],
    });
  });

  it('has as a report a check for each service, for its pairs, and for each end', async () => {
    deployed.write('far', secret(leaf('far', ca('far')), root));
    const { checks, tool } = (await ask({ pairs: true, forecast: '90d' })).report!();
    assert.deepEqual(
      checks.map(({ name, good, findings }) => [name.replace(deployed.path, 'DIR'), good, findings.map(({ code }) => code).join(' ')]),
      [
        ['api', true, ''],
        ['far', false, 'ISSUER_NOT_FOUND'],
        ['web', true, ''],
        ['api: pairs', true, ''],
        ['far: pairs', false, 'ISSUER_NOT_FOUND ISSUER_NOT_FOUND'],
        ['web: pairs', true, ''],
        ['leaf of web in DIR/web/tls.crt: end', false, 'ENDS_SOON'],
      ],
    );
    for (const code of ['ISSUER_NOT_FOUND', 'ENDS_SOON', 'KEY_MISMATCH']) assert.notEqual(tool.ruleOf(code).text, code);
  });

  unix('a finding that refuses nobody today counts as well', async () => {
    chmodSync(join(deployed.path, 'api/tls.key'), 0o644);
    const { exitCode, report } = await ask({ pairs: true });
    assert.equal(exitCode, 1);
    assert.deepEqual(
      report!()
        .checks.find(({ name }) => name === 'api')!
        .findings.map(({ code }) => code),
      ['FILE_MODE_TOO_OPEN'],
    );
  });

  it('cannot be asked of files as well, or for no span', async () => {
    await failure('USAGE', () => verifyDeployment({ dir: deployed.path }, ['tls.crt']));
    await failure('VALUE_INVALID', () => ask({ forecast: 'soon' }));
    // under tsx what is imported late has a class of its own
    await assert.rejects(ask({ links: join(deployed.path, 'nothing') }), { code: 'FILE_NOT_FOUND' });
    await assert.rejects(ask({ dir: join(deployed.path, 'nothing') }), { code: 'FILE_NOT_FOUND' });
  });
});
