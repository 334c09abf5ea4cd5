import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { isError } from '../../src/errors.js';
import { TAG, context, contextConstructed } from '../../src/pki/der.js';
import {
  type Node,
  bitString,
  element,
  embed,
  extension,
  implicit,
  integer,
  octetString,
  oid,
  sequence,
  toDer,
  utf8,
} from '../../src/pki/encode.js';
import { type Advice, type Inspected, type InspectionView, describeInspected, inspectFile, pemOf } from '../../src/pki/inspect.js';
import { publicKeyInfo } from '../../src/pki/key.js';
import { itemsIn } from '../../src/pki/material.js';
import { OID } from '../../src/pki/oids.js';
import { toPem } from '../../src/pki/pem.js';
import type { Signer } from '../../src/pki/sign.js';
import { AT, DAY, authority, certify, crlOf, shifted } from '../support/chains.js';
import { keyPem, temporaryDirectory } from '../support/material.js';
import { csrOf } from './requests.js';

const advice: Advice = { now: AT, identityOf: () => undefined, oddIn: () => [] };
const found = (signer: Signer, source = 'x'): Inspected => ({ source, kind: 'certificate', value: signer.certificate });

type CertificateView = Extract<InspectionView, { kind: 'certificate' }>;
const viewsOf = (items: readonly Inspected[]): CertificateView[] =>
  describeInspected(items, advice).flatMap((view) => (view.kind === 'certificate' ? [view] : []));
const detailsOf = (...more: readonly Node[]): CertificateView['details'] => viewsOf([found(certify({ more }))])[0]!.details;

const uri = (text: string): Node => implicit(6, Buffer.from(text, 'latin1'));
const fullName = (...texts: readonly string[]): Buffer =>
  element(contextConstructed(0), [
    element(
      contextConstructed(0),
      texts.map((text) => toDer(uri(text))),
    ),
  ]);

describe('a file of private keys', () => {
  it('is read with as many as anybody has, and no more', () => {
    const directory = temporaryDirectory();
    const pem = keyPem(certify({}).key);
    assert.equal(inspectFile(directory.file('some.pem', pem.repeat(500))).length, 500);
    assert.throws(
      () => inspectFile(directory.file('many.pem', pem.repeat(501))),
      (error) => isError(error, 'KEY_UNREADABLE'),
    );
    directory.remove();
  });
});

describe('the details of a certificate', () => {
  it('are empty where it says nothing', () => {
    const { names, nameConstraints, policies, crlDistributionPoints, ocsp, caIssuers, mustStaple, otherExtensions } = detailsOf();
    assert.deepEqual(
      { names, nameConstraints, policies, crlDistributionPoints, ocsp, caIssuers, mustStaple, otherExtensions },
      {
        ...{ names: [], nameConstraints: null, policies: [], crlDistributionPoints: [], ocsp: [], caIssuers: [] },
        ...{ mustStaple: false, otherExtensions: [] },
      },
    );
  });

  it('have its places on the network', () => {
    const relative = element(contextConstructed(0), [
      element(contextConstructed(1), [toDer(sequence(oid(OID.commonName), utf8('list 1')))]),
    ]);
    const points = element(TAG.sequence, [
      element(TAG.sequence, [fullName('http://a.test/1.crl', 'ldap://b.test')]),
      element(TAG.sequence, [relative, element(context(1), [Buffer.from([6, 0x40])])]),
    ]);
    const access = sequence(
      sequence(oid(OID.ocsp), uri('http://ocsp.test')),
      sequence(oid(OID.caIssuers), uri('http://ca.test/ca.crt')),
      sequence(oid('1.2.3'), uri('http://other.test')),
    );
    const details = detailsOf(
      extension(OID.crlDistributionPoints, false, embed(points)),
      extension(OID.freshestCrl, false, embed(points)),
      extension(OID.authorityInfoAccess, false, access),
      extension(OID.tlsFeature, false, sequence(integer(5))),
    );
    const expected = [
      { at: ['http://a.test/1.crl', 'ldap://b.test'], reasons: null, crlIssuer: null },
      { at: ['below its issuer: commonName=list 1'], reasons: ['keyCompromise'], crlIssuer: null },
    ];
    assert.deepEqual(details.crlDistributionPoints, expected);
    assert.deepEqual(details.freshestCrl, expected);
    assert.deepEqual([details.ocsp, details.caIssuers], [['http://ocsp.test'], ['http://ca.test/ca.crt']]);
    assert.deepEqual(details.otherAccess, [{ method: '1.2.3', at: ['http://other.test'] }]);
    assert.equal(details.mustStaple, true);
  });

  it('have its policies', () => {
    const details = detailsOf(
      extension(OID.certificatePolicies, false, sequence(sequence(oid(OID.anyPolicy)), sequence(oid('1.2.3')))),
      extension(OID.policyMappings, true, sequence(sequence(oid('1.2.3'), oid('1.2.4')))),
      extension(OID.policyConstraints, true, sequence(implicit(0, Buffer.from([0])), implicit(1, Buffer.from([2])))),
      extension(OID.inhibitAnyPolicy, true, integer(1)),
    );
    assert.deepEqual(details.policies, [
      { policy: OID.anyPolicy, name: 'anyPolicy', qualifiers: [] },
      { policy: '1.2.3', name: null, qualifiers: [] },
    ]);
    assert.deepEqual(details.policyMappings, [{ issuerDomain: '1.2.3', subjectDomain: '1.2.4' }]);
    assert.deepEqual(details.policyConstraints, { requireExplicitPolicy: 0, inhibitPolicyMapping: 2, inhibitAnyPolicy: 1 });
  });

  it('have its name constraints as people write them', () => {
    const tree = (tag: number, content: Buffer): Buffer => element(TAG.sequence, [element(tag, [content])]);
    const name = toDer(sequence());
    const value = element(TAG.sequence, [
      element(contextConstructed(0), [
        tree(context(2), Buffer.from('Shop.Test')),
        tree(context(7), Buffer.from('0a000000ff000000', 'hex')),
        tree(context(7), Buffer.from(`20010db8${'00'.repeat(12)}ffffffff${'00'.repeat(12)}`, 'hex')),
      ]),
      element(contextConstructed(1), [
        tree(context(6), Buffer.from('.a.test')),
        tree(context(1), Buffer.from('b.test')),
        tree(contextConstructed(4), name),
        tree(context(8), Buffer.from([0x2a])),
      ]),
    ]);
    assert.deepEqual(detailsOf(extension(OID.nameConstraints, true, embed(value))).nameConstraints, {
      permitted: [
        { kind: 'dns', base: 'shop.test' },
        { kind: 'ip', base: '10.0.0.0/8' },
        { kind: 'ip', base: '2001:db8::/32' },
      ],
      excluded: [
        { kind: 'uri', base: '.a.test' },
        { kind: 'email', base: 'b.test' },
        { kind: 'directory', base: '(empty)' },
        { kind: 'other', base: 'a registered identifier' },
      ],
    });
  });

  it('have what is unknown or cannot be read as bytes', () => {
    const details = detailsOf(
      extension('1.2.3.4', true, octetString(Buffer.from('x'))),
      extension(OID.issuerAltName, false, sequence(implicit(2, Buffer.from('a.test')))),
      extension(OID.certificatePolicies, false, integer(1)),
    );
    assert.deepEqual(
      details.otherExtensions.map(({ oid: id, name, critical, value, problem }) => [id, name, critical, value, problem !== null]),
      [
        ['1.2.3.4', null, true, '040178', false],
        [OID.issuerAltName, 'issuerAltName', false, '30088206612e74657374', false],
        [OID.certificatePolicies, 'certificatePolicies', false, '020101', true],
      ],
    );
    assert.match(details.otherExtensions[2]!.problem!, /in the value of certificatePolicies/);
    assert.deepEqual(details.policies, []);
  });

  it('have names that steer no terminal, and those of rare kinds', () => {
    const upn = element(contextConstructed(0), [
      toDer(oid('1.3.6.1.4.1.311.20.2.3')),
      element(contextConstructed(0), [toDer(utf8('me@\u001b[2J'))]),
    ]);
    const strange = element(contextConstructed(0), [toDer(oid('1.2.3')), element(contextConstructed(0), [toDer(integer(5))])]);
    const san = element(TAG.sequence, [
      element(context(2), [Buffer.from('a\u001b]0;x\u0007, b')]),
      element(contextConstructed(4), [toDer(sequence())]),
      upn,
      strange,
      element(context(8), [Buffer.from([0x2a])]),
    ]);
    assert.deepEqual(detailsOf(extension(OID.subjectAltName, false, embed(san))).names, [
      'a\\u001b]0;x\\u0007\\, b',
      'directory (empty)',
      '1.3.6.1.4.1.311.20.2.3 me@\\u001b[2J',
      '1.2.3 #020105',
      'a registered identifier',
    ]);
  });

  it('count whole days to its end', () => {
    const days = [DAY, DAY - 1000, 0, -1000, -DAY].map((left) => viewsOf([found(certify({ notAfter: shifted(left) }))])[0]!.daysLeft);
    assert.deepEqual(days, [1, 0, 0, -1, -1]);
  });
});

describe('who issued whom', () => {
  const root = authority({ name: 'root' });
  const middle = authority({ name: 'middle', by: root });
  const leaf = certify({ name: 'leaf', by: middle });

  it('is found across sources, in any order, each certificate standing for all that are the same', () => {
    const [one, two, three, again] = viewsOf([found(leaf, 'a'), found(root, 'b'), found(middle, 'c'), found(middle, 'd')]);
    assert.deepEqual(
      [one, two, three, again].map((view) => [view!.issuedBy, view!.issuers, view!.selfSigned, view!.root, view!.issuerLookedFor]),
      [
        ['c', [2], false, false, true],
        ['b', [], true, true, true],
        ['b', [1], false, false, true],
        ['b', [1], false, false, true],
      ],
    );
  });

  it('needs the signature, not only the name', () => {
    const impostor = authority({ name: 'middle', withoutKeyIds: true });
    const bare = certify({ name: 'leaf', by: middle, withoutKeyIds: true });
    assert.deepEqual(
      viewsOf([found(bare), found(impostor)]).map(({ issuedBy }) => issuedBy),
      [null, 'x'],
    );
  });

  it('may have several answers, and circles', () => {
    const other = authority({ name: 'other' });
    const cross = authority({ name: 'middle', key: middle.key, by: other });
    const back = authority({ name: 'other', key: other.key, by: cross });
    const views = viewsOf([leaf, middle, cross, back, root].map((one) => found(one)));
    assert.deepEqual(
      views.map(({ issuers }) => issuers),
      [[1, 2], [4], [3], [1, 2], []],
    );
  });

  it('is left open, and said to be, where it would take too long', () => {
    const many = Array.from({ length: 60 }, () => authority({ name: 'same', withoutKeyIds: true }));
    const last = many.at(-1)!;
    const child = certify({ name: 'child', by: last, withoutKeyIds: true });
    const [view] = viewsOf([child, ...many].map((one) => found(one)));
    assert.deepEqual([view!.issuedBy, view!.issuerLookedFor], [null, false]);
    const start = performance.now();
    const views = viewsOf(Array.from({ length: 40 }, () => [...many, child].map((one) => found(one))).flat());
    assert.ok(performance.now() - start < 5_000);
    assert.ok(views.some(({ issuerLookedFor }) => !issuerLookedFor));
  });

  it('is asked of CRLs too', () => {
    const items: Inspected[] = [{ source: 'l', kind: 'crl', value: crlOf({ by: middle }) }, found(root, 'r'), found(middle, 'm')];
    const crlView = (given: readonly Inspected[]) => describeInspected(given, advice)[0] as Extract<InspectionView, { kind: 'crl' }>;
    assert.deepEqual([crlView(items).issuedBy, crlView(items.slice(0, 2)).issuedBy], ['m', null]);
    const forged: Inspected = { source: 'l', kind: 'crl', value: crlOf({ by: middle, signedBy: root.key }) };
    assert.equal(crlView([forged, ...items.slice(1)]).issuedBy, null);
  });
});

describe('the details of a CRL', () => {
  const ca = authority({ name: 'ca' });
  const view = (more: readonly Node[], recipe = {}) =>
    describeInspected([{ source: 'x', kind: 'crl', value: crlOf({ by: ca, more, ...recipe }) }], advice)[0] as Extract<
      InspectionView,
      { kind: 'crl' }
    >;

  it('have its scope, what it is a delta of, and the reasons of the first five', () => {
    const scope = element(TAG.sequence, [fullName('http://a.test'), element(context(1), [Buffer.from([0xff])])]);
    const revoked = [{ certificate: ca.certificate, reason: 'superseded' as const }, { certificate: ca.certificate }];
    const { details, daysLeft } = view(
      [
        extension(OID.issuingDistributionPoint, true, embed(scope)),
        extension(OID.deltaCrlIndicator, true, integer(200)),
        extension('1.2.3', false, integer(1)),
      ],
      { revoked },
    );
    assert.deepEqual(details.scope, {
      ...{ at: ['http://a.test'], onlyContainsUserCerts: true, onlyContainsCACerts: false, onlyContainsAttributeCerts: false },
      ...{ onlySomeReasons: null, indirectCrl: false },
    });
    assert.deepEqual([details.deltaOf, details.reasons, daysLeft], ['c8', ['superseded', null], 0]);
    assert.deepEqual(
      details.otherExtensions.map(({ oid: id }) => id),
      ['1.2.3'],
    );
  });

  it('are empty where it says nothing', () => {
    const { details, daysLeft } = view([], { nextUpdate: null });
    assert.deepEqual([details.scope, details.deltaOf, details.freshestCrl, daysLeft], [null, null, [], null]);
  });
});

describe('keys', () => {
  const owner = certify({ name: 'owner' });
  const keyItem = (publicKey = publicKeyInfo(owner.key)): Inspected => ({ source: 'k', kind: 'public-key', publicKey });
  const belongs = (items: readonly Inspected[]): unknown => {
    const [view] = describeInspected(items, advice);
    return view?.kind === 'public-key' || view?.kind === 'private-key' ? view.belongsTo : undefined;
  };

  it('belong to certificates and requests with the same bytes', () => {
    const request = itemsIn(csrOf(owner.key, { dns: ['a.test'], ip: [], uri: [] }), 'q')[0] as Extract<Inspected, { kind: 'csr' }>;
    assert.deepEqual(belongs([keyItem(), found(owner, 'c'), { ...request, source: 'q' }]), ['c', 'q']);
    assert.deepEqual(belongs([keyItem(), found(certify({}), 'c')]), []);
    assert.equal(belongs([keyItem()]), null);
  });

  it('belong to certificates with the same point in another form', () => {
    const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const info = publicKeyInfo(publicKey);
    const compressed = Buffer.concat([Buffer.from([2 + (info.key.at(-1)! & 1)]), info.key.subarray(1, 33)]);
    const der = toDer(sequence(embed(info.algorithm.der), bitString(compressed)));
    const holder = certify({ name: 'holder' });
    const other: Inspected = { ...found(holder, 'c'), value: { ...holder.certificate, publicKey: { ...info, der } } } as Inspected;
    assert.deepEqual(belongs([keyItem(info), other]), ['c']);
  });
});

describe('what is encoded again', () => {
  const directory = temporaryDirectory();
  after(directory.remove);
  const ca = authority({ name: 'ca' });

  it('is PEM of everything but private keys, certificates first', () => {
    const spki = publicKeyInfo(ca.key).der;
    const text = [
      toPem('PUBLIC KEY', spki),
      toPem('X509 CRL', crlOf({ by: ca }).der),
      keyPem(ca.key),
      toPem('DH PARAMETERS', Buffer.from('3000', 'hex')),
      toPem('X509 CERTIFICATE', ca.certificate.der),
      toPem('NEW CERTIFICATE REQUEST', csrOf(ca.key, { dns: ['a.test'], ip: [], uri: [] })),
    ];
    const pem = pemOf(inspectFile(directory.file('all.pem', text.join(''))));
    assert.deepEqual(
      [...pem.matchAll(/BEGIN ([A-Z0-9 ]+)/g)].map(([, label]) => label),
      ['CERTIFICATE', 'PUBLIC KEY', 'X509 CRL', 'CERTIFICATE REQUEST'],
    );
    assert.ok(pem.startsWith(toPem('CERTIFICATE', ca.certificate.der)));
  });

  it('says of a public key that is none in which file it is', () => {
    const path = directory.file('bad.pub', toPem('PUBLIC KEY', Buffer.from('3000', 'hex')));
    assert.throws(
      () => inspectFile(path),
      (error) => isError(error, 'KEY_UNREADABLE') && error.message.includes(path),
    );
  });
});
