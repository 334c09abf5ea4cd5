import assert from 'node:assert/strict';
import { createHash, createPublicKey } from 'node:crypto';
import { join } from 'node:path';
import { type InspectionView, describeInspected, inspectFile } from '../../src/pki/inspect.js';
import { certificatePem, temporaryDirectory, testCa, testCrl, testLeaf } from '../support/material.js';
import { needs } from '../support/programs.js';
import { openssl } from './other-tools.js';

const directory = temporaryDirectory();
const inDirectory = (name: string): string => join(directory.path, name);
after(directory.remove);

type View<Kind extends InspectionView['kind']> = Extract<InspectionView, { kind: Kind }>;
const inspect = (path: string): InspectionView =>
  describeInspected(inspectFile(path), { now: new Date(), identityOf: () => undefined, oddIn: () => [] })[0]!;

const withColons = (hex: string): string => hex.toUpperCase().replace(/..(?=.)/g, '$&:');

/** Certificates that openssl makes by itself, with what it is told to put in. */
const MADE: Readonly<Record<string, readonly string[]>> = {
  'a leaf': [
    ...['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-384', '-subj', '/C=NL/O=Ünïcode, Inc+/CN=api', '-days', '30'],
    ...['-addext', 'subjectAltName=DNS:api.test,IP:10.0.0.1,IP:2001:db8::1,URI:spiffe://shop.test/api,email:a@b.test'],
    ...['-addext', 'extendedKeyUsage=serverAuth,clientAuth,1.2.3.4', '-addext', 'keyUsage=critical,digitalSignature,keyAgreement'],
    ...['-addext', 'crlDistributionPoints=URI:http://crl.test/a.crl,URI:http://crl.test/b.crl'],
    ...['-addext', 'authorityInfoAccess=OCSP;URI:http://ocsp.test,caIssuers;URI:http://ca.test/ca.crt'],
    ...[
      '-addext',
      'certificatePolicies=1.2.3.4,2.5.29.32.0',
      '-addext',
      'tlsfeature=status_request',
      '-addext',
      '1.2.3.5=ASN1:UTF8String:x',
    ],
  ],
  'a CA with limits': [
    ...['-newkey', 'rsa:2048', '-subj', '/CN=limited', '-days', '3650', '-addext', 'keyUsage=keyCertSign,cRLSign'],
    ...['-addext', 'nameConstraints=critical,permitted;DNS:shop.test,permitted;IP:10.0.0.0/255.0.0.0,excluded;email:b.test'],
    ...['-addext', 'policyConstraints=critical,requireExplicitPolicy:0,inhibitPolicyMapping:3', '-addext', 'inhibitAnyPolicy=2'],
  ],
  'an Ed25519 certificate': ['-newkey', 'ed25519', '-subj', '/DC=test/DC=shop', '-days', '1'],
};

describe('openssl says the same of a certificate', function () {
  this.timeout(60_000);
  before(needs('openssl'));

  for (const [what, args] of Object.entries(MADE)) {
    it(`as inspect does: ${what}`, () => {
      const path = inDirectory(`${what.replaceAll(' ', '-')}.pem`);
      openssl(['req', '-x509', '-nodes', '-utf8', '-keyout', inDirectory('key.pem'), '-out', path, ...args]);
      const { fields, details } = inspect(path) as View<'certificate'>;
      const line = (...options: readonly string[]): string => openssl(['x509', '-in', path, '-noout', ...options]).trim();
      const print = (digest: string): string => line('-fingerprint', `-${digest}`).replace(/^.*=/, '').replaceAll(':', '').toLowerCase();
      assert.deepEqual([fields.sha256, details.sha1], [print('sha256'), print('sha1')]);
      assert.equal(BigInt(`0x${fields.serial}`), BigInt(`0x${line('-serial').replace('serial=', '')}`));
      const dates = [line('-startdate'), line('-enddate')].map((text) => Date.parse(text.replace(/^.*=/, '')));
      assert.deepEqual([fields.notBefore, fields.notAfter].map(Date.parse), dates);
      const spki = createPublicKey(line('-pubkey')).export({ format: 'der', type: 'spki' });
      const digest = createHash('sha256').update(spki).digest();
      assert.deepEqual([details.spkiSha256, details.pin], [digest.toString('hex'), `sha256//${digest.toString('base64')}`]);

      const text = line('-text');
      const says = (expected: string): void => assert.ok(text.includes(expected), `${expected} in ${text}`);
      says(fields.keyType === 'Ed25519' ? 'ED25519 Public-Key:' : `Public-Key: (${fields.keyBits} bit)`);
      says(withColons(fields.ski!));
      if (details.aki !== null) says(withColons(details.aki));
      for (const point of details.crlDistributionPoints) for (const url of point.at) says(`URI:${url}`);
      for (const url of details.ocsp) says(`OCSP - URI:${url}`);
      for (const url of details.caIssuers) says(`CA Issuers - URI:${url}`);
      for (const { policy, name } of details.policies) says(`Policy: ${name === null ? policy : 'X509v3 Any Policy'}`);
      for (const { base, kind } of details.nameConstraints?.permitted ?? [])
        says(kind === 'ip' ? `IP:${base.replace('/8', '/255.0.0.0')}` : `DNS:${base}`);
      for (const { base } of details.nameConstraints?.excluded ?? []) says(`email:${base}`);
      const { requireExplicitPolicy, inhibitPolicyMapping, inhibitAnyPolicy } = details.policyConstraints;
      if (requireExplicitPolicy !== null)
        says(`Require Explicit Policy:${requireExplicitPolicy}, Inhibit Policy Mapping:${inhibitPolicyMapping}`);
      if (inhibitAnyPolicy !== null) assert.match(text, new RegExp(`Inhibit Any Policy: *\\n *${inhibitAnyPolicy}\\n`));
      assert.equal(details.mustStaple, text.includes('status_request'));
      for (const { oid } of details.otherExtensions) says(`${oid}:`);
    });
  }

  it('as inspect does, and none of all that was left out', () => {
    const { details, fields } = inspect(inDirectory('a-leaf.pem')) as View<'certificate'>;
    assert.deepEqual(
      [details.crlDistributionPoints.flatMap(({ at }) => at), details.ocsp, details.caIssuers, details.policies.length],
      [['http://crl.test/a.crl', 'http://crl.test/b.crl'], ['http://ocsp.test'], ['http://ca.test/ca.crt'], 2],
    );
    assert.deepEqual(details.names, ['spiffe://shop.test/api', 'api.test', '10.0.0.1', '2001:db8::1', 'a@b.test']);
    assert.deepEqual([details.mustStaple, details.otherExtensions.map(({ oid }) => oid)], [true, ['1.2.3.5']]);
    assert.deepEqual(fields.eku, ['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2', '1.2.3.4']);
    const limited = inspect(inDirectory('a-CA-with-limits.pem')) as View<'certificate'>;
    assert.deepEqual([limited.details.nameConstraints?.permitted.length, limited.root, limited.fields.ca], [2, true, true]);
  });

  it('as inspect does: one of ours, and a CRL', () => {
    const ca = testCa();
    const leaf = testLeaf(ca);
    const path = directory.file('ours.pem', certificatePem(leaf.certificate));
    const { details, fields } = inspect(path) as View<'certificate'>;
    const text = openssl(['x509', '-in', path, '-noout', '-fingerprint', '-sha1', '-ext', 'subjectKeyIdentifier,authorityKeyIdentifier']);
    for (const hex of [details.sha1, fields.ski!, details.aki!]) assert.ok(text.includes(withColons(hex)));
    const list = directory.file('ours.crl', testCrl(ca, [leaf.certificate.serial]));
    const crl = inspect(list) as View<'crl'>;
    const said = openssl(['crl', '-in', list, '-noout', '-fingerprint', '-sha256', '-text']);
    assert.ok(said.includes(withColons(crl.details.sha256)) && said.includes(withColons(crl.details.aki!)));
    assert.match(said, /Key Compromise/);
    assert.deepEqual(crl.details.reasons, ['keyCompromise']);
  });
});
