import assert from 'node:assert/strict';
import fc from 'fast-check';
import { type Pattern, dnsPattern, ipPattern, uriPattern } from '../../../src/authority/policy/patterns.js';
import { ipToText } from '../../../src/base/bytes.js';
import { failure } from '../../support/failure.js';

/** Which of the names a pattern allows. */
const allowed = ({ allows }: Pattern, names: readonly string[]): string[] => names.filter((name) => allows(name));

const label = fc.stringMatching(/^[a-z0-9]{1,5}$/).filter((text) => /[a-z]/.test(text));
const domain = fc.array(label, { minLength: 2, maxLength: 4 }).map((labels) => labels.join('.'));

describe('a pattern of DNS names', () => {
  const names = [
    'shop.test',
    'api.shop.test',
    'a.api.shop.test',
    '*.shop.test',
    '*.api.shop.test',
    'notshop.test',
    'shop.test.evil.test',
    'api',
  ];

  it('without a star is one name', () => {
    assert.deepEqual(allowed(dnsPattern('shop.test'), names), ['shop.test']);
    assert.deepEqual(allowed(dnsPattern('api'), names), ['api']);
  });

  it('with a star has exactly one label there, and so the wildcard that means the same', () => {
    assert.deepEqual(allowed(dnsPattern('*.shop.test'), names), ['api.shop.test', '*.shop.test']);
    assert.deepEqual(allowed(dnsPattern('*'), names), ['api']);
    assert.deepEqual(allowed(dnsPattern('*.test'), names), ['shop.test', 'notshop.test']);
  });

  it('with a dot in front is whatever is below, and not the name itself', () => {
    assert.deepEqual(allowed(dnsPattern('.shop.test'), names), ['api.shop.test', 'a.api.shop.test', '*.shop.test', '*.api.shop.test']);
  });

  it('is read as names are: in A-labels and lower case', () => {
    assert.equal(dnsPattern('.BÜCHER.test').allows('a.xn--bcher-kva.test'), true);
    assert.equal(dnsPattern('*.Shop.Test').text, '*.Shop.Test');
  });

  it('has a star nowhere else', async () => {
    const wrong = [
      '',
      '.',
      '*.',
      '**',
      '**.shop.test',
      'a.*.test',
      'a*.shop.test',
      '*a.shop.test',
      '*.*.shop.test',
      '.*.shop.test',
      '..shop.test',
    ];
    for (const text of [...wrong, 'shop..test', 'a b', '10.0.0.1', 'https://shop.test', 'shop.test/', '*.shop.test\n', 'a_b.test'])
      await failure('VALUE_INVALID', () => dnsPattern(text), /DNS pattern: expected a name such as/);
  });

  it('counts labels: below at any depth, one for a star, none without', () => {
    fc.assert(
      fc.property(domain, fc.array(label, { maxLength: 4 }), (base, above) => {
        const name = [...above, base].join('.');
        assert.equal(dnsPattern(base).allows(name), above.length === 0);
        assert.equal(dnsPattern(`*.${base}`).allows(name), above.length === 1);
        assert.equal(dnsPattern(`.${base}`).allows(name), above.length > 0);
        // the same letters without the dot between
        assert.equal(dnsPattern(`.${base}`).allows(`x${base}`), false);
      }),
    );
  });
});

describe('a pattern of addresses', () => {
  it('is an address or a network', () => {
    const names = ['10.0.0.0', '10.255.255.255', '11.0.0.0', '9.255.255.255', 'fd00::7', 'fd01::', '::ffff:a00:1', '::1'];
    assert.deepEqual(allowed(ipPattern('10.0.0.0/8'), names), ['10.0.0.0', '10.255.255.255']);
    assert.deepEqual(allowed(ipPattern('fd00::/16'), names), ['fd00::7']);
    assert.deepEqual(allowed(ipPattern('10.0.0.0'), names), ['10.0.0.0']);
    assert.deepEqual(allowed(ipPattern('0:0:0:0:0:0:0:1'), names), ['::1']);
    assert.deepEqual(allowed(ipPattern('0.0.0.0/0'), names), ['10.0.0.0', '10.255.255.255', '11.0.0.0', '9.255.255.255']);
    assert.deepEqual(allowed(ipPattern('::/0'), names), ['fd00::7', 'fd01::', '::ffff:a00:1', '::1']);
    assert.equal(ipPattern('10.0.0.0/8').allows('shop.test'), false);
  });

  it('has nothing behind its prefix, and says what was meant', async () => {
    await failure('VALUE_INVALID', () => ipPattern('10.1.2.3/8'), /nothing behind its prefix: 10\.0\.0\.0\/8/);
    await failure('VALUE_INVALID', () => ipPattern('fd00::1/16'), /fd00::\/16/);
    for (const text of [
      '',
      '/',
      '/8',
      '10.0.0.0/',
      '10.0.0.0/33',
      '10.0.0.0/08',
      '10.0.0.0/-1',
      '10.0.0/8',
      '10.0.0.0/8/8',
      '::/129',
      '10.*',
      '*',
      '10.0.0.0/8\n',
    ])
      await failure('VALUE_INVALID', () => ipPattern(text), /an address or a network such as/);
  });

  it('compares as many bits as it says', () => {
    const address = fc.oneof(fc.uint8Array({ minLength: 4, maxLength: 4 }), fc.uint8Array({ minLength: 16, maxLength: 16 }));
    fc.assert(
      fc.property(address, fc.nat(), fc.nat(), (bytes, length, flip) => {
        const total = bytes.length * 8;
        const [bits, flipped] = [length % (total + 1), flip % total];
        const binary = [...bytes].map((octet) => octet.toString(2).padStart(8, '0')).join('');
        const textOf = (all: string): string => ipToText(Buffer.from(all.match(/.{8}/g)!.map((octet) => Number.parseInt(octet, 2))))!;
        const { allows } = ipPattern(`${textOf(binary.slice(0, bits).padEnd(total, '0'))}/${bits}`);
        assert.equal(allows(textOf(binary)), true);
        const other = `${binary.slice(0, flipped)}${binary[flipped] === '0' ? '1' : '0'}${binary.slice(flipped + 1)}`;
        assert.equal(allows(textOf(other)), flipped >= bits);
      }),
    );
  });
});

describe('a pattern of URIs', () => {
  const ids = [
    'spiffe://shop.test',
    'spiffe://shop.test/ns/a/sa/api',
    'spiffe://shop.test/ns/b/sa/api',
    'spiffe://shop.test/ns/a/sa/web',
    'spiffe://shop.test/ns/a/b/sa/api',
  ];

  it('without a star is that URI, octet by octet', () => {
    assert.deepEqual(allowed(uriPattern('spiffe://shop.test/ns/a/sa/api'), ids), ['spiffe://shop.test/ns/a/sa/api']);
    assert.equal(uriPattern('https://shop.test/a?b=c#d').allows('https://shop.test/a?b=c#d'), true);
    assert.equal(uriPattern('https://shop.test/a').allows('https://SHOP.test/a'), false);
  });

  it('with a star has one segment there, with two all that is left', () => {
    assert.deepEqual(allowed(uriPattern('spiffe://shop.test/ns/*/sa/api'), ids), [
      'spiffe://shop.test/ns/a/sa/api',
      'spiffe://shop.test/ns/b/sa/api',
    ]);
    assert.deepEqual(allowed(uriPattern('spiffe://shop.test/**'), ids), ids.slice(1));
    assert.deepEqual(allowed(uriPattern('spiffe://shop.test/*/a/**'), ids), [ids[1], ids[3], ids[4]]);
    assert.deepEqual(allowed(uriPattern('spiffe://shop.test/ns/**'), ['spiffe://shop.test/ns', 'spiffe://shop.test/ns/']), []);
  });

  it('allows nothing that could be taken for another path or another host', () => {
    const { allows } = uriPattern('spiffe://shop.test/ns/**');
    const tricks = [
      'ns/../admin',
      'ns/./a',
      'ns//a',
      'ns/a/',
      'ns/%2e%2e/admin',
      'ns/a%2Fb',
      'ns/a?x=/b',
      'ns/a#b',
      'ns/..\\admin',
      'nsx/a',
    ];
    for (const path of tricks) assert.equal(allows(`spiffe://shop.test/${path}`), false, path);
    for (const host of ['shop.test@evil.test', 'shop.test.evil.test', 'shop.test:443', 'evil.test#shop.test'])
      assert.equal(allows(`spiffe://${host}/ns/a`), false, host);
    assert.equal(allows('https://shop.test/ns/a'), false);
  });

  it('has a star only for whole segments of the path, and two only at its end', async () => {
    const wrong = [
      '',
      '*',
      '**',
      '/**',
      'spiffe://*',
      'spiffe://**',
      'spiffe://*/a',
      '*://shop.test/a',
      'spiffe://*.shop.test/a',
      'spiffe://shop.test*/a',
    ];
    for (const text of [
      ...wrong,
      'spiffe://shop.test/a*',
      'spiffe://shop.test/**/a',
      'spiffe://shop.test/***',
      'spiffe:/*',
      'urn:*',
      'spiffe://shop.test/a b',
      'spiffe://shop.test/*\n',
    ])
      await failure('VALUE_INVALID', () => uriPattern(text), /URI pattern: expected a URI such as/);
  });

  it('counts segments', () => {
    const path = fc.array(label, { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(path, fc.nat(), path, (segments, star, more) => {
        const at = star % segments.length;
        const uriOf = (all: readonly string[]): string => `spiffe://shop.test/${all.join('/')}`;
        const one = uriPattern(uriOf(segments.with(at, '*')));
        assert.equal(one.allows(uriOf(segments)), true);
        assert.equal(one.allows(uriOf(segments.with(at, 'other'))), true);
        assert.equal(one.allows(uriOf([...segments, ...more])), false);
        const deep = uriPattern(uriOf([...segments, '**']));
        assert.equal(deep.allows(uriOf(segments)), false);
        assert.equal(deep.allows(uriOf([...segments, ...more])), true);
        assert.equal(deep.allows(uriOf([...segments.with(at, `x${segments[at]}`), ...more])), false);
      }),
    );
  });
});
