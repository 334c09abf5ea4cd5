import assert from 'node:assert/strict';
import { OID } from '../../src/pki/oids.js';
import { renderPath } from '../../src/render/explain.js';
import { explainPath } from '../../src/validate/explain.js';
import type { VerifyRequest } from '../../src/validate/request.js';
import { PATH_RULES } from '../../src/validate/rules/index.js';
import { verify } from '../../src/validate/verify.js';
import { AT, authority, certify, crlOf } from '../support/chains.js';
import { permitted, policies } from '../support/extensions.js';

const root = authority({ name: 'root', more: [permitted({ dns: ['shop.test'] })] });
const middle = authority({ name: 'middle', by: root, pathLength: 0 });
const leaf = certify({ name: 'api', by: middle, purposes: [OID.serverAuth], names: { dns: ['api.shop.test'] } });
const request = {
  ...{ leaf: leaf.certificate, intermediates: [middle.certificate], roots: [root.certificate], at: AT },
  ...{ crls: [crlOf({ by: root }), crlOf({ by: middle })], purpose: 'server', name: { host: 'api.shop.test' } },
} as const satisfies VerifyRequest;

const explain = (asked: VerifyRequest): ReturnType<typeof explainPath> => explainPath(asked, verify(asked));
const told = (asked: VerifyRequest): unknown =>
  explain(asked).map(({ name, rules }) => [name, rules.map(({ id, ok }) => (ok ? id : `✗ ${id}`)).join(' ')]);

describe('an explanation', () => {
  it('says of each certificate which rules it passed', () => {
    assert.deepEqual(told(request), [
      ['api', 'extended-key-usage key-usage name dates key extensions signature name-constraints revocation'],
      ['middle', 'extended-key-usage dates key extensions signature authority path-length name-constraints revocation'],
      ['root', 'extended-key-usage dates key extensions signature authority path-length path'],
    ]);
    assert.deepEqual(
      explain(request).map(({ anchor }) => anchor),
      [false, false, true],
    );
  });

  it('asks no more than was asked', () => {
    const { purpose: _purpose, name: _name, crls: _crls, ...less } = request;
    assert.deepEqual((told({ ...less, crls: [] }) as string[][])[0], ['api', 'dates key extensions signature name-constraints']);
    const asserting = certify({ by: root, more: [policies('1.2.3')] });
    const found = told({ ...less, leaf: asserting.certificate, intermediates: [], crls: [] }) as string[][];
    assert.match(found[0]![1]!, /policies/);
  });

  it('says which rule failed, and by which section', () => {
    const failed = explain({ ...request, purpose: 'client', name: { host: 'web.shop.test' } })[0]!.rules.filter(({ ok }) => !ok);
    assert.deepEqual(
      failed.map(({ id, failures }) => [id, failures.map(({ source }) => source)]),
      [
        ['extended-key-usage', ['RFC 5280 §4.2.1.12']],
        ['name', ['RFC 9525 §6']],
      ],
    );
  });

  it('says where a path ends that leads nowhere, and which CRL is missing', () => {
    const lost = explain({ ...request, roots: [] });
    assert.deepEqual(
      lost
        .at(-1)!
        .rules.filter(({ ok }) => !ok)
        .map(({ id }) => id),
      ['path'],
    );
    const [unknown] = explain({ ...request, crls: [crlOf({ by: root })] });
    assert.deepEqual(
      unknown!.rules.filter(({ ok }) => !ok).map(({ id }) => id),
      ['revocation'],
    );
  });

  it('is drawn from the anchor down', () => {
    const lines = renderPath(explain({ ...request, purpose: 'client' })).split('\n');
    assert.match(lines[0]!, /^root {2}trust anchor, EC P-256, until 2026-06-02$/);
    assert.ok(lines.some((line) => /^(└─|`-) middle {2}/.test(line)));
    assert.ok(lines.some((line) => /^ {3}(└─|`-) api {2}/.test(line)));
    assert.ok(lines.some((line) => /expected clientAuth, found serverAuth \(RFC 5280 §4\.2\.1\.12\)$/.test(line)));
    assert.match(renderPath(explain({ ...request, roots: [], intermediates: [] })), /^\? middle\n/);
  });

  it('has a source for each rule, and no two of one name', () => {
    assert.equal(new Set(PATH_RULES.map(({ id }) => id)).size, PATH_RULES.length);
    for (const { source } of PATH_RULES) assert.match(source, /RFC \d+ §|NIST/);
  });
});
