import assert from 'node:assert/strict';
import { asDnsName, asIpAddress, asLabel, asTrustDomain, asUri } from '../../src/authority/names.js';
import { failure } from './support.js';

describe('names:', () => {
  it('a label is one of DNS, in lower case', async () => {
    for (const name of ['a', '0', 'api', 'api-2', 'x'.repeat(63)]) assert.equal(asLabel(name), name);
    for (const name of ['', '-', 'api-', '-api', 'Api', 'a.b', 'a_b', 'a b', '..', '../etc', 'api\n', 'ä', 'x'.repeat(64)])
      await failure('NAME_NOT_DNS_LABEL', () => asLabel(name));
  });

  it('what was meant is suggested, where it can be guessed', async () => {
    const hints = async (name: string) => (await failure('NAME_NOT_DNS_LABEL', () => asLabel(name, 'namespace'), /^namespace /)).hints;
    assert.deepEqual(await hints('My_Service'), ['did you mean my-service?']);
    assert.deepEqual(await hints('-api-'), ['did you mean api?']);
    assert.deepEqual(await hints(`${'x'.repeat(62)}-y`), [`did you mean ${'x'.repeat(62)}?`]);
    for (const name of ['', '---', '日本']) assert.deepEqual(await hints(name), []);
  });

  it('a DNS name is written in A-labels and lower case', () => {
    assert.equal(asDnsName('API.Shop.test'), 'api.shop.test');
    assert.equal(asDnsName('bücher.test'), 'xn--bcher-kva.test');
    assert.equal(asDnsName('*.shop.test'), '*.shop.test');
    assert.equal(asDnsName('localhost'), 'localhost');
  });

  it('a DNS name is no pattern beyond a left-most wildcard, no address, nothing with a port', async () => {
    const wrong = [
      '',
      '*',
      '*.',
      '*.test',
      'a.*.test',
      'a*.shop.test',
      '*.*.shop.test',
      'a..b',
      'a.',
      '.a',
      'a_b.test',
      'a b',
      'a:443',
      '-a.test',
    ];
    for (const name of [...wrong, `${'a.'.repeat(130)}b`, `${'a'.repeat(64)}.test`])
      await failure('VALUE_INVALID', () => asDnsName(name), /--dns: expected a DNS name such as/);
    // what a URL would read past
    for (const name of ['a/b', 'a?b', 'a#b', 'a\\b', 'a%41', 'a\tb', ' a', 'a\n', 'https://a.test'])
      await failure('VALUE_INVALID', () => asDnsName(name), /--dns/);
    for (const address of ['10.0.0.1', '::1']) await failure('VALUE_INVALID', () => asDnsName(address), /for an address use --ip/);
    for (const address of ['127.1', '0x7f.1', '*.10.0.0.1']) await failure('VALUE_INVALID', () => asDnsName(address));
  });

  it('an address is in its canonical form', async () => {
    assert.deepEqual(['10.0.0.7', 'FD00:0:0::7', '0:0:0:0:0:0:0:1', '::ffff:1.2.3.4'].map(asIpAddress), [
      '10.0.0.7',
      'fd00::7',
      '::1',
      '::ffff:102:304',
    ]);
    for (const text of ['', '10.0.0', '10.0.0.256', '010.0.0.1', 'fe80::1%eth0', '10.0.0.0/8', '[::1]', 'api'])
      await failure('VALUE_INVALID', () => asIpAddress(text), /--ip/);
  });

  it('a URI is absolute, of ASCII, and has an authority', async () => {
    for (const text of ['spiffe://shop.test/ns/default/sa/api', 'https://shop.test', 'urn+x://a/b?c#d']) assert.equal(asUri(text), text);
    for (const text of [
      '',
      'api',
      '/api',
      'urn:isbn:1',
      'spiffe://',
      'https://a b',
      'https://bücher.test',
      'https://a\n',
      `https://${'a'.repeat(2048)}`,
    ])
      await failure('VALUE_INVALID', () => asUri(text), /--uri/);
  });

  it('a trust domain may have dots, dashes and underscores, and begins with none', async () => {
    for (const text of ['a', 'shop.test', 'a_b-c.d', '1']) assert.equal(asTrustDomain(text), text);
    for (const text of ['-a', 'a-', '_a', 'a..b', 'A', 'a/b']) await failure('VALUE_INVALID', () => asTrustDomain(text));
  });
});
