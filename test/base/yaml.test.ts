import assert from 'node:assert/strict';
import fc from 'fast-check';
import { stringify } from 'yaml';
import { type Located, locatedJson } from '../../src/base/located.js';
import { readYaml } from '../../src/base/yaml.js';

/** A value without its lines. */
function plain({ value }: Located): unknown {
  if (Array.isArray(value)) return (value as readonly Located[]).map(plain);
  if (value instanceof Map)
    return Object.fromEntries([...(value as ReadonlyMap<string, Located>)].map(([key, item]) => [key, plain(item)]));
  return value;
}

const valueOf = async (text: string): Promise<unknown> => {
  const { root, faults } = await readYaml(text);
  assert.deepEqual(faults, [], text);
  return plain(root);
};
const faultsOf = async (text: string): Promise<string[]> => (await readYaml(text)).faults.map(({ line, problem }) => `${line}: ${problem}`);

describe('readYaml', () => {
  it('takes scalars for text as it is written, but for true, false and nothing', async () => {
    const text = 'a: 007\nb: no\nc: 1e3\nd: 2026-01-01\ne: true\nf: "true"\ng: ~\nh:\ni: 0x1f\nj: |\n  two\n  lines\n';
    const expected = { a: '007', b: 'no', c: '1e3', d: '2026-01-01', e: true, f: 'true', g: null, h: null, i: '0x1f', j: 'two\nlines\n' };
    assert.deepEqual(await valueOf(text), expected);
  });

  it('knows the line of each value, and of a value below its key that of the key', async () => {
    const { root } = await readYaml('# first\nservices:\n  - api\n  -\n    dns:\n      - a.test\n', 10);
    const services = (root.value as ReadonlyMap<string, Located>).get('services')!;
    const [api, second] = services.value as readonly Located[];
    const dns = (second!.value as ReadonlyMap<string, Located>).get('dns')!;
    assert.deepEqual([root.line, services.line, api!.line, dns.line, (dns.value as readonly Located[])[0]!.line], [10, 11, 12, 14, 15]);
  });

  it('refuses aliases and anchors, which could make ten lines a billion values', async () => {
    const laughs = ['a0: &a0 [x, x]', ...Array.from({ length: 40 }, (_, i) => `a${i + 1}: &a${i + 1} [*a${i}, *a${i}]`)].join('\n');
    const faults = await faultsOf(laughs);
    assert.match(faults[0]!, /^1: an anchor, expected none/);
    assert.equal(faults.length, 20);
    assert.match((await faultsOf('a: 1\nb: *a'))[0]!, /^2: (?:an alias|not YAML)/);
    assert.match(
      (await faultsOf('a: &x 1\nb: *x')).join('\n'),
      /1: an anchor[^]*2: an alias, expected none: a text that begins with \* needs quotes/,
    );
    assert.match((await faultsOf('&x a: 1')).join('\n'), /1: a key with an anchor or a tag/);
    // an alias of itself
    assert.match((await faultsOf('a: &x [*x]')).join('\n'), /an anchor/);
  });

  it('does not merge: << is a key like another', async () => {
    assert.deepEqual(await valueOf('<<: {a: b}'), { '<<': { a: 'b' } });
  });

  it('refuses tags, directives, a second document, keys twice, keys that are no text, depth', async () => {
    const refused: readonly (readonly [text: string, fault: RegExp])[] = [
      ['a: !!binary aGk=', /1: a tag/],
      ['a: !mine x', /1: a tag/],
      ['!!map\na: b', /a tag/],
      ['%YAML 1.1\n---\na: no', /1: a directive/],
      ['%YAML 1.2\n---\na: no', /1: a directive/],
      ['a: 1\n---\nb: 2', /^[23]: a second document, expected one$/],
      ['a: 1\nb: 2\na: 3', /3: "a" a second time/],
      ['{"a": 1, "a": 2}', /1: "a" a second time/],
      ['? [a]\n: b', /not YAML: .*keys must be strings/],
      [`${'a: {'.repeat(1)}${'b: {'.repeat(8)}${'}'.repeat(9)}`, /deeper than 8/],
      ['a: [1, 2', /not YAML/],
      ["a: 'b", /not YAML: Missing closing 'quote/],
      ['a: b\n\tc: d', /2: not YAML: Tabs/],
      ['a: b: c', /not YAML/],
    ];
    for (const [text, fault] of refused) assert.match((await faultsOf(text)).join('\n'), fault, text);
  });

  it('quotes nothing that steers a terminal', async () => {
    for (const text of ['"\\\u009b"', 'a: |\u001b\n x', 'a: []]\u202e']) {
      const faults = await faultsOf(text);
      assert.ok(faults.length > 0);
      for (const fault of faults) assert.match(fault, /^[ -~]*$/);
    }
  });

  it('reads nothing as nothing', async () => {
    for (const text of ['', '# only a comment\n', '---\n', '...\n']) assert.equal(await valueOf(text), null);
  });

  it('keeps a key of the prototype a key', async () => {
    const { root } = await readYaml('__proto__: {a: b}\nconstructor: c');
    assert.deepEqual([...(root.value as ReadonlyMap<string, Located>).keys()], ['__proto__', 'constructor']);
  });

  it('answers within seconds, whatever 64 KB hold', async function () {
    this.timeout(60_000);
    for (const bad of ['[', '- ', '&a ', '"\n', ']', '---\n', '"\\x']) {
      const from = process.hrtime.bigint();
      const { faults } = await readYaml(bad.repeat(65_536 / bad.length));
      const took = Number(process.hrtime.bigint() - from) / 1e6;
      assert.ok(took < 15_000, `${JSON.stringify(bad)}: ${took} ms`);
      assert.ok(faults.length <= 20);
    }
  });

  it('reads what JSON says as JSON says it', async () => {
    const word = fc.string({ maxLength: 20 });
    const value = fc.letrec((tie) => ({
      any: fc.oneof({ maxDepth: 4 }, word, fc.boolean(), fc.constant(null), fc.array(tie('any'), { maxLength: 4 }), tie('map')),
      map: fc.dictionary(
        word.filter((key) => key !== '__proto__'),
        tie('any'),
        { maxKeys: 4, noNullPrototype: true },
      ),
    })).map;
    await fc.assert(
      fc.asyncProperty(value, async (made) => {
        const json = JSON.stringify(made);
        assert.deepEqual(await valueOf(json), JSON.parse(json));
        assert.deepEqual(plain(locatedJson(made as never, 1)), JSON.parse(json));
      }),
      { numRuns: 200 },
    );
  });

  it('reads text back, however YAML writes it', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.dictionary(fc.stringMatching(/^[a-z]{1,9}$/), fc.string({ unit: 'binary', maxLength: 30 }), { noNullPrototype: true }),
        async (made) => {
          const text = stringify(made, { defaultStringType: 'QUOTE_DOUBLE' });
          assert.deepEqual(await valueOf(text), made);
        },
      ),
      { numRuns: 200 },
    );
  });
});
