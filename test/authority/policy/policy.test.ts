import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type Policy,
  type Wanted,
  assertAllowed,
  judge,
  keyTypeOf,
  readPolicy,
  readWorkspacePolicy,
  usualLife,
} from '../../../src/authority/policy/policy.js';
import { BUILT_IN, readProfile } from '../../../src/authority/policy/profiles.js';
import { DAY } from '../../../src/base/duration.js';
import { KEY_TYPES, generateKey, publicKeyInfo } from '../../../src/pki/key.js';
import { OID } from '../../../src/pki/oids.js';
import { failure } from '../../support/failure.js';
import { temporaryDirectory } from '../../support/material.js';

const PATH = '/w/policy.yaml';
const read = (text: string, path = PATH): Promise<Policy> => readPolicy(path, text);
const [, , peer] = BUILT_IN;

/** What `mtls issue api` asks for. */
const usual: Wanted = {
  ...{ name: 'api', namespace: 'default', trustDomain: 'shop.test', profile: 'peer' },
  dns: ['api', 'api.default.svc', 'api.default.svc.cluster.local', 'localhost'],
  ip: ['127.0.0.1', '::1'],
  uri: ['spiffe://shop.test/ns/default/sa/api'],
  ...{ life: 90 * DAY, keyType: 'ecdsa-p256', subject: [[OID.commonName, 'api']], extendedKeyUsage: [OID.serverAuth, OID.clientAuth] },
};

/** The rules that `more` breaks, with what was asked. */
async function broken(text: string, more: Partial<Wanted>): Promise<string[]> {
  return judge({ ...usual, ...more }, await read(text), peer).map(({ rule, asked }) => `${rule} ${asked}`);
}

describe('a policy', () => {
  it('that says nothing of something does not limit it', async () => {
    assert.deepEqual(judge({ ...usual, dns: ['bank.test'], life: 9999 * DAY }, undefined, peer), []);
    assert.deepEqual(
      await broken('maximumLife: 90d', { dns: ['bank.test'], ip: ['8.8.8.8'], uri: ['https://x.test/'], profile: 'odd', namespace: 'odd' }),
      [],
    );
    assert.deepEqual(await broken('profiles: [peer]', { life: 9999 * DAY, keyType: 'rsa-1024' }), []);
  });

  it("says which names may be asked for, and those that follow from a service's own need no permission", async () => {
    const text = "names:\n  dns: ['*.shop.test', api.bank.test]\n  ip: [10.0.0.0/8]\n  uri: ['spiffe://shop.test/**']\n";
    assert.deepEqual(await broken(text, {}), []);
    const asked = { dns: [...usual.dns, 'a.shop.test', '*.shop.test', 'api.bank.test'], ip: ['10.1.2.3'], uri: ['spiffe://shop.test/x'] };
    assert.deepEqual(await broken(text, asked), []);
    const beyond = {
      dns: ['shop.test', 'a.b.shop.test', 'web', 'api.other.svc', '*.bank.test'],
      ip: ['11.0.0.1', '127.0.0.2'],
      uri: ['spiffe://shop.test.evil.test/x', 'spiffe://bank.test/ns/default/sa/api'],
    };
    assert.deepEqual(await broken(text, beyond), [
      ...beyond.dns.map((name) => `names.dns ${name}`),
      ...beyond.ip.map((name) => `names.ip ${name}`),
      ...beyond.uri.map((name) => `names.uri ${name}`),
    ]);
  });

  it('of names allows none of a kind that it does not name', async () => {
    assert.deepEqual(await broken("names: {dns: ['.shop.test']}", { ip: ['10.0.0.1'], uri: ['https://shop.test/'] }), [
      'names.ip 10.0.0.1',
      'names.uri https://shop.test/',
    ]);
    assert.deepEqual(await broken('names: {}', { dns: ['a.test', 'api'] }), ['names.dns a.test']);
  });

  it("may withhold the names that follow from a service's own", async () => {
    const text = "names: {defaults: false, dns: ['*.default.svc'], ip: ['::1'], uri: ['spiffe://shop.test/ns/*/sa/*']}";
    assert.deepEqual(await broken(text, {}), [
      'names.dns api',
      'names.dns api.default.svc.cluster.local',
      'names.dns localhost',
      'names.ip 127.0.0.1',
    ]);
  });

  it('limits lives, keys, profiles, namespaces, purposes, organizations', async () => {
    assert.deepEqual(await broken('maximumLife: 30d', { life: 30 * DAY }), []);
    assert.deepEqual(await broken('maximumLife: 30d', { life: 30 * DAY + 1 }), ['maximumLife 2592000001ms']);
    assert.deepEqual(await broken('keyTypes: [ecdsa-p384, rsa-3072]', {}), ['keyTypes ecdsa-p256']);
    // as it is written: a longer key is another one
    assert.deepEqual(await broken('keyTypes: [rsa-3072]', { keyType: 'rsa-4096' }), ['keyTypes rsa-4096']);
    assert.deepEqual(await broken('profiles: [server]', {}), ['profiles peer']);
    assert.deepEqual(await broken('namespaces: [billing, web]', {}), ['namespaces default']);
    assert.deepEqual(await broken('namespaces: []', {}), ['namespaces default']);
    assert.deepEqual(await broken('extendedKeyUsages: [clientAuth]', { extendedKeyUsage: [OID.serverAuth, '1.2.3', OID.clientAuth] }), [
      'extendedKeyUsages serverAuth',
      'extendedKeyUsages 1.2.3',
    ]);
    const subject = [
      [OID.commonName, 'api'],
      [OID.organizationName, 'Shop'],
    ] as const;
    assert.deepEqual(await broken('organizations: [Shop, Bank]', { subject }), []);
    assert.deepEqual(await broken('organizations: [Bank]', { subject }), ['organizations Shop']);
    assert.deepEqual(await broken('profiles: [peer]', { subject }), []);
  });

  it('never lets a subject be somebody else, or say what it does not know', async () => {
    const subject = [
      [OID.commonName, 'web'],
      [OID.countryName, 'DE'],
    ] as const;
    assert.deepEqual(await broken('maximumLife: 90d', { subject }), ['subject web', 'subject DE']);
  });

  it('tells what was asked, and what is allowed', async () => {
    const [life, dns] = judge(
      { ...usual, dns: ['bank.test'], life: 90 * DAY },
      await read("maximumLife: 36h\nnames: {dns: ['*.shop.test', api]}"),
      peer,
    ).reverse();
    assert.deepEqual(life, {
      rule: 'maximumLife',
      asked: '90d',
      allowed: ['36h'],
      message: 'a life of 90d is not allowed: maximumLife is 36h',
    });
    assert.deepEqual(dns, {
      rule: 'names.dns',
      asked: 'bank.test',
      allowed: ['*.shop.test', 'api'],
      message: 'DNS name bank.test is not allowed: names.dns has *.shop.test, api',
    });
    const [none] = judge({ ...usual, ip: ['10.0.0.1'] }, await read('names: {}'), peer);
    assert.equal(none!.message, 'address 10.0.0.1 is not allowed: none is');
    const many = await read(`namespaces: [${Array.from({ length: 20 }, (_, i) => `n${i}`).join(', ')}]`);
    assert.match(judge(usual, many)[0]!.message, /namespaces has n0, .*, n7 and 12 more$/);
  });

  it('is held by an error that names its file', async () => {
    const error = await failure('POLICY_REFUSES', async () =>
      assertAllowed(usual, await read('profiles: [server]\nnamespaces: [a]'), peer),
    );
    assert.equal(
      error.message,
      'api: profile peer is not allowed: profiles has server; namespace default is not allowed: namespaces has a, in /w/policy.yaml',
    );
    assert.deepEqual(error.hints, ['cat /w/policy.yaml']);
    assertAllowed(usual, undefined, peer);
  });

  it('and a profile limit a life together, also where nobody said how long', async () => {
    const short = await readProfile('/w/profiles/edge.yaml', 'extendedKeyUsage: serverAuth\nmaximumLife: 7d');
    const policy = await read('maximumLife: 30d');
    assert.deepEqual(
      judge({ ...usual, life: 8 * DAY }, undefined, short).map(({ rule }) => rule),
      ['profile.maximumLife'],
    );
    assert.deepEqual(
      judge({ ...usual, life: 31 * DAY }, policy, short).map(({ rule }) => rule),
      ['maximumLife', 'profile.maximumLife'],
    );
    assert.deepEqual([usualLife(peer!, undefined), usualLife(peer!, policy), usualLife(short, policy)], [90 * DAY, 30 * DAY, 7 * DAY]);
  });
});

describe('the type of a key', () => {
  it('has the name that a policy has for it', () => {
    for (const type of KEY_TYPES.filter((each) => each !== 'rsa-4096')) assert.equal(keyTypeOf(publicKeyInfo(generateKey(type))), type);
  });

  it('is told in words where no policy can allow it', () => {
    const algorithm = { oid: '1.2.3', parameters: undefined, der: Buffer.alloc(0) };
    assert.equal(keyTypeOf({ type: 'EC', bits: 521, curve: 'P-521', algorithm }), 'EC P-521');
    assert.equal(keyTypeOf({ type: 'RSA', bits: 2560, algorithm }), 'rsa-2560');
    assert.equal(keyTypeOf({ type: 'unknown', bits: 0, algorithm }), 'key 1.2.3');
  });
});

describe('the file of a policy', () => {
  it('tells all that is wrong at once, and is not read in part', async () => {
    const text = `names:
  dns: ['a.*.test', '*.shop.test']
  ip: ['10.0.0.1/8']
  uri: spiffe://*/x
  default: false
maximumlife: 90d
keyTypes: [rsa-1024]
profiles: server, client
namespaces: [Billing_Team]
extendedKeyUsages: [web]
`;
    const { facts } = await failure('POLICY_INVALID', () => read(text));
    assert.deepEqual(facts.problems, [
      'line 2: names.dns: expected a name such as api.shop.test, *.shop.test (one label) or .shop.test (any depth), found "a.*.test"',
      'line 3: names.ip: expected a network, with nothing behind its prefix: 10.0.0.0/8, found "10.0.0.1/8"',
      'line 4: names.uri: expected a URI such as spiffe://shop.test/ns/*/sa/api (* one segment, ** at the end all that is left), found "spiffe://*/x"',
      'line 5: "names.default" is not known here: did you mean defaults?',
      'line 6: "maximumlife" is not known here: did you mean maximumLife?',
      'line 7: keyTypes: expected one of ecdsa-p256, ecdsa-p384, ed25519, rsa-2048, rsa-3072, rsa-4096, found "rsa-1024"',
      'line 8: profiles: expected a DNS label, 1 to 63 of a-z 0-9 - (no - at the ends), found "server, client"; did you mean server-client?',
      'line 9: namespaces: expected a DNS label, 1 to 63 of a-z 0-9 - (no - at the ends), found "Billing_Team"; did you mean billing-team?',
      'line 10: extendedKeyUsages: expected one of serverAuth, clientAuth, codeSigning, emailProtection, timeStamping, or an object identifier such as 1.3.6.1.5.5.7.3.1, found "web"',
    ]);
  });

  it('leaves nothing open by a line that is not finished', async () => {
    for (const text of [
      '',
      '# nothing yet\n',
      'maximumLife:',
      'names:',
      'names: {dns: }',
      'namespaces: ~',
      'names: {dns: [~]}',
      'names: {defaults: }',
    ])
      await failure('POLICY_INVALID', () => read(text), /expected .* found nothing/);
    await failure(
      'POLICY_INVALID',
      () => read('names: [a]'),
      /line 1: names: expected a map with defaults, dns, ip, uri, found a list of 1/,
    );
    await failure('POLICY_INVALID', () => read('maximumLife: {d: 90}'), /maximumLife: expected a duration such as 90d, found a map/);
    await failure('POLICY_INVALID', () => read('maximumLife: 90d\nmaximumLife: 900d'), /line 2: "maximumLife" a second time/);
    await failure(
      'POLICY_INVALID',
      () => read(`names: {ip: [${'::1, '.repeat(1_001)}]}`),
      /names\.ip: expected at most 1000 patterns, found 1001/,
    );
  });

  it('is YAML or JSON, one of them, and none is no policy', async () => {
    const { path, remove } = temporaryDirectory();
    try {
      const [yaml, json] = [join(path, 'policy.yaml'), join(path, 'policy.json')];
      assert.equal(await readWorkspacePolicy(yaml), undefined);
      writeFileSync(json, '{"maximumLife": "9d", "names": {"defaults": false}}');
      const policy = await readWorkspacePolicy(yaml);
      assert.deepEqual([policy?.path, policy?.maximumLife, policy?.names?.defaults], [json, 9 * DAY, false]);
      writeFileSync(yaml, 'maximumLife: 9d');
      await failure('POLICY_INVALID', () => readWorkspacePolicy(yaml), /policy\.json: there is .*policy\.yaml too/);
    } finally {
      remove();
    }
  });

  it('that cannot be read is not no policy', async () => {
    const { path, remove } = temporaryDirectory();
    try {
      const policy = join(path, 'policy.yaml');
      symlinkSync(join(path, 'gone'), policy);
      await failure('FILE_NOT_FOUND', () => readWorkspacePolicy(policy));
      mkdirSync(join(path, 'other'));
      mkdirSync(join(path, 'other', 'policy.yaml'));
      await failure('FILE_NOT_READABLE', () => readWorkspacePolicy(join(path, 'other', 'policy.yaml')));
      writeFileSync(join(path, 'third.yml'), 'maximumLife: 9d');
      await failure(
        'POLICY_INVALID',
        () => readWorkspacePolicy(join(path, 'third.yaml')),
        /third\.yml: expected its name to end in \.yaml/,
      );
    } finally {
      remove();
    }
  });
});
