import assert from 'node:assert/strict';
import fc from 'fast-check';
import { isError } from '../../src/errors.js';
import { readCertificate } from '../../src/pki/certificate.js';
import { crlsIn } from '../../src/pki/material.js';
import { OID } from '../../src/pki/oids.js';
import { decide } from '../../src/proxy/admission.js';
import type { Credentials } from '../../src/proxy/credentials.js';
import { isLoopback } from '../../src/proxy/endpoint.js';
import { endToEnd, forwardedCertificate } from '../../src/proxy/headers.js';
import { parseEndpoint } from '../../src/proxy/index.js';
import { parsePeers } from '../../src/proxy/peers.js';
import { fingerprint } from '../../src/pki/certificate.js';
import { testCa, testCrl, testLeaf } from '../support/material.js';
import { spiffe } from './support.js';

describe('an endpoint', () => {
  for (const [text, host, port] of [
    ['mtls://127.0.0.1:8443', '127.0.0.1', 8443],
    ['http://localhost:3000/', 'localhost', 3000],
    ['mtls+tcp://[::1]:5432', '::1', 5432],
    ['tcp://db.shop.test:5432', 'db.shop.test', 5432],
  ] as const) {
    it(`is read: ${text}`, () => {
      const endpoint = parseEndpoint(text, '--upstream');
      assert.deepEqual([endpoint.host, endpoint.port], [host, port]);
      assert.equal(parseEndpoint(endpoint.url, '--upstream').url, endpoint.url);
    });
  }
  for (const text of [
    '127.0.0.1:80',
    'https://a:1',
    'mtls://a',
    'mtls://:1',
    'mtls://a:99999',
    'http://a:1/path',
    'http://u:p@a:1',
    'mtls://::1:1',
    'tcp://[zz]:1',
    '',
  ]) {
    it(`is refused: ${JSON.stringify(text)}`, () => {
      assert.throws(
        () => parseEndpoint(text, '--upstream'),
        (error) => isError(error, 'VALUE_INVALID'),
      );
    });
  }
  it('may have port 0 only to listen on', () => {
    assert.equal(parseEndpoint('tcp://127.0.0.1:0', '--listen').port, 0);
    assert.throws(() => parseEndpoint('tcp://127.0.0.1:0', '--upstream'));
  });
  it('is on this machine only when nobody else could be meant', () => {
    const on = (text: string): boolean => isLoopback(parseEndpoint(text, '--listen'));
    assert.deepEqual(
      ['127.9.9.9', 'localhost', '[::1]', '0.0.0.0', '[::]', '10.0.0.1', 'localhost.evil.test'].map((host) => on(`tcp://${host}:1`)),
      [true, true, true, false, false, false, false],
    );
  });
});

describe('a list of peers', () => {
  const matches = (rule: string, identity: string | null, dns: readonly string[] = []): boolean =>
    parsePeers([rule], '--allow').find(identity, dns) !== undefined;

  it('takes an identity as it is', () => {
    assert.ok(matches(spiffe('web'), spiffe('web')));
    for (const other of [spiffe('web2'), spiffe('we'), `${spiffe('web')}/x`, spiffe('WEB'), null])
      assert.ok(!matches(spiffe('web'), other));
  });
  it('takes a star for one whole segment', () => {
    assert.ok(matches('spiffe://shop.test/ns/*/sa/web', 'spiffe://shop.test/ns/billing/sa/web'));
    assert.ok(!matches('spiffe://shop.test/ns/*/sa/web', 'spiffe://shop.test/ns/a/b/sa/web'));
    assert.ok(!matches('spiffe://shop.test/*', spiffe('web')));
  });
  it('takes a DNS name in any case, and no identity for it', () => {
    assert.ok(matches('dns:Web.Shop.test', null, ['web.shop.test']));
    assert.ok(!matches('dns:web', spiffe('web'), ['web.shop.test']));
  });
  for (const rule of [
    'web',
    '*',
    'spiffe://*/ns/default/sa/web',
    'spiffe://shop.test/ns/w*/sa/x',
    'http://shop.test/x',
    'dns:',
    'dns:a b',
    'spiffe://shop.test/ns//sa/x',
    'spiffe://shop.test/../x',
  ]) {
    it(`does not take ${rule}`, () =>
      assert.throws(
        () => parsePeers([rule], '--allow'),
        (error) => isError(error, 'VALUE_INVALID'),
      ));
  }
  it('lets nobody in by accident', () => {
    const segment = fc.stringMatching(/^[a-z*._-]{1,5}$/);
    fc.assert(
      fc.property(fc.array(segment, { minLength: 1, maxLength: 4 }), fc.array(segment, { minLength: 1, maxLength: 4 }), (rule, peer) => {
        const text = `spiffe://td/${rule.join('/')}`;
        const identity = `spiffe://td/${peer.join('/')}`;
        let found: boolean;
        try {
          found = matches(text, identity);
        } catch (error) {
          return isError(error, 'VALUE_INVALID');
        }
        return found === (rule.length === peer.length && rule.every((part, i) => part === '*' || part === peer[i]));
      }),
    );
  });
});

describe('admission', () => {
  const ca = testCa();
  const now = new Date();
  const hour = 3_600_000;
  const credentials = (crl?: string): Credentials => ({
    chain: [ca.certificate],
    roots: [ca.certificate],
    crls: crl === undefined ? [] : crlsIn(Buffer.from(crl), 'crl'),
    tls: { cert: '', key: '', ca: '' },
  });
  const judge = (
    chain: readonly ReturnType<typeof testLeaf>['certificate'][],
    options: { crl?: string; at?: Date; allow?: readonly string[] | 'any'; purpose?: 'client' | 'server' } = {},
  ) =>
    decide(
      { chain },
      {
        credentials: credentials(options.crl),
        peers: parsePeers(options.allow ?? [spiffe('web')], '--allow'),
        purpose: options.purpose ?? 'client',
      },
      options.at ?? now,
    );
  const web = testLeaf(ca, { name: 'web' });

  it('lets in who is on the list, and says until when that holds', () => {
    const decision = judge([web.certificate], { crl: testCrl(ca, [], new Date(now.getTime() + hour)) });
    assert.deepEqual([decision.code, decision.allowed, decision.identity, decision.rule], ['ALLOWED', true, spiffe('web'), spiffe('web')]);
    assert.ok(decision.until <= Date.now() + hour && decision.until > now.getTime());
  });

  const intermediate = testCa({ name: 'issuing', issuer: ca, pathLength: 0 });
  const below = testLeaf(intermediate, { name: 'web' });
  const cases: readonly [string, string, () => ReturnType<typeof judge>][] = [
    ['nobody', 'NO_CERTIFICATE', () => judge([])],
    ['one of another CA', 'CERTIFICATE_UNTRUSTED', () => judge([testLeaf(testCa(), { name: 'web' }).certificate])],
    [
      'one of a CA of the same name',
      'CERTIFICATE_UNTRUSTED',
      () => judge([testLeaf(testCa({ name: 'test root' }), { name: 'web' }).certificate]),
    ],
    [
      'one that has ended',
      'CERTIFICATE_EXPIRED',
      () => judge([testLeaf(ca, { name: 'web', notAfter: new Date(now.getTime() - 60_000) }).certificate]),
    ],
    [
      'one that ends while it lives',
      'CERTIFICATE_EXPIRED',
      () => judge([web.certificate], { at: new Date(web.certificate.notAfter + 1000) }),
    ],
    [
      'one that has not begun',
      'CERTIFICATE_NOT_YET_VALID',
      () => judge([testLeaf(ca, { name: 'web', notBefore: new Date(now.getTime() + hour) }).certificate]),
    ],
    ['one that was revoked', 'CERTIFICATE_REVOKED', () => judge([web.certificate], { crl: testCrl(ca, [web.certificate.serial]) })],
    [
      'a server as a client',
      'CERTIFICATE_PURPOSE',
      () => judge([testLeaf(ca, { name: 'web', extendedKeyUsage: [OID.serverAuth] }).certificate]),
    ],
    [
      'a client as a server',
      'CERTIFICATE_PURPOSE',
      () => judge([testLeaf(ca, { name: 'web', extendedKeyUsage: [OID.clientAuth] }).certificate], { purpose: 'server' }),
    ],
    ['one without a SPIFFE ID', 'NO_IDENTITY', () => judge([testLeaf(ca, { name: 'web', names: { uri: [] } }).certificate])],
    [
      'one with two',
      'NO_IDENTITY',
      () => judge([testLeaf(ca, { name: 'web', names: { uri: [spiffe('web'), spiffe('api')] } }).certificate]),
    ],
    ['somebody else', 'NOT_ALLOWED', () => judge([testLeaf(ca, { name: 'billing' }).certificate])],
    [
      'anybody while the CRL is late',
      'CRL_UNUSABLE',
      () => judge([web.certificate], { crl: testCrl(ca, [], new Date(now.getTime() - 1000)) }),
    ],
    [
      'one of a CA without a CRL, where there are CRLs',
      'CRL_UNUSABLE',
      () => judge([below.certificate, intermediate.certificate], { crl: testCrl(ca) }),
    ],
    ['one whose intermediate was not sent', 'CERTIFICATE_UNTRUSTED', () => judge([below.certificate])],
  ];
  for (const [who, code, run] of cases) {
    it(`refuses ${who}: ${code}`, () => {
      const decision = run();
      assert.deepEqual([decision.code, decision.allowed], [code, false]);
      assert.ok(decision.reason.length > 10);
    });
  }
  it('takes an intermediate that was sent', () => assert.equal(judge([below.certificate, intermediate.certificate]).code, 'ALLOWED'));
  it('takes anybody of this CA when told so, with or without an identity, and nobody else', () => {
    assert.equal(judge([testLeaf(ca, { names: { uri: [] } }).certificate], { allow: 'any' }).code, 'ALLOWED');
    assert.equal(judge([testLeaf(testCa()).certificate], { allow: 'any' }).code, 'CERTIFICATE_UNTRUSTED');
  });
  it('refuses what cannot be read', () => {
    const terms = { credentials: credentials(), peers: parsePeers('any', '--allow'), purpose: 'client' as const };
    assert.equal(decide({ malformed: 'torn' }, terms, now).code, 'CERTIFICATE_MALFORMED');
  });
});

describe('header fields', () => {
  it('that are about one connection end with it, and those that it names', () => {
    const raw = [
      'Host',
      'a',
      'Connection',
      'keep-alive, X-Once',
      'Keep-Alive',
      '5',
      'X-Once',
      '1',
      'TE',
      'gzip',
      'Transfer-Encoding',
      'chunked',
      'Upgrade',
      'x',
      'X-Kept',
      '2',
      'x-kept',
      '3',
    ];
    assert.deepEqual(endToEnd(raw), ['Host', 'a', 'X-Kept', '2', 'x-kept', '3']);
  });
  it('of the message cannot be cut out by naming them', () => {
    assert.deepEqual(endToEnd(['Connection', 'content-length, host', 'Content-Length', '3', 'Host', 'a']), [
      'Content-Length',
      '3',
      'Host',
      'a',
    ]);
  });
  it('tell the service who its caller is, as Envoy does', () => {
    const ca = testCa();
    const own = testLeaf(ca, { name: 'api' }).certificate;
    const client = testLeaf(ca, { name: 'we"b, ü;x', names: { uri: [spiffe('web')], dns: ['web'] } }).certificate;
    assert.equal(
      forwardedCertificate(readCertificate(client.der), own),
      `By=${spiffe('api')};Hash=${fingerprint(client)};Subject="CN=we\\"b\\, \\C3\\BC\\;x";URI=${spiffe('web')};DNS=web`,
    );
  });
});
