import assert from 'node:assert/strict';
import { OID } from '../../src/pki/oids.js';
import { contextConstructed } from '../../src/pki/der.js';
import {
  type Node,
  element,
  embed,
  explicit,
  extension,
  implicit,
  integer,
  name,
  oid,
  sequence,
  toDer,
  utf8,
} from '../../src/pki/encode.js';
import { type Recipe, authority, certify } from '../support/chains.js';
import { type Bases, constraints, excluded, generalNamesOf, permitted } from '../support/extensions.js';
import { ask, isBad, isGood } from './support.js';

const names = (bases: Bases): Recipe => ({ more: [extension(OID.subjectAltName, false, sequence(...generalNamesOf(bases)))] });

/** A leaf with these names under a CA with these constraints. */
function judge(extensionOfCa: ReturnType<typeof permitted>, leaf: Recipe): ReturnType<typeof ask> {
  const ca = authority({ name: 'limited', more: [extensionOfCa] });
  return ask(certify({ by: ca, ...leaf }), [], [ca]);
}

const shop = [[OID.organizationName, 'Shop']] as const;
const subjectOf = (attributes: readonly (readonly [string, string])[]): { readonly subject: Node } => ({ subject: name(attributes) });

/** Kind, base, what is within, what is not: as RFC 5280 §4.2.1.10 has it. */
const WITHIN: readonly (readonly [kind: keyof Bases, base: string, inside: readonly string[], outside: readonly string[]])[] = [
  [
    'dns',
    'shop.test',
    ['shop.test', 'api.shop.test', 'a.b.shop.test', 'API.Shop.Test', '*.shop.test'],
    ['xshop.test', 'test', 'shop.test.evil', '*.test'],
  ],
  ['dns', '.shop.test', ['api.shop.test', 'a.b.shop.test', '*.shop.test'], ['shop.test', 'xshop.test']],
  ['dns', 'SHOP.test', ['api.shop.test'], ['shop.example']],
  ['dns', '', ['anything.test', '*.test'], []],
  ['ip', '10.0.0.0/255.0.0.0', ['10.0.0.0', '10.255.255.255'], ['11.0.0.0', '::ffff:10.0.0.1', '2001:db8::1']],
  ['ip', '192.168.0.0/255.255.255.128', ['192.168.0.127'], ['192.168.0.128']],
  ['ip', '2001:db8::/ffff:ffff::', ['2001:db8:ffff::1'], ['2001:db9::', '10.0.0.1']],
  [
    'uri',
    'shop.test',
    ['spiffe://shop.test/ns/a/sa/b', 'https://SHOP.test:8443/x?y#z', 'https://me@shop.test/'],
    [
      'spiffe://api.shop.test/x',
      'spiffe://shop.test.evil/x',
      'urn:shop.test',
      'https://10.0.0.1/',
      'https://[::1]/',
      'spiffe:///x',
      'https://shop.test@evil.test/',
      'https://evil.test\\@shop.test/',
      'https://evil.test%@shop.test/',
    ],
  ],
  ['uri', '.shop.test', ['spiffe://api.shop.test/x', 'spiffe://a.b.shop.test/x'], ['spiffe://shop.test/x']],
  ['email', 'me@shop.test', ['me@shop.test', 'me@SHOP.test'], ['Me@shop.test', 'you@shop.test', 'me@api.shop.test']],
  ['email', 'shop.test', ['me@shop.test', 'you@Shop.Test'], ['me@api.shop.test', 'shop.test', '@shop.test', 'me@']],
  ['email', '.shop.test', ['me@api.shop.test'], ['me@shop.test']],
];

describe('name constraints', () => {
  for (const [kind, base, inside, outside] of WITHIN) {
    it(`${kind} ${base === '' ? '(empty)' : base}: within and without`, () => {
      for (const one of inside) {
        isGood(judge(permitted({ [kind]: [base] }), names({ [kind]: [one] })));
        isBad(judge(excluded({ [kind]: [base] }), names({ [kind]: [one] })), 'NAME_CONSTRAINT');
      }
      for (const one of outside) isBad(judge(permitted({ [kind]: [base] }), names({ [kind]: [one] })), 'NAME_CONSTRAINT');
    });
  }

  it('are about directory names by what they say, beginning at the top', () => {
    const within = [...shop, [OID.commonName, 'api']] as const;
    const upper = [
      [OID.organizationName, 'SHOP  '],
      [OID.commonName, 'api'],
    ] as const;
    for (const directory of [within, upper]) isGood(judge(permitted({ directory: [shop] }), subjectOf(directory)));
    isBad(judge(permitted({ directory: [shop] }), { name: 'api' }), 'NAME_CONSTRAINT');
    isBad(judge(permitted({ directory: [shop] }), subjectOf([[OID.commonName, 'api'], ...shop])), 'NAME_CONSTRAINT');
    isBad(judge(excluded({ directory: [shop] }), subjectOf(within)), 'NAME_CONSTRAINT');
    // directory names of the SAN are names too, an empty subject is none
    isBad(
      judge(permitted({ directory: [shop] }), { ...subjectOf(within), ...names({ directory: [[[OID.commonName, 'x']]] }) }),
      'NAME_CONSTRAINT',
    );
    isGood(judge(permitted({ directory: [shop] }), { ...subjectOf([]), ...names({ directory: [within] }) }));
  });

  it('leave names of other kinds alone', () => {
    isGood(judge(permitted({ dns: ['shop.test'] }), names({ ip: ['10.0.0.1'], uri: ['spiffe://elsewhere/x'], email: ['a@b.test'] })));
    isGood(judge(excluded({ ip: ['0.0.0.0/0.0.0.0'] }), names({ dns: ['api.test'], ip: ['::1'] })));
  });

  it('need one of the permitted and none of the excluded', () => {
    const both = constraints({ dns: ['shop.test', 'store.test'] }, { dns: ['secret.shop.test'] });
    isGood(judge(both, names({ dns: ['api.shop.test', 'api.store.test'] })));
    isBad(judge(both, names({ dns: ['api.shop.test', 'x.secret.shop.test'] })), 'NAME_CONSTRAINT');
    isBad(judge(both, names({ dns: ['api.shop.test', 'elsewhere.test'] })), 'NAME_CONSTRAINT');
  });

  it('exclude a wildcard that stands for something excluded', () => {
    isBad(judge(excluded({ dns: ['secret.shop.test'] }), names({ dns: ['*.shop.test'] })), 'NAME_CONSTRAINT');
    isGood(judge(excluded({ dns: ['a.secret.shop.test'] }), names({ dns: ['*.shop.test'] })));
    isGood(judge(excluded({ dns: ['.secret.shop.test'] }), names({ dns: ['*.shop.test'] })));
  });

  it('refuse what cannot be compared, and nothing else where there is no constraint of its kind', () => {
    for (const dns of ['a b', '-a.shop.test', '*', 'a.*.shop.test', 'shop.test.']) {
      isBad(judge(excluded({ dns: ['elsewhere.test'] }), names({ dns: [dns] })), 'NAME_CONSTRAINT');
      isGood(judge(excluded({ email: ['elsewhere.test'] }), names({ dns: [dns] })));
    }
  });

  it('bind the e-mail address of the subject where the SAN has none, and internationalized mailboxes', () => {
    const subject = name([...shop, [OID.emailAddress, 'me@elsewhere.test']]);
    isBad(judge(permitted({ email: ['shop.test'] }), { subject }), 'NAME_CONSTRAINT');
    isGood(judge(permitted({ email: ['shop.test'] }), { subject, ...names({ email: ['me@shop.test'] }) }));
    const utf8Mailbox = (mailbox: string) =>
      embed(element(contextConstructed(0), [toDer(oid(OID.smtpUtf8Mailbox)), toDer(explicit(0, utf8(mailbox)))]));
    isGood(judge(permitted({ email: ['xn--bcher-kva.test'] }), names({ raw: [utf8Mailbox('märz@bücher.test')] })));
    isBad(judge(permitted({ email: ['shop.test'] }), names({ raw: [utf8Mailbox('märz@bücher.test')] })), 'NAME_CONSTRAINT');
  });

  it('of kinds that are not supported refuse names of that kind, and no others', () => {
    const registered = implicit(8, Buffer.from([42, 3]));
    isGood(judge(excluded({ raw: [registered] }), names({ dns: ['api.test'] })));
    isBad(judge(permitted({ raw: [registered] }), names({ raw: [registered] })), 'NAME_CONSTRAINT');
  });

  it('count where they are not critical too', () => {
    isBad(judge(constraints({ dns: ['shop.test'] }, {}, false), names({ dns: ['api.test'] })), 'NAME_CONSTRAINT');
  });

  it('of each CA hold for all below it: they only ever narrow', () => {
    const root = authority({ name: 'root', more: [permitted({ dns: ['shop.test'] })] });
    const narrow = authority({ name: 'narrow', by: root, more: [permitted({ dns: ['api.shop.test'] })] });
    const wide = authority({ name: 'wide', by: root, more: [permitted({ dns: ['test'] })] });
    isGood(ask(certify({ by: narrow, ...names({ dns: ['x.api.shop.test'] }) }), [narrow], [root]));
    isBad(ask(certify({ by: narrow, ...names({ dns: ['shop.test'] }) }), [narrow], [root]), 'NAME_CONSTRAINT');
    isGood(ask(certify({ by: wide, ...names({ dns: ['shop.test'] }) }), [wide], [root]));
    isBad(ask(certify({ by: wide, ...names({ dns: ['elsewhere.test'] }) }), [wide], [root]), 'NAME_CONSTRAINT');
  });

  it('hold for the names of CAs too, but not for self-issued ones in between', () => {
    const root = authority({ name: 'root', more: [permitted({ directory: [shop] })] });
    const outside = authority({ name: 'outside', by: root });
    const leaf = (by: typeof root): ReturnType<typeof certify> => certify({ by, ...subjectOf([...shop, [OID.commonName, 'x']]) });
    isBad(ask(leaf(outside), [outside], [root]), 'NAME_CONSTRAINT');
    const renewed = authority({ name: 'root', by: root });
    isGood(ask(leaf(renewed), [renewed], [root]));
    isBad(ask(certify({ name: 'root', by: root }), [], [root]), 'NAME_CONSTRAINT');
  });

  it('that are malformed refuse the path', () => {
    const malformed: readonly [string, Bases][] = [
      ['a wildcard', { dns: ['*.shop.test'] }],
      ['two @', { email: ['a@b@shop.test'] }],
      ['a URI', { uri: ['https://shop.test/'] }],
      ['an address without a mask', { ip: ['10.0.0.1'] }],
      ['a mask with a hole', { ip: ['10.0.0.0/255.0.255.0'] }],
    ];
    for (const [, bases] of malformed) isBad(judge(permitted(bases), names({ dns: ['api.shop.test'] })), 'EXTENSION_MALFORMED');
    isBad(judge(extension(OID.nameConstraints, true, sequence()), {}), 'EXTENSION_MALFORMED');
    const base = generalNamesOf({ dns: ['shop.test'] })[0]!;
    for (const bound of [implicit(0, Buffer.from([0])), implicit(0, Buffer.from([1])), implicit(1, Buffer.from([1]))]) {
      const list = embed(element(contextConstructed(0), [toDer(sequence(base, bound))]));
      isBad(judge(extension(OID.nameConstraints, true, sequence(list)), {}), 'EXTENSION_MALFORMED');
    }
    isBad(judge(extension(OID.nameConstraints, true, integer(1)), {}), 'EXTENSION_MALFORMED');
  });

  it('say which name, which constraint and whose', () => {
    const { errors } = judge(permitted({ dns: ['shop.test', 'store.test'] }), { name: 'api', ...names({ dns: ['api.evil.test'] }) });
    assert.equal(errors[0]!.message, 'api: dns api.evil.test is not permitted (shop.test, store.test), by the name constraints of limited');
    const { errors: other } = judge(excluded({ ip: ['10.0.0.0/255.0.0.0'] }), { name: 'api', ...names({ ip: ['10.1.2.3'] }) });
    assert.equal(other[0]!.message, 'api: ip 10.1.2.3 is excluded (10.0.0.0/8), by the name constraints of limited');
  });
});
