import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BUILT_IN, namesByProfile, profileNames, readProfile, readProfiles } from '../../../src/authority/policy/profiles.js';
import { OID } from '../../../src/pki/oids.js';
import { DAY } from '../../../src/base/duration.js';
import { temporaryDirectory } from '../../support/material.js';
import { failure } from '../../support/failure.js';

const service = { name: 'api', namespace: 'billing', trustDomain: 'shop.test' };
const [server, client, peer] = BUILT_IN;
const read = (text: string, path = '/w/profiles/edge.yaml') => readProfile(path, text);
const wrong = (text: string, problem: RegExp, path?: string) => failure('POLICY_INVALID', () => read(text, path), problem);

describe('the profiles that are built in', () => {
  it('give the purposes and the names that a service has without any', () => {
    assert.deepEqual(
      [server, client, peer].map((profile) => profile!.extendedKeyUsage),
      [[OID.serverAuth], [OID.clientAuth], [OID.serverAuth, OID.clientAuth]],
    );
    const { usual, own } = namesByProfile(peer!, service);
    assert.deepEqual(usual, {
      uri: ['spiffe://shop.test/ns/billing/sa/api'],
      dns: ['api', 'api.billing.svc', 'api.billing.svc.cluster.local', 'localhost'],
      ip: ['127.0.0.1', '::1'],
    });
    assert.deepEqual(own, { uri: [], dns: [], ip: [] });
  });

  it('give a client no local names', () => {
    const { usual } = namesByProfile(client!, service);
    assert.deepEqual([usual.dns.includes('localhost'), usual.ip], [false, []]);
  });
});

describe('a profile in a file', () => {
  const full = `# what stands at the edge
extendedKeyUsage: [serverAuth, codeSigning, 1.3.6.1.4.1.99999.1, serverAuth]
organization: Bücher & Söhne
dns: ['{name}.{namespace}.edge.test', edge.test]
ip: ['FD00:0:0::7']
uri: ['spiffe://{trustDomain}/edge/{name}', 'https://edge.test/{namespace}']
defaultNames: false
localhost: true
defaultLife: 12h
maximumLife: 7d
`;

  it('says purposes, organization, names, lives', async () => {
    assert.deepEqual(await read(full), {
      name: 'edge',
      extendedKeyUsage: [OID.serverAuth, OID.codeSigning, '1.3.6.1.4.1.99999.1'],
      organization: 'Bücher & Söhne',
      dns: ['{name}.{namespace}.edge.test', 'edge.test'],
      ip: ['fd00::7'],
      uri: ['spiffe://{trustDomain}/edge/{name}', 'https://edge.test/{namespace}'],
      defaultNames: false,
      localhost: true,
      defaultLife: DAY / 2,
      maximumLife: 7 * DAY,
    });
  });

  it('gives each service its own names, and its URIs instead of the SPIFFE ID', async () => {
    const { usual, own } = namesByProfile(await read(full), service);
    assert.deepEqual(usual, { uri: [], dns: ['localhost'], ip: ['127.0.0.1', '::1'] });
    assert.deepEqual(own, {
      uri: ['spiffe://shop.test/edge/api', 'https://edge.test/billing'],
      dns: ['api.billing.edge.test', 'edge.test'],
      ip: ['fd00::7'],
    });
  });

  it('may be JSON, and says little where nothing is special', async () => {
    const little = await read('{"extendedKeyUsage": ["clientAuth"], "localhost": false}', '/w/profiles/tiny.json');
    const expected = {
      name: 'tiny',
      extendedKeyUsage: [OID.clientAuth],
      dns: [],
      ip: [],
      defaultNames: true,
      localhost: false,
      defaultLife: 90 * DAY,
    };
    assert.deepEqual(little, expected);
    assert.deepEqual(namesByProfile(little, service).usual, namesByProfile(client!, service).usual);
    assert.deepEqual(await read('\ufeffextendedKeyUsage: clientAuth\r\nmaximumLife: 30d\r\n'), {
      ...expected,
      name: 'edge',
      defaultLife: 30 * DAY,
      maximumLife: 30 * DAY,
    });
  });

  it('tells all that is wrong at once, with line, key, and what was expected', async () => {
    const text =
      'extendedKeyUsage: [serverAuth]\norganisation: Shop\ndns:\n  - "{service}.test"\n  - 10.0.0.1\nip: [host]\nlocalhost: yes please\nmaximumLife: soon\n';
    const { facts } = await wrong(text, /^\/w\/profiles\/edge\.yaml: line 2/);
    assert.deepEqual(facts.problems, [
      'line 2: "organisation" is not known here: did you mean organization?',
      'line 4: dns: expected no braces but {name}, {namespace} and {trustDomain}, found "{service}.test"',
      'line 5: dns: expected a DNS name; for an address use --ip, found "10.0.0.1"',
      'line 6: ip: expected an address such as 10.0.0.7 or fd00::7, found "host"',
      'line 7: localhost: expected true or false, found "yes please"',
      'line 8: maximumLife: expected a duration such as 90d, 12h, 30m or 10s, at most 1000y, found "soon"',
    ]);
  });

  it("has a purpose, and none that is the CA's or everybody's", async () => {
    await wrong('localhost: true', /extendedKeyUsage: expected at least one of serverAuth/);
    await wrong('extendedKeyUsage: []', /expected at least one/);
    for (const purpose of ['1.3.6.1.5.5.7.3.9', '2.5.29.37.0'])
      await wrong(`extendedKeyUsage: ['${purpose}']`, /expected a purpose of a service, not (?:ocspSigning|any)/);
    for (const purpose of ['ocspSigning', 'serverauth', 'toString', '1', '3.1.1', '1.40.1', '1.3.06', '1..3', `1.3.${'1'.repeat(200)}`])
      await wrong(`extendedKeyUsage: ['${purpose}']`, /expected one of serverAuth, clientAuth/);
  });

  it('is of the types that it must be', async () => {
    const problems: readonly (readonly [text: string, problem: RegExp])[] = [
      ['', /the file: expected a map with extendedKeyUsage.*, found nothing/],
      ['- a', /found a list of 1/],
      ['just text', /found "just text"/],
      ['extendedKeyUsage: {a: b}', /extendedKeyUsage: expected a list of purposes, found a map/],
      ['extendedKeyUsage: [[serverAuth]]', /expected a list of purposes, found a list of 1/],
      ['extendedKeyUsage: serverAuth\norganization: [a]', /line 2: organization: expected a name, found a list/],
      ['extendedKeyUsage: serverAuth\norganization:', /line 2: organization: expected a name, found nothing/],
      ['extendedKeyUsage: serverAuth\ndefaultNames: 1', /defaultNames: expected true or false/],
      ['extendedKeyUsage: serverAuth\ndefaultLife: 9d\nmaximumLife: 8d', /line 2: defaultLife: longer than maximumLife/],
      ['extendedKeyUsage: &a [serverAuth]\ndns: *a', /line 1: an anchor, expected none/],
      ['extendedKeyUsage: [serverAuth', /line 1: not YAML/],
    ];
    for (const [text, problem] of problems) await wrong(text, problem);
    for (const organization of ['a\\u0007', ' a', 'a'.repeat(65), '', '\\u202eabc'])
      await wrong(`extendedKeyUsage: serverAuth\norganization: "${organization}"`, /organization: expected 1 to 64 characters/);
    for (const text of ["{'extendedKeyUsage': 'serverAuth'}", '{"extendedKeyUsage": ["serverAuth"],}', 'extendedKeyUsage: serverAuth'])
      await wrong(text, /not JSON/, '/w/profiles/edge.json');
    await wrong('{"extendedKeyUsage": ["serverAuth"], "dns": [], "dns": []}', /"dns" a second time/, '/w/profiles/edge.json');
    await failure('NAME_NOT_DNS_LABEL', () => read('extendedKeyUsage: serverAuth', '/w/profiles/My Edge.yaml'), /profile "My Edge"/);
  });

  it('has names that are names for whichever service', async () => {
    for (const dns of ['{name}_x.test', '{name', 'name}.test', '{}.test', '{{name}}.test', '*', '{Name}.test', '{constructor}.test'])
      await wrong(`extendedKeyUsage: serverAuth\ndns: ['${dns}']`, /line 2: dns: expected/);
    await wrong(`extendedKeyUsage: serverAuth\nuri: ['{name}']`, /uri: expected an absolute URI/);
    const long = await read(`extendedKeyUsage: serverAuth\ndns: ['{name}{name}.test']`);
    const named = { ...service, name: 'x'.repeat(40) };
    await failure('VALUE_INVALID', () => namesByProfile(long, named), /\{name\}\{name\}\.test of profile edge: expected a DNS name/);
    // a trust domain may have what a DNS name may not
    const domain = await read("extendedKeyUsage: serverAuth\ndns: ['{name}.{trustDomain}']");
    await failure('VALUE_INVALID', () => namesByProfile(domain, { ...service, trustDomain: 'shop_test' }), /of profile edge/);
  });
});

describe('the profiles of a workspace', () => {
  let directory: ReturnType<typeof temporaryDirectory>;
  let profiles: string;
  beforeEach(() => {
    directory = temporaryDirectory();
    profiles = join(directory.path, 'profiles');
  });
  afterEach(() => directory.remove());
  const write = (name: string, text = 'extendedKeyUsage: serverAuth'): void => {
    mkdirSync(profiles, { recursive: true });
    writeFileSync(join(profiles, name), text);
  };

  it('need no directory where only those are used that are built in', async () => {
    assert.deepEqual([...(await readProfiles(profiles, ['peer', 'server', 'peer'])).keys()], ['peer', 'server']);
    assert.deepEqual(profileNames(profiles), ['server', 'client', 'peer']);
  });

  it('are files by their names, of which only those are read that are asked for', async () => {
    write('edge.yaml');
    write('job.json', '{"extendedKeyUsage": ["clientAuth"]}');
    write('broken.yaml', 'nonsense: [');
    write('notes.txt');
    const found = await readProfiles(profiles, ['edge', 'job', 'client']);
    assert.deepEqual(
      [...found.values()].map(({ name, extendedKeyUsage }) => [name, extendedKeyUsage]),
      [
        ['edge', [OID.serverAuth]],
        ['job', [OID.clientAuth]],
        ['client', [OID.clientAuth]],
      ],
    );
    assert.deepEqual(profileNames(profiles), ['server', 'client', 'peer', 'broken', 'edge', 'job']);
    await failure('POLICY_INVALID', () => readProfiles(profiles, ['broken']), /broken\.yaml: line 1/);
  });

  it('are told by name where one is not there', async () => {
    write('edge.yaml');
    const error = await failure(
      'PROFILE_NOT_FOUND',
      () => readProfiles(profiles, ['edeg']),
      /no profile edeg; there is: server, client, peer, edge/,
    );
    assert.deepEqual(error.hints, ['did you mean edge?']);
    assert.deepEqual((await failure('PROFILE_NOT_FOUND', () => readProfiles(profiles, ['zzzzzz']))).hints, ['ls .mtls/profiles']);
    for (const name of ['../edge', 'Edge', '', 'edge.yaml'])
      await failure('NAME_NOT_DNS_LABEL', () => readProfiles(profiles, [name]), /^profile /);
  });

  it('are not those that are built in, are there once, and are not passed over', async () => {
    write('peer.yaml');
    await failure('POLICY_INVALID', () => readProfiles(profiles, ['peer']), /peer is built in, expected another name/);
    write('edge.yaml');
    write('edge.json', '{}');
    await failure('POLICY_INVALID', () => readProfiles(profiles, ['edge']), /edge\.json: there is .*edge\.yaml too/);
    write('old.yml');
    await failure('POLICY_INVALID', () => readProfiles(profiles, ['old']), /old\.yml: expected its name to end in \.yaml/);
    symlinkSync('/nowhere/at/all', join(profiles, 'gone.yaml'));
    await failure('FILE_NOT_FOUND', () => readProfiles(profiles, ['gone']));
    write('large.yaml', `# ${'x'.repeat(70_000)}`);
    await failure('FILE_TOO_LARGE', () => readProfiles(profiles, ['large']));
  });
});
