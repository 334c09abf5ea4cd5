import assert from 'node:assert/strict';
import { join } from 'node:path';
import { fingerprint } from '../../src/pki/certificate.js';
import { publicKeyInfo } from '../../src/pki/key.js';
import { OID } from '../../src/pki/oids.js';
import { signCertificate, signCrl } from '../../src/pki/sign.js';
import { certificatePem, temporaryDirectory, testCa, testLeaf } from '../support/material.js';
import { needs } from '../support/programs.js';
import { agreesWithNode, openssl } from './other-tools.js';
import { csrOf } from './requests.js';

const directory = temporaryDirectory();
const inDirectory = (name: string): string => join(directory.path, name);
after(directory.remove);

/** `Mar  4 05:06:07 2026 GMT`, as openssl prints an instant. */
function opensslDate(milliseconds: number): string {
  const date = new Date(milliseconds);
  const month = date.toLocaleString('en', { month: 'short', timeZone: 'UTC' });
  return `${month} ${String(date.getUTCDate()).padStart(2)} ${date.toISOString().slice(11, 19)} ${date.getUTCFullYear()} GMT`;
}

describe('openssl reads what we make:', function () {
  this.timeout(30_000);
  before(needs('openssl'));

  const described = {
    'ecdsa-p256': [/Public-Key: \(256 bit\)[\s\S]*ASN1 OID: prime256v1/, /Signature Algorithm: ecdsa-with-SHA256/],
    'ecdsa-p384': [/Public-Key: \(384 bit\)[\s\S]*ASN1 OID: secp384r1/, /Signature Algorithm: ecdsa-with-SHA384/],
    ed25519: [/ED25519 Public-Key/, /Signature Algorithm: ED25519/],
    'rsa-2048': [/Public-Key: \(2048 bit\)/, /Signature Algorithm: sha256WithRSAEncryption/],
  } as const;

  for (const keyType of Object.keys(described) as (keyof typeof described)[]) {
    it(`certificates with ${keyType}`, () => {
      const ca = testCa({ keyType, pathLength: 1 });
      const { certificate } = testLeaf(ca, { keyType, names: { ip: ['127.0.0.1', '2001:db8::1'] } });
      const path = directory.file('leaf.pem', certificatePem(certificate));
      const fields = openssl([
        'x509',
        '-in',
        path,
        '-noout',
        '-serial',
        '-startdate',
        '-enddate',
        '-fingerprint',
        '-sha256',
        '-subject',
        '-issuer',
      ]);
      const value = (name: string): string | undefined => new RegExp(`^${name}=(.*)$`, 'im').exec(fields)?.[1];
      assert.equal(BigInt(`0x${value('serial')}`), BigInt(`0x${certificate.serial}`));
      assert.deepEqual([value('notBefore'), value('notAfter')], [certificate.notBefore, certificate.notAfter].map(opensslDate));
      assert.equal(value('sha256 Fingerprint')?.replaceAll(':', '').toLowerCase(), fingerprint(certificate));
      assert.deepEqual([value('subject'), value('issuer')], ['CN = api', 'CN = test root']);
      const text = openssl(['x509', '-in', path, '-noout', '-text']);
      for (const pattern of described[keyType]) assert.match(text, pattern);
      assert.match(text, /Version: 3 \(0x2\)/);
      assert.match(text, /X509v3 Basic Constraints: critical\s+CA:FALSE/);
      assert.match(text, /X509v3 Key Usage: critical\s+Digital Signature\n/);
      assert.match(text, /X509v3 Extended Key Usage: ?\s+TLS Web Server Authentication, TLS Web Client Authentication/);
      const san = 'URI:spiffe://shop.test/ns/default/sa/api, DNS:api, DNS:localhost, IP Address:127.0.0.1, IP Address:2001:DB8:0:0:0:0:0:1';
      assert.ok(text.includes(san));
      const shownId = (id: string): string => id.toUpperCase().replace(/..(?=.)/g, '$&:');
      assert.ok(text.includes(shownId(certificate.subjectKeyId!)) && text.includes(shownId(certificate.authorityKeyId!)));
      const root = directory.file('root.pem', certificatePem(ca.certificate));
      assert.match(openssl(['x509', '-in', root, '-noout', '-text']), /CA:TRUE, pathlen:1[\s\S]*Certificate Sign, CRL Sign/);
      agreesWithNode(certificate);
      agreesWithNode(ca.certificate);
    });

    it(`a chain with ${keyType}, under its strictest rules, and its CRL`, () => {
      const ca = testCa({ keyType, pathLength: 1 });
      const issuing = testCa({ name: 'issuing', keyType, issuer: ca, pathLength: 0 });
      const { certificate } = testLeaf(issuing, { keyType });
      const crl = (by: typeof ca, serial: string): string => {
        const path = inDirectory(`${serial}.crl`);
        const now = new Date();
        const revoked = [
          { serial, date: now, reason: 'keyCompromise' as const },
          { serial: '00ff', date: now, reason: 'unspecified' as const },
        ];
        directory.file(
          `${serial}.der`,
          signCrl({ number: 258n, thisUpdate: now, nextUpdate: new Date(now.getTime() + 60_000), revoked }, by).der,
        );
        openssl(['crl', '-inform', 'DER', '-in', inDirectory(`${serial}.der`), '-out', path]);
        return path;
      };
      const root = directory.file('root.pem', certificatePem(ca.certificate));
      const between = directory.file('issuing.pem', certificatePem(issuing.certificate));
      const path = directory.file('leaf.pem', certificatePem(certificate));
      const verify = (...options: readonly string[]): string =>
        openssl(['verify', '-x509_strict', '-purpose', 'sslserver', ...options, '-CAfile', root, '-untrusted', between, path]);
      assert.match(verify('-verify_hostname', 'localhost'), /: OK/);
      assert.throws(() => verify('-verify_hostname', 'other'), /hostname mismatch/i);
      const [empty, silent, telling] = [crl(ca, '0aff'), crl(issuing, '0bff'), crl(issuing, certificate.serial)];
      assert.match(verify('-crl_check_all', '-CRLfile', empty, '-CRLfile', silent), /: OK/);
      assert.throws(() => verify('-crl_check_all', '-CRLfile', empty, '-CRLfile', telling), /certificate revoked/);
      const text = openssl(['crl', '-in', telling, '-noout', '-text']);
      assert.match(text, /Version 2 \(0x1\)/);
      assert.match(text, /X509v3 CRL Number: ?\s+258/);
      assert.match(text, /Serial Number: FF\n/);
      assert.equal(text.match(/Key Compromise/g)?.length, 1);
    });
  }

  it('dates on both sides of 2050', () => {
    const { key } = testCa();
    const [before, after] = [new Date('2049-12-31T23:59:59Z'), new Date('2050-01-01T00:00:00Z')];
    const template = {
      subject: [[OID.commonName, 'x']] as const,
      publicKey: publicKeyInfo(key),
      notBefore: before,
      notAfter: after,
      keyUsage: [],
    };
    const path = directory.file('edge.pem', certificatePem(signCertificate(template, { key })));
    assert.match(
      openssl(['x509', '-in', path, '-noout', '-dates']),
      /notBefore=Dec 31 23:59:59 2049 GMT\nnotAfter=Jan  1 00:00:00 2050 GMT/,
    );
    const parsed = openssl(['asn1parse', '-in', path]);
    assert.match(parsed, /UTCTIME +:491231235959Z\n.*GENERALIZEDTIME +:20500101000000Z/);
  });

  it('requests, as our tests write them', () => {
    const { key } = testCa();
    const path = directory.file('own.csr', csrOf(key, { dns: ['a.test'], ip: ['::1'], uri: [] }));
    assert.match(openssl(['req', '-inform', 'DER', '-in', path, '-noout', '-verify', '-text']), /DNS:a\.test, IP Address:0:0:0:0:0:0:0:1/);
  });
});
