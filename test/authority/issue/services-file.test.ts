import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { stringify } from 'yaml';
import { type ServicesFormat, SERVICES_LIMIT, readServicesFile, servicesFormatOf } from '../../../src/authority/issue/services-file.js';
import type { IssueRequest } from '../../../src/authority/issue/plan.js';
import { DAY } from '../../../src/base/duration.js';
import { generateKey } from '../../../src/pki/key.js';
import { toPem } from '../../../src/pki/pem.js';
import { csrOf } from '../../pki/requests.js';
import { failure } from '../../support/failure.js';
import { temporaryDirectory } from '../../support/material.js';

const FORMATS: readonly ServicesFormat[] = ['yaml', 'csv', 'jsonl'];

/** The requests of a text that has no problem. */
async function requestsOf(text: string, format: ServicesFormat): Promise<IssueRequest[]> {
  const { requests, problems } = await readServicesFile(text, '/w/services', format);
  assert.deepEqual(problems, []);
  return requests.map(({ request }) => request);
}

/** `line code: message` of each problem. */
async function problemsOf(text: string, format: ServicesFormat): Promise<string[]> {
  const { problems } = await readServicesFile(text, '/w/services', format);
  return problems.map(({ line, code, message }) => `${line} ${code}: ${message}`);
}

const linesOf = async (text: string, format: ServicesFormat): Promise<(readonly [string, number])[]> =>
  (await readServicesFile(text, '/w/services', format)).requests.map(({ line, request }) => [request.name, line]);

const full: IssueRequest = {
  ...{ name: 'gateway', namespace: 'edge', profile: 'server' },
  ...{ dns: ['shop.test', '*.shop.test'], ip: ['10.0.0.7', 'fd00::7'], uri: 'https://shop.test/gw' },
  ...{ withoutLocalhost: true, validity: 30 * DAY, keyType: 'ed25519' },
};

describe('a list of services', () => {
  it('says the same in each format', async () => {
    const yaml = `
- name: gateway
  namespace: edge
  for: server
  dns: [Shop.test, "*.shop.test"]
  ip: [10.0.0.7, FD00::7]
  uri: https://shop.test/gw
  localhost: false
  valid: 30d
  key-type: ed25519
- api
- name: web
  days: 7
  dns: web.test
`;
    const csv = `name,namespace,for,dns,ip,uri,localhost,valid,key-type,days
gateway,edge,server,Shop.test *.shop.test,10.0.0.7;FD00::7,https://shop.test/gw,false,30d,ed25519,
api,,,,,,,,,
web,,,"web.test",,,,,,7
`;
    const jsonl = `{"name":"gateway","namespace":"edge","for":"server","dns":["Shop.test","*.shop.test"],"ip":["10.0.0.7","FD00::7"],"uri":"https://shop.test/gw","localhost":false,"valid":"30d","key-type":"ed25519"}
{"name":"api","dns":null}
{"name":"web","days":7,"dns":"web.test"}
`;
    const expected = [full, { name: 'api' }, { name: 'web', validity: 7 * DAY, dns: ['web.test'] }];
    assert.deepEqual(await requestsOf(yaml, 'yaml'), expected);
    assert.deepEqual(await requestsOf(csv, 'csv'), expected);
    assert.deepEqual(await requestsOf(jsonl, 'jsonl'), expected);
  });

  it('may begin with a byte-order mark, end its lines with CRLF, and have blank ones', async () => {
    const texts = {
      yaml: '\ufeff- name: api\r\n  dns: [a.test]\r\n\r\n# more\r\n- name: web\r\n',
      csv: '\ufeffname,dns\r\napi,a.test\r\n\r\n\r\nweb,\r\n',
      jsonl: '\ufeff{"name":"api","dns":["a.test"]}\r\n\r\n   \r\n\r\n{"name":"web"}\r\n',
    };
    for (const format of FORMATS) {
      assert.deepEqual(await requestsOf(texts[format], format), [{ name: 'api', dns: ['a.test'] }, { name: 'web' }], format);
      assert.deepEqual(
        await linesOf(texts[format], format),
        [
          ['api', format === 'csv' ? 2 : 1],
          ['web', 5],
        ],
        format,
      );
    }
  });

  it('in YAML may be below services:, as a list or as a map by name, in block style or another', async () => {
    const both = [{ name: 'api' }, { name: 'web', dns: ['w.test'] }];
    const texts = [
      'services:\n- api\n- name: web\n  dns: [w.test]\n',
      'services: # all\n  - api\n  - {name: web, dns: w.test}\n',
      'services:\n  api:\n  web:\n    dns:\n    - w.test\n',
      '---\nservices:\n  api: {}\n  "web": {dns: [w.test]}\n',
      'services: [api, {name: web, dns: [w.test]}]',
      'services: {api: , web: {dns: w.test}}',
      '[api, {"name": "web", "dns": ["w.test"]}]',
      '{"services": ["api", {"name": "web", "dns": ["w.test"]}]}',
      '  - api\n  - name: web\n    dns: [w.test]\n',
      '--- # a list\n- api\n-\n  name: web\n  dns:\n    - w.test\n',
    ];
    for (const text of texts) assert.deepEqual(await requestsOf(text, 'yaml'), both, text);
  });

  it('takes names for names in YAML, whatever they look like', async () => {
    assert.deepEqual(
      (await requestsOf('- 007\n- no\n- 1e3\n- on\n', 'yaml')).map(({ name }) => name),
      ['007', 'no', '1e3', 'on'],
    );
    assert.match((await problemsOf('- true', 'yaml'))[0]!, /1 FIELD_TYPE: a service: expected a map .* found true/);
  });

  it('is told by the end of its name', async () => {
    const ends = { 'a.yaml': 'yaml', 'a.YML': 'yaml', 'a.json': 'yaml', 'b.csv': 'csv', 'c.jsonl': 'jsonl', 'x/c.ndjson': 'jsonl' };
    for (const [path, format] of Object.entries(ends)) assert.equal(servicesFormatOf(path), format);
    await failure('VALUE_INVALID', () => servicesFormatOf('services.txt'), /ends in \.yaml, \.yml/);
  });
});

describe('the problems of a list of services', () => {
  it('are told with line, field, and what was expected, and the rest is read', async () => {
    const yaml = `- name: API
- name: api
  dnss: [a.test]
- name: web
  dns:
    - ok.test
    - not a name
  days: 0
- name: job
  valid: 30d
  days: 30
  localhost: maybe
- namespace: x
- name: good
- name: web
  key-type: rsa-1024
  profile: Server
  uri: shop
- []
-
`;
    assert.deepEqual(await problemsOf(yaml, 'yaml'), [
      '1 NAME_NOT_DNS_LABEL: name: expected a DNS label, 1 to 63 of a-z 0-9 - (no - at the ends), found "API"; did you mean api?',
      '3 FIELD_UNKNOWN: "dnss" is not known here: did you mean dns?',
      '7 VALUE_INVALID: dns: expected a DNS name such as api.shop.test or *.shop.test, found "not a name"',
      '8 VALUE_INVALID: days: expected a whole number from 1 to 36500, found "0"',
      '11 FIELD_CONFLICT: days: expected this or valid, found both',
      '12 FIELD_TYPE: localhost: expected true or false, found "maybe"',
      '13 FIELD_MISSING: name: expected the name of a service',
      '15 NAME_TWICE: name: web is at line 4 already',
      '16 VALUE_INVALID: key-type: expected one of ecdsa-p256, ecdsa-p384, ed25519, rsa-2048, rsa-3072, rsa-4096, found "rsa-1024"',
      '17 NAME_NOT_DNS_LABEL: profile: expected a DNS label, 1 to 63 of a-z 0-9 - (no - at the ends), found "Server"; did you mean server?',
      '18 VALUE_INVALID: uri: expected an absolute URI such as spiffe://shop.test/ns/default/sa/api, found "shop"',
      '19 FIELD_TYPE: a service: expected a map with name, namespace, profile, for, dns, ip, uri, localhost, valid, days, key-type, csr, found a list of 0',
      '20 FIELD_TYPE: a service: expected a map with name, namespace, profile, for, dns, ip, uri, localhost, valid, days, key-type, csr, found nothing',
    ]);
    assert.deepEqual(await linesOf(yaml, 'yaml'), [['good', 14]]);
  });

  it('are told of each row of CSV, and of its header once', async () => {
    assert.deepEqual(await problemsOf('name,dns\napi,a.test,b.test\nweb\nWeb,\njob,"a b"\ngood,\n', 'csv'), [
      '2 SYNTAX: expected 2 cells, as the header has, found 3',
      '3 SYNTAX: expected 2 cells, as the header has, found 1',
      '4 NAME_NOT_DNS_LABEL: name: expected a DNS label, 1 to 63 of a-z 0-9 - (no - at the ends), found "Web"; did you mean web?',
    ]);
    assert.deepEqual(await problemsOf('nmae,keytype,dns,dns\napi,,,\nweb,,,\n', 'csv'), [
      '1 FIELD_UNKNOWN: column "nmae" is not known here: did you mean name?',
      '1 FIELD_UNKNOWN: column "keytype" is not known here: did you mean key-type?',
      '1 FIELD_CONFLICT: column dns a second time',
      '1 FIELD_MISSING: expected a header with a column name',
    ]);
    assert.deepEqual(await problemsOf('name,dns\napi,\n"we"b,\njob,', 'csv'), [
      '3 SYNTAX: not CSV: something between a closing quote and the next comma',
    ]);
    assert.deepEqual(await problemsOf('name,for,profile\napi,server,client\nweb,,client\n', 'csv'), [
      '2 FIELD_CONFLICT: for: expected this or profile, found both',
    ]);
    assert.deepEqual(await problemsOf('name;dns\napi;x\n', 'csv'), [
      '1 FIELD_UNKNOWN: column "name;dns" is not known here: expected name, namespace, profile, for, dns, ip, uri, localhost, valid, days, key-type, csr',
      '1 FIELD_MISSING: expected a header with a column name',
    ]);
  });

  it('are told of each line of JSON', async () => {
    const text =
      '{"name":"api"}\n{"name":"web",}\n[1]\n"job"\n{"name":"a","name":"b"}\n{"name":"c","x":{"name":"y"}}\n{"name":["d"]}\n{"name":"e","dns":[["x"]]}\n{"name":"f","dns":[1,{}]}\n{"__proto__":"g"}\n{"name":"api"}\n';
    assert.deepEqual(
      (await problemsOf(text, 'jsonl')).map((problem) => problem.slice(0, 70)),
      [
        '2 SYNTAX: not JSON, expected one object a line',
        '3 FIELD_TYPE: a service: expected a map with name, namespace, profile,',
        '4 FIELD_TYPE: a service: expected a map with name, namespace, profile,',
        '5 SYNTAX: the same key a second time',
        '6 FIELD_UNKNOWN: "x" is not known here: expected name, namespace, prof',
        '7 FIELD_TYPE: name: expected a name, found a list of 1',
        '8 FIELD_TYPE: dns: expected a list of DNS names, found a list of 1',
        '9 VALUE_INVALID: dns: expected a DNS name such as api.shop.test or *.s',
        '9 FIELD_TYPE: dns: expected a list of DNS names, found a map',
        '10 FIELD_UNKNOWN: "__proto__" is not known here: expected name, namesp',
        '10 FIELD_MISSING: name: expected the name of a service',
        '11 NAME_TWICE: name: api is at line 1 already',
      ],
    );
  });

  it('are told of YAML that is not what it should be', async () => {
    const wrong: readonly (readonly [text: string, problem: RegExp])[] = [
      ['service:\n- api\n', /^1 SYNTAX: "service" is not known here: did you mean services\?/],
      ['version: 1\nservices:\n- api\n', /^1 SYNTAX: "version" is not known here/],
      ['services:\n- api\nversion: 1\n', /^3 SYNTAX: "version" is not known here: expected services/],
      ['services:\n  api:\nservices:\n  web:\n', /^3 SYNTAX: "services" a second time/],
      ['services:\n  api:\n  - x\n', /^2 FIELD_TYPE: a service: expected a map/],
      ['services:\n  api: server\n', /^2 FIELD_TYPE: a service: expected a map .* found "server"/],
      ['services:\n  api:\n    name: web\n', /^3 FIELD_CONFLICT: name: expected none: the service is called "api"/],
      ['services:\n  api:\n  api:\n', /^3 SYNTAX: "api" a second time/],
      ['services:\n  Api:\n', /^2 NAME_NOT_DNS_LABEL: name: /],
      ['services: api', /^1 SYNTAX: expected a list of services, or services:/],
      ['services:\n', /^1 SYNTAX: expected a list of services/],
      ['just words', /^1 SYNTAX: expected a list of services/],
      ['- api\n- &a {name: web}\n- *a\n', /^2 SYNTAX: an anchor, expected none/],
      ['- api\n- name: "web\n- job\n', /^\d SYNTAX: not YAML/],
      ['- api\n---\n- web\n', /^[123] SYNTAX: a second document/],
      ['- api\nversion: 1\n', /SYNTAX: not YAML/],
      ['- api\n\t- web\n', /SYNTAX: /],
      ['- name: !!binary YXBp\n', /^1 SYNTAX: a tag, expected none/],
      ['', /^1 SYNTAX: expected a list of services/],
      ['[]', /^1 FIELD_MISSING: expected at least one service/],
    ];
    for (const [text, problem] of wrong) assert.match((await problemsOf(text, 'yaml')).join('\n'), problem, text);
    for (const format of ['csv', 'jsonl'] as const)
      assert.match((await problemsOf('', format))[0]!, /^1 FIELD_MISSING: expected at least one service/);
    assert.match((await problemsOf('name\n', 'csv'))[0]!, /expected at least one service/);
  });
});

describe('the certification requests of a list', () => {
  it('are looked for from the directory of the list, and what is wrong with one is a problem of its entry', async () => {
    const { path, remove } = temporaryDirectory();
    try {
      mkdirSync(join(path, 'keys'));
      const key = generateKey('ecdsa-p256');
      writeFileSync(join(path, 'keys', 'api.csr'), toPem('CERTIFICATE REQUEST', csrOf(key, { dns: ['api'], ip: [], uri: [] })));
      writeFileSync(join(path, 'keys', 'web.csr'), 'nonsense');
      const text = 'name,csr,key-type\napi,keys/api.csr,\nweb,keys/web.csr,\njob,keys/gone.csr,\nrun,keys/api.csr,ed25519\n';
      const { requests, problems } = await readServicesFile(text, join(path, 'services.csv'), 'csv');
      assert.deepEqual([requests.length, requests[0]!.request.csr!.path], [1, join(path, 'keys', 'api.csr')]);
      assert.deepEqual(requests[0]!.request.csr!.request.subjectAltName.dns, ['api']);
      assert.deepEqual(
        problems.map(({ line, code }) => [line, code]),
        [
          [3, 'FILE_UNRECOGNIZED'],
          [4, 'FILE_NOT_FOUND'],
          [5, 'FIELD_CONFLICT'],
        ],
      );
    } finally {
      remove();
    }
  });
});

describe('a long list of services', function () {
  this.timeout(60_000);

  it('says of each service what a short one says, wherever it is cut', async () => {
    const name = fc.stringMatching(/^[a-z][a-z0-9]{0,7}$/);
    const service = fc.record({ dns: fc.array(name, { maxLength: 3 }), filler: fc.nat(4_000), style: fc.nat(3) });
    await fc.assert(
      fc.asyncProperty(
        fc.array(service, { minLength: 30, maxLength: 60 }),
        fc.constantFrom('', 'services:\n', 'services:\n  '),
        async (services, head) => {
          const isMap = head.endsWith('  ');
          const text = services.map(({ dns, filler, style }, i) => {
            const fields = { ...(isMap ? {} : { name: `s${i}` }), dns: dns.map((each) => `${each}.test`), namespace: 'n' };
            const yaml = stringify(isMap ? { [`s${i}`]: fields } : [fields], { collectionStyle: style === 1 ? 'flow' : 'block' });
            const own =
              style === 1
                ? isMap
                  ? `s${i}: ${stringify(fields, { collectionStyle: 'flow', lineWidth: 0 })}`
                  : `- ${stringify(fields, { collectionStyle: 'flow', lineWidth: 0 })}`
                : yaml;
            return `${own}# ${'-'.repeat(filler)}\n`;
          });
          const body = text.join('');
          const whole = head === '' ? body : `services:\n${body.replace(/^/gm, isMap ? '  ' : '').replace(/ +$/, '')}`;
          const requests = await requestsOf(whole, 'yaml');
          assert.deepEqual(
            requests,
            services.map(({ dns }, i) => ({ name: `s${i}`, namespace: 'n', dns: dns.map((each) => `${each}.test`) })),
          );
          const lines = whole.split('\n');
          const found = (await readServicesFile(whole, '/w/s', 'yaml')).requests;
          for (const { line, request } of found) assert.match(lines[line - 1]!, new RegExp(`\\b${request.name}\\b`));
        },
      ),
      { numRuns: 15 },
    );
  });

  it('names the lines of its problems, and what is wrong with one entry spoils no other piece', async () => {
    const entries = Array.from({ length: 9_000 }, (_, i) => `- name: s${i}\n  dns: [s${i}.test]\n`);
    entries[8_000] = '- name: s8000\n  dns: [s8000.test\n';
    entries[100] = '- name: S100\n  dns: [s100.test]\n';
    const { requests, problems } = await readServicesFile(entries.join(''), '/w/s', 'yaml');
    assert.deepEqual([problems[0]!.line, problems[0]!.code], [201, 'NAME_NOT_DNS_LABEL']);
    assert.ok(problems.slice(1).every(({ line, code }) => code === 'SYNTAX' && Math.abs(line - 16_002) <= 2));
    // those of the same piece are not known
    assert.ok(requests.length > 5_000);
    assert.deepEqual(await problemsOf(`${entries.slice(0, 50).join('')}- s7\n`, 'yaml'), [
      '101 NAME_TWICE: name: s7 is at line 15 already',
    ]);
  });

  it('of a hundred thousand services is read in a time and a space that grow with it', async () => {
    const texts = {
      yaml: Array.from({ length: 100_000 }, (_, i) => `- s${i}\n`).join(''),
      csv: `name\n${Array.from({ length: 100_000 }, (_, i) => `s${i}\n`).join('')}`,
      jsonl: Array.from({ length: 100_000 }, (_, i) => `{"name":"s${i}"}\n`).join(''),
    };
    for (const format of FORMATS) {
      const names = await linesOf(texts[format], format);
      assert.deepEqual([names.length, names.at(-1)], [100_000, ['s99999', format === 'csv' ? 100_001 : 100_000]]);
    }
  });

  it('is interrupted between its pieces', async () => {
    const of = (line: (name: string) => string): string => Array.from({ length: 60_000 }, (_, i) => line(`s${i}`)).join('');
    const texts = {
      yaml: of((name) => `- ${name}\n`),
      csv: `name\n${of((name) => `${name}\n`)}`,
      jsonl: of((name) => `{"name":"${name}"}\n`),
    };
    const signal = AbortSignal.abort();
    for (const format of FORMATS) await failure('INTERRUPTED', () => readServicesFile(texts[format], '/w/s', format, { signal }));
  });

  it('has bounds: octets, the length of an entry, services, problems', async () => {
    await failure('FILE_TOO_LARGE', () => readServicesFile('ü'.repeat(SERVICES_LIMIT / 2 + 1), '/w/s', 'csv'), /\/w\/s has 16777218 bytes/);
    const long = 'x'.repeat(70_000);
    assert.deepEqual(await problemsOf(`- api\n- name: ${long}\n- web\n`, 'yaml'), [
      '2 SYNTAX: an entry of more than 65536 characters; is a quote not closed?',
    ]);
    assert.deepEqual(await problemsOf(`[${long}]`, 'yaml'), [
      '1 SYNTAX: more than 65536 characters, expected each service to begin a line',
    ]);
    assert.deepEqual(await problemsOf(`name\n${long}\n`, 'csv'), ['2 SYNTAX: a line of more than 65536 characters']);
    assert.deepEqual(await problemsOf(`{"name":"api"}\n{"name":"${long}"}\n{}`, 'jsonl'), [
      '2 TOO_LARGE: a line of more than 65536 characters',
      '3 FIELD_MISSING: name: expected the name of a service',
    ]);
    for (const [format, text] of [
      ['yaml', '- A\n'.repeat(4_000_000)],
      ['csv', `name\n${'A\n'.repeat(8_000_000)}`],
      ['jsonl', '[]\n'.repeat(5_000_000)],
    ] as const) {
      const { problems } = await readServicesFile(text, '/w/s', format);
      assert.deepEqual([problems.length, problems.at(-1)!.code], [1_001, 'TOO_MANY'], format);
    }
  });

  it('of what is hostile is refused in a moment', async () => {
    const texts = ['[', '- ', '&a ', '- &a *a\n', '-\n'].map((bad) => bad.repeat(SERVICES_LIMIT / bad.length));
    const laughs = Array.from({ length: 1_000 }, (_, i) => `- &a${i} [${`*a${i - 1},`.repeat(10)}]\n`).join('');
    for (const text of [...texts, laughs]) {
      const from = process.hrtime.bigint();
      const { requests, problems } = await readServicesFile(text, '/w/s', 'yaml');
      assert.ok(Number(process.hrtime.bigint() - from) / 1e9 < 20, text.slice(0, 10));
      assert.equal(requests.length, 0);
      assert.ok(problems.length > 0 && problems.length <= 1_001);
    }
  });
});
