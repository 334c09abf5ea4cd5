import assert from 'node:assert/strict';
import { stripVTControlCharacters as plain } from 'node:util';
import { context, contextConstructed, TAG } from '../../src/pki/der.js';
import { element, embed, extension, octetString } from '../../src/pki/encode.js';
import { type Advice, type Inspected, describeInspected } from '../../src/pki/inspect.js';
import { OID } from '../../src/pki/oids.js';
import type { Signer } from '../../src/pki/sign.js';
import { renderInspection } from '../../src/render/inspect.js';
import { branch } from '../../src/render/style.js';
import { AT, DAY, HOUR, authority, certify, crlOf, shifted } from '../support/chains.js';

const NONE: Advice = { now: AT, identityOf: () => undefined, oddIn: () => [] };

const found = (signer: Signer, source = 'x'): Inspected => ({ source, kind: 'certificate', value: signer.certificate });
const rendered = (items: readonly Inspected[], advice = NONE): string =>
  plain(renderInspection({ items: describeInspected(items, advice), endpoints: [], now: AT }));
/** The value of a row, and the rows below it that have no name. */
function rowsOf(text: string, name: string): string[] {
  const lines = text.split('\n');
  const at = lines.findIndex((line) => line.startsWith(`  ${name.padEnd(10)} `));
  if (at < 0) return [];
  const next = lines.findIndex((line, i) => i > at && !line.startsWith(' '.repeat(13)));
  return lines.slice(at, next < 0 ? undefined : next).map((line) => line.slice(13));
}
const treeOf = (text: string): string[] => {
  const lines = text.split('\n');
  const at = lines.indexOf('chain');
  return at < 0 ? [] : lines.slice(at + 1);
};

const long = { notBefore: shifted(-400 * DAY), notAfter: shifted(400 * DAY) };
const root = authority({ name: 'root', ...long });
const middle = authority({ name: 'middle', by: root, ...long });
const leaf = certify({ name: 'leaf', by: middle, ...long });

describe('the chain, drawn', () => {
  const corner = `${branch.corner} `;

  it('is a tree with the root on top, each certificate once, with where it was found', () => {
    const second = certify({ name: 'second', by: middle, ...long });
    const text = rendered([found(leaf, 'a'), found(second, 'b'), found(middle, 'b'), found(root, 'b'), found(root, 'c')]);
    const fork = branch.bar === '|' ? '|- ' : '├─ ';
    assert.deepEqual(treeOf(text), [
      '  root, 400 days left  b, c',
      `  ${corner}middle, 400 days left  b`,
      `     ${fork}leaf, 400 days left  a`,
      `     ${corner}second, 400 days left  b`,
    ]);
  });

  it('says no sources where there is one, and is left out where nobody issued anybody', () => {
    assert.deepEqual(treeOf(rendered([found(middle), found(root)])), ['  root, 400 days left', `  ${corner}middle, 400 days left`]);
    assert.deepEqual(treeOf(rendered([found(leaf), found(root)])), []);
  });

  it('comes to an end where certificates sign each other, or are very many', () => {
    const one = authority({ name: 'one', ...long });
    const two = authority({ name: 'two', by: one, ...long });
    const back = authority({ name: 'one', key: one.key, by: two, ...long });
    const circle = treeOf(rendered([found(two), found(back)]));
    assert.deepEqual(circle, ['  two, 400 days left', `  ${corner}one, 400 days left`]);
    const leaves = Array.from({ length: 100 }, (_, i) => found(certify({ name: `leaf ${i}`, by: root, ...long })));
    const lines = treeOf(rendered([found(root), ...leaves]));
    assert.deepEqual([lines.length, lines.at(-1)], [61, '  and 41 more']);
  });
});

describe('a certificate in words', () => {
  it('has its limits by kinds of names', () => {
    const tree = (tag: number, text: string): Buffer => element(TAG.sequence, [element(tag, [Buffer.from(text, 'latin1')])]);
    const value = element(TAG.sequence, [
      element(contextConstructed(0), [
        ...['shop.test', 'b.test', '.c.test', ''].map((text) => tree(context(2), text)),
        tree(context(7), '\x0a\x00\x00\x00\xff\x00\x00\x00'),
      ]),
      element(contextConstructed(1), [
        tree(context(2), 'db.shop.test'),
        ...['a@b.test', 'b.test', '.b.test'].map((text) => tree(context(1), text)),
        ...['u.test', '.u.test'].map((text) => tree(context(6), text)),
        element(TAG.sequence, [element(contextConstructed(4), [root.certificate.subject.der])]),
        tree(context(8), '\x2a'),
      ]),
    ]);
    const text = rendered([found(authority({ more: [extension(OID.nameConstraints, true, embed(value))] }))]);
    assert.deepEqual(rowsOf(text, 'limits'), [
      'DNS names: only shop.test and below or b.test and below or below c.test or any, never db.shop.test and below',
      'addresses: only 10.0.0.0/8',
      'mailboxes: never a@b.test or at b.test or at hosts below b.test',
      'URIs: never at u.test or at hosts below u.test',
      'directory names: never CN=root and below',
      'rare names: never a registered identifier',
    ]);
  });

  it('tells a short life to the second, and years in days too', () => {
    const short = rendered([found(certify({ notBefore: shifted(-HOUR), notAfter: shifted(HOUR) }))]);
    assert.deepEqual(rowsOf(short, 'in force'), ['2026-06-01T11:00:00Z to 2026-06-01T13:00:00Z, 1 hour left']);
    const old = rendered([found(certify({ notBefore: shifted(-DAY), notAfter: shifted(3_700 * DAY) }))]);
    assert.match(rowsOf(old, 'in force')[0]!, /, 10 years left \(3700 days\)$/);
    const early = rendered([found(certify({ notBefore: shifted(DAY), notAfter: shifted(2 * DAY) }))]);
    assert.match(rowsOf(early, 'in force')[0]!, /, not yet$/);
  });

  it('shortens the bytes of what is unknown, and how many of it there are', () => {
    const more = Array.from({ length: 20 }, (_, i) => extension(`1.2.3.${i}`, i === 0, octetString(Buffer.alloc(i === 1 ? 200 : 2, i))));
    const rows = rowsOf(rendered([found(certify({ more }))]), 'extension');
    assert.equal(rows[0], '1.2.3.0, critical: 04 02 00 00');
    assert.match(rows[1]!, /^1\.2\.3\.1: 04 81 c8 (01 ){21}… \(203 octets\)$/);
    assert.deepEqual([rows.length, rows.at(-1)], [13, 'and 8 more']);
  });

  it('shows a few of very many names', () => {
    const dns = Array.from({ length: 1_000 }, (_, i) => `n${i}.test`);
    const [names] = rowsOf(rendered([found(certify({ names: { dns } }))]), 'names');
    assert.ok(names!.endsWith(', n39.test and 960 more'), names);
  });

  it('has what is odd, and says where nobody looked', () => {
    const odd = [
      { code: 'A', severity: 'error', message: 'expected x, found y' },
      { code: 'B', severity: 'warning', message: 'z' },
    ];
    const rows = rowsOf(rendered([found(leaf)], { ...NONE, oddIn: () => odd }), 'odd');
    assert.deepEqual(
      rows.map((row) => row.replace(/^\S+ /, '')),
      ['A  expected x, found y', 'B  z'],
    );
    assert.deepEqual(rowsOf(rendered([found(leaf)], { ...NONE, oddIn: () => undefined }), 'odd'), [
      'not looked for: it would take too long',
    ]);
    assert.deepEqual(rowsOf(rendered([found(leaf)]), 'odd'), []);
  });

  it('names its identity apart from its other names', () => {
    const id = 'spiffe://shop.test/api';
    const text = rendered([found(certify({ names: { uri: [id], dns: ['api.test'] } }))], {
      ...NONE,
      identityOf: () => ({ id, trustDomain: 'shop.test' }),
    });
    assert.deepEqual([rowsOf(text, 'identity'), rowsOf(text, 'names')], [[id], ['api.test']]);
  });
});

describe('a CRL in words', () => {
  it('has who signed it, the first of its entries with their reasons, and how many more there are', () => {
    const revoked = Array.from({ length: 7 }, () => ({ certificate: leaf.certificate, reason: 'superseded' as const }));
    const text = rendered([{ source: 'l', kind: 'crl', value: crlOf({ by: root, revoked }) }, found(root, 'ca')]);
    assert.match(rowsOf(text, 'signature')[0]!, /by the CA found in ca$/);
    assert.deepEqual(rowsOf(text, 'revoked'), ['7']);
    assert.match(text, /\n    [0-9a-f]+ {2}2026-06-01 {2}superseded\n/);
    assert.match(text, /\n    and 2 more\n/);
  });
});

describe('a server in words', () => {
  const endpoint = { source: 'h:1', version: 'TLSv1.3', cipher: 'C', group: null, acceptedAuthorities: null };

  it('asks for a certificate or for none', () => {
    const text = (more: object): string[] =>
      plain(renderInspection({ items: [], endpoints: [{ ...endpoint, client: { sent: null, problem: null }, ...more }], now: AT })).split(
        '\n',
      );
    assert.deepEqual(text({}).slice(0, 2), ['h:1  TLSv1.3, C', '  asks for   no client certificate']);
    assert.equal(text({ acceptedAuthorities: [] })[1], '  asks for   a certificate of any CA');
    const asked = text({ acceptedAuthorities: ['A', 'B', 'C', 'D'], client: { sent: 'CN=web', problem: 'it said no' } });
    assert.deepEqual(asked.slice(1), ['  asks for   a certificate of A or B or C or 1 more', '  you sent   CN=web', '  ! it said no']);
  });
});
