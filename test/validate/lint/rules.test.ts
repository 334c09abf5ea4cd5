import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import {
  LINT_RULES,
  type LintCode,
  type Lintable,
  PROFILES,
  type Profile,
  SEVERITIES,
  lintItems,
  rulesOf,
} from '../../../src/validate/lint/index.js';
import { AT } from '../../support/chains.js';
import { FIXTURES } from './fixtures/index.js';
import { file, issuing, leaf, root } from './support.js';

const codesIn = (items: readonly Lintable[], profile: Profile): LintCode[] => [
  ...new Set(lintItems(items, { at: AT, profile }).flatMap(({ findings }) => findings.map(({ code }) => code))),
];

describe('every rule of lint', () => {
  for (const { id, profiles } of LINT_RULES) {
    const { passes, fails, companions = [] } = FIXTURES[id];
    // the first profile is the widest that has the rule
    const profile = profiles[0]!;

    it(`${id} fires on what it is about, and nothing else does`, () => {
      assert.deepEqual(codesIn(fails(), profile).sort(), [id, ...companions].sort());
    });

    it(`${id} does not fire on what is right`, () => {
      assert.ok(!codesIn(passes(), profile).includes(id));
    });
  }

  it('says what was expected and found', () => {
    for (const { id, profiles } of LINT_RULES)
      for (const { findings } of lintItems(FIXTURES[id].fails(), { at: AT, profile: profiles[0]! }))
        for (const { code, message, source } of findings) {
          assert.match(message, /^(expected .*, found .*|\d+ more of the same)$/s, code);
          assert.notEqual(source, '');
        }
  });
});

describe('the table of rules', () => {
  it('has at least 65 rules, each with an id of its own', () => {
    const ids = LINT_RULES.map(({ id }) => id);
    assert.ok(ids.length >= 65, `${ids.length} rules`);
    assert.equal(new Set(ids).size, ids.length);
    for (const id of ids) assert.match(id, /^[A-Z][A-Z0-9_]*[A-Z0-9]$/);
  });

  it('has a file for every rule, named after it', () => {
    const directory = fileURLToPath(new URL('../../../src/validate/lint/rules/', import.meta.url));
    const files = readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.ts'));
    const names = files.map((path) => path.replace(/^.*[\\/]|\.ts$/g, ''));
    assert.deepEqual(names.sort(), LINT_RULES.map(({ id }) => id.toLowerCase().replaceAll('_', '-')).sort());
  });

  it('says of each rule where it is written, how bad it is, whose it is and what is wrong', () => {
    for (const { id, source, severity, profiles, title } of LINT_RULES) {
      assert.match(source, /§|Kubernetes: |^RFC \d+(, RFC \d+)*$|ISO|NIST SP 1800-16$/, id);
      assert.ok(SEVERITIES.includes(severity), id);
      assert.ok(profiles.length > 0 && profiles.every((profile) => PROFILES.includes(profile)), id);
      assert.match(title, /^[a-zA-Z0-9].*[^.]$/, id);
      assert.ok(title.length <= 100, id);
    }
  });

  it('has the rules of RFC 5280 and those of SPIFFE that every SVID is held to in the profile mtls', () => {
    const inMtls = new Set(rulesOf('mtls').map(({ id }) => id));
    for (const { id } of rulesOf('rfc5280')) assert.ok(inMtls.has(id), id);
    assert.ok(inMtls.has('SPIFFE_URI_NOT_ALONE'));
    assert.ok(!inMtls.has('SPIFFE_ID_MISSING'));
  });
});

describe('what is right', () => {
  for (const profile of PROFILES) {
    it(`is not complained of under ${profile}`, () => {
      assert.deepEqual(codesIn(file(leaf(), issuing.certificate), profile), []);
      assert.deepEqual(codesIn(file(root.certificate), profile), []);
    });
  }
});
