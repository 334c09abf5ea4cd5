import assert from 'node:assert/strict';
import { toPem } from '../../src/pki/pem.js';
import { type BatchAnswer, answerLine, batchAnswerer } from '../../src/validate/batch.js';
import { AT, DAY, HOUR, authority, certify, crlOf, rsaKey, shifted } from '../support/chains.js';
import { policies } from '../support/extensions.js';

const pem = ({ certificate }: { readonly certificate: { readonly der: Buffer } }): string => toPem('CERTIFICATE', certificate.der);
const crlPem = (crl: { readonly der: Buffer }): string => toPem('X509 CRL', crl.der);

const root = authority({ name: 'root' });
const middle = authority({ name: 'middle', by: root });
const leaf = certify({ name: 'leaf', by: middle, names: { dns: ['api.test'], ip: ['10.0.0.1'], uri: ['spiffe://a/b'] } });
const asked = { id: 'one', leaf: pem(leaf), intermediates: [pem(middle)], roots: [pem(root)] };

const answer = (more: object = {}): BatchAnswer => answerLine(JSON.stringify({ ...asked, ...more }), AT);
const brief = (more: object = {}): unknown => {
  const { valid, errors } = answer(more);
  return valid ? 'good' : errors.map(({ code }) => code).join(' ');
};

describe('a line of verify --batch', () => {
  it('is answered with its id', () => {
    assert.deepEqual(answer(), { id: 'one', valid: true, errors: [] });
    const { id, valid, errors } = answer({ id: 'two', host: 'other.test' });
    assert.deepEqual([id, valid, errors.length], ['two', false, 1]);
    assert.deepEqual(Object.keys(errors[0]!), ['code', 'message']);
  });

  it('has names, a purpose, an instant and limits', () => {
    for (const good of [{ host: 'api.test' }, { ip: '10.0.0.1' }, { uri: 'spiffe://a/b' }, { purpose: 'client' }, { maxDepth: 1 }])
      assert.equal(brief(good), 'good');
    assert.equal(brief({ email: 'a@b.test' }), 'NAME_MISMATCH');
    assert.equal(brief({ at: shifted(2 * DAY).toISOString() }), 'CERT_EXPIRED CERT_EXPIRED CERT_EXPIRED');
    assert.equal(brief({ maxDepth: 0 }), 'ISSUER_NOT_FOUND');
    const small = certify({ by: root, key: rsaKey(1024) });
    assert.equal(brief({ leaf: pem(small) }), 'WEAK_KEY');
    assert.equal(brief({ leaf: pem(small), minRsaBits: 1024 }), 'good');
  });

  it('has policies', () => {
    const ca = authority({ name: 'ca', more: [policies('1.2.3')] });
    const below = certify({ by: ca, more: [policies('1.2.3')] });
    const of = (policy: object): unknown => brief({ leaf: pem(below), roots: [pem(ca)], policy });
    assert.equal(of({ explicit: true }), 'good');
    assert.equal(of({ explicit: true, initial: ['1.2.3'] }), 'good');
    assert.equal(of({ explicit: true, initial: ['1.2.4'] }), 'POLICY_NOT_VALID');
    assert.equal(of({ initial: ['1.2.4'] }), 'good');
    assert.equal(of({ initial: [], inhibitMapping: true, inhibitAny: true }), 'good');
  });

  it('has CRLs, and needs one of each CA as soon as there are any', () => {
    const both = [crlPem(crlOf({ by: root })), crlPem(crlOf({ by: middle }))];
    assert.equal(brief({ crls: both }), 'good');
    assert.equal(brief({ crls: both.slice(0, 1) }), 'CRL_NOT_FOUND');
    assert.equal(brief({ crls: [] }), 'good');
    const expired = crlPem(crlOf({ by: middle, thisUpdate: shifted(-DAY), nextUpdate: shifted(-HOUR) }));
    assert.equal(brief({ crls: [both[0], expired] }), 'CRL_EXPIRED');
  });

  it('does without what cannot be read and is not needed, and says so where it is', () => {
    const torn = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';
    assert.equal(brief({ intermediates: [torn, pem(middle)] }), 'good');
    assert.equal(brief({ roots: [torn, pem(root)] }), 'good');
    assert.equal(brief({ leaf: torn }), 'CERT_MALFORMED');
    assert.equal(brief({ leaf: '' }), 'CERT_MALFORMED');
    assert.equal(brief({ leaf: crlPem(crlOf({ by: root })) }), 'CERT_MALFORMED');
    assert.equal(brief({ roots: [torn] }), 'ISSUER_NOT_FOUND CERT_MALFORMED');
    assert.equal(brief({ roots: [] }), 'ISSUER_NOT_FOUND');
    // a CRL that cannot be read is still a CRL that was meant
    const crls = [crlPem(crlOf({ by: root })), crlPem(crlOf({ by: middle }))];
    assert.equal(brief({ crls: ['no PEM'] }), 'CRL_NOT_FOUND CRL_NOT_FOUND CRL_MALFORMED');
    assert.equal(brief({ crls: [...crls, 'no PEM'] }), 'good');
  });

  it('that is no request is answered like the others', () => {
    const refused = (text: string): string => {
      const { valid, errors } = answerLine(text, AT);
      assert.equal(valid, false);
      return errors[0]!.code;
    };
    const bad = [
      { id: 1 },
      { leaf: 7 },
      { roots: 'x' },
      { purpose: 'both' },
      { at: 'soon' },
      { maxDepth: -1 },
      { host: 'a', ip: '10.0.0.1' },
    ];
    for (const more of [...bad, { policy: 7 }, { policy: { initial: [7] } }])
      assert.equal(refused(JSON.stringify({ ...asked, ...more })), 'VALUE_INVALID');
    for (const text of ['', 'null', '[]', '{', '7', '['.repeat(100_000)]) assert.equal(refused(text), 'VALUE_INVALID');
    const { id: _id, ...anonymous } = asked;
    assert.equal(answerLine(JSON.stringify(anonymous), AT).id, null);
  });

  it('reads what lines have in common once, and forgets it before it is too much', () => {
    const next = batchAnswerer(AT);
    for (let i = 0; i < 20; i++) assert.equal(next(JSON.stringify(asked)).valid, true);
    // a root that no other line has, long enough to fill what is kept
    const filler = `${' '.repeat(20_000_000)}${pem(root)}`;
    for (let i = 0; i < 3; i++) assert.equal(next(JSON.stringify({ ...asked, roots: [`${i}${filler}`] })).valid, true);
    assert.equal(next(JSON.stringify(asked)).valid, true);
  });
});
