import assert from 'node:assert/strict';
import fc from 'fast-check';
import { NO_NAMES } from '../../src/pki/general-name.js';
import { identityOf, parseSpiffeId, serviceId } from '../../src/validate/identity.js';
import { describeNames, matchesEmail, matchesHost, matchesIp, matchesName, matchesUri } from '../../src/validate/names.js';
import { type Recipe, authority, certify } from '../support/chains.js';
import { ask, isBad, isGood } from './support.js';

const dns = (...names: readonly string[]) => ({ ...NO_NAMES, dns: names });
const ip = (...addresses: readonly string[]) => ({ ...NO_NAMES, ip: addresses });

/** Presented, asked for, and whether they match: RFC 9525 §6.3. */
const HOSTS: readonly (readonly [presented: string, asked: string, matches: boolean])[] = [
  ['shop.test', 'shop.test', true],
  ['shop.test', 'SHOP.Test', true],
  ['SHOP.test', 'shop.test', true],
  ['shop.test', 'shop.test.', true],
  ['shop.test.', 'shop.test', false],
  ['shop.test', 'api.shop.test', false],
  ['api', 'api', true],
  ['my_service.shop.test', 'my_service.shop.test', true],
  ['*.shop.test', 'api.shop.test', true],
  ['*.shop.test', 'API.shop.test', true],
  ['*.shop.test', 'shop.test', false],
  ['*.shop.test', 'a.b.shop.test', false],
  ['*.shop.test', '.shop.test', false],
  ['a*.shop.test', 'api.shop.test', false],
  ['*a.shop.test', 'aa.shop.test', false],
  ['*.*.test', 'a.b.test', false],
  ['api.*.test', 'api.shop.test', false],
  ['*', 'api', false],
  ['xn--bcher-kva.test', 'bücher.test', true],
  ['xn--bcher-kva.test', 'BÜCHER.test', true],
  ['*.xn--bcher-kva.test', 'api.bücher.test', true],
  ['xn--*.test', 'xn--bcher-kva.test', false],
  ['bücher.test', 'bücher.test', false],
  ['a b.test', 'a b.test', false],
  ['-a.test', '-a.test', false],
  ['', '', false],
  ['.', '.', false],
  ['127.0.0.1', '127.0.0.1', false],
];

describe('host names', () => {
  for (const [presented, asked, matches] of HOSTS)
    it(`${JSON.stringify(asked)} is ${matches ? '' : 'not '}${JSON.stringify(presented)}`, () => {
      assert.equal(matchesHost(dns(presented), asked), matches);
      assert.equal(matchesHost(dns('other.test', presented), asked), matches);
    });

  it('that are addresses are looked for among the addresses, in every spelling', () => {
    assert.ok(matchesHost(ip('10.0.0.1'), '10.0.0.1'));
    assert.ok(matchesHost(ip('2001:db8::1'), '[2001:DB8:0:0::1]'));
    assert.ok(matchesHost(ip('10.0.0.1'), '１０.0.0.1'));
    assert.ok(!matchesHost(ip('10.0.0.1'), '10.0.0.2'));
    assert.ok(!matchesHost(dns('10.0.0.1'), '10.0.0.1'));
  });

  it('match a wildcard for one label, whatever it is, and nothing else', () => {
    const label = fc.stringMatching(/^[a-z]([a-z0-9-]{0,10}[a-z0-9])?$/);
    fc.assert(
      fc.property(label, fc.array(label, { minLength: 1, maxLength: 3 }), (first, rest) => {
        const base = rest.join('.');
        assert.ok(matchesHost(dns(`*.${base}`), `${first}.${base}`));
        assert.ok(!matchesHost(dns(`*.${base}`), `x.${first}.${base}`));
        assert.equal(matchesHost(dns(`${first}.${base}`), `*.${base}`), false);
      }),
    );
  });
});

describe('other names', () => {
  it('addresses are compared as octets', () => {
    assert.ok(matchesIp(ip('::1'), '0:0:0:0:0:0:0:1'));
    assert.ok(!matchesIp(ip('10.0.0.1'), '::ffff:10.0.0.1'));
    for (const none of ['010.0.0.1', '10.0.0', '10.0.0.1/8', '::1%lo', '']) assert.ok(!matchesIp(ip('10.0.0.1', '::1'), none));
  });

  it('a URI is the one and only, octet by octet', () => {
    const id = 'spiffe://shop.test/ns/default/sa/api';
    const uri = (...names: readonly string[]) => ({ ...NO_NAMES, uri: names });
    assert.ok(matchesUri(uri(id), id));
    for (const other of [uri(), uri(id, id), uri(id, 'https://x'), uri(id.toUpperCase()), uri(`${id}/`)]) assert.ok(!matchesUri(other, id));
  });

  it('a mailbox has its host in any case, and its local part in one', () => {
    const email = (...names: readonly string[]) => ({ ...NO_NAMES, email: names });
    assert.ok(matchesEmail(email('Me@shop.test'), 'Me@SHOP.test'));
    assert.ok(!matchesEmail(email('Me@shop.test'), 'me@shop.test'));
    assert.ok(!matchesEmail(email('me@shop.test'), 'shop.test'));
  });

  it('are asked for by their kind', () => {
    const names = { ...NO_NAMES, dns: ['a.test'], ip: ['10.0.0.1'], uri: ['x:y'], email: ['a@b.test'] };
    for (const query of [{ host: 'a.test' }, { ip: '10.0.0.1' }, { uri: 'x:y' }, { email: 'a@b.test' }])
      assert.ok(matchesName(names, query));
    for (const query of [{ host: 'b.test' }, { ip: '10.0.0.2' }, { uri: 'x:z' }, { email: 'b@b.test' }])
      assert.ok(!matchesName(names, query));
  });

  it('are told, and many of them in few words', () => {
    assert.equal(describeNames(NO_NAMES), 'no names');
    assert.equal(describeNames(dns('a', 'b')), 'a, b');
    assert.equal(describeNames(dns(...'abcdefghij')), 'a, b, c, d, e, f, g, h and 2 more');
  });
});

describe('SPIFFE IDs', () => {
  it('are taken apart', () => {
    assert.deepEqual(parseSpiffeId(serviceId('shop.test', 'billing', 'ledger')), {
      id: 'spiffe://shop.test/ns/billing/sa/ledger',
      ...{ trustDomain: 'shop.test', path: '/ns/billing/sa/ledger', namespace: 'billing', serviceAccount: 'ledger' },
    });
    assert.deepEqual(parseSpiffeId('spiffe://shop.test/a/b'), { id: 'spiffe://shop.test/a/b', trustDomain: 'shop.test', path: '/a/b' });
    assert.equal(parseSpiffeId('spiffe://shop.test')!.path, '');
  });

  it('that are none are none', () => {
    const none = ['', 'https://a/b', 'spiffe:/a', 'SPIFFE://a/b', 'spiffe://A/b', 'spiffe://a//b', 'spiffe://a/b/', 'spiffe://a/./b'];
    const more = [
      'spiffe://a/../b',
      'spiffe://a/b?c',
      'spiffe://a/b#c',
      'spiffe://a:8/b',
      'spiffe://u@a/b',
      'spiffe://a/b%20',
      'spiffe:///b',
    ];
    for (const text of [...none, ...more, `spiffe://a/${'b'.repeat(2048)}`]) assert.equal(parseSpiffeId(text), undefined, text);
  });

  it('are who somebody is when there is exactly one', () => {
    const of = (...uri: readonly string[]) => identityOf(certify({ names: { uri } }).certificate)?.id;
    assert.equal(of('spiffe://a/b'), 'spiffe://a/b');
    assert.equal(of('spiffe://a/b', 'spiffe://a/c'), undefined);
    assert.equal(of('https://a/b'), undefined);
    assert.equal(identityOf(certify({}).certificate), undefined);
  });

  it('are nobody of whom a certificate says that he signs for others (X509-SVID §5.2)', () => {
    const root = authority({ name: 'root' });
    const uri = 'spiffe://a/b';
    const asked = (recipe: Recipe) => ask(certify({ ...recipe, by: root, names: { uri: [uri] } }), [], [root], { name: { uri } });
    isGood(asked({}));
    isBad(asked({ keyUsage: ['digitalSignature', 'cRLSign'] }), 'NAME_MISMATCH');
    isBad(asked({ keyUsage: ['digitalSignature', 'keyCertSign'] }), 'NAME_MISMATCH');
    isBad(asked({ ca: true }), 'NAME_MISMATCH');
  });
});
