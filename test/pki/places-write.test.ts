import assert from 'node:assert/strict';
import { ocspUrlsOf, readAccessDescriptions } from '../../src/pki/access.js';
import { crlUris } from '../../src/pki/distribution-points.js';
import { extension, integer } from '../../src/pki/encode.js';
import { generateKey, publicKeyInfo } from '../../src/pki/key.js';
import { OID } from '../../src/pki/oids.js';
import { type CertificateTemplate, signCertificate } from '../../src/pki/sign.js';
import { AT, authority, certify, shifted } from '../support/chains.js';
import { needs } from '../support/programs.js';
import { openssl } from './other-tools.js';

const ca = authority({ name: 'ca' });
const template: CertificateTemplate = {
  subject: [[OID.commonName, 'leaf']],
  publicKey: publicKeyInfo(generateKey('ecdsa-p256')),
  notBefore: AT,
  notAfter: shifted(1000),
  keyUsage: ['digitalSignature'],
};
const crlUrls = ['http://pki.test/root.crl', 'http://mirror.test/root.crl'];
const ocspUrls = ['http://ocsp.test/', 'http://ocsp2.test:8080/a'];
const told = signCertificate({ ...template, crlUrls, ocspUrls, ocspNoCheck: true }, ca);

describe('where a certificate says that its revocation is told', () => {
  it('is read as it was written', () => {
    assert.deepEqual(crlUris(told.crlDistributionPoints), crlUrls);
    assert.equal(told.crlDistributionPoints.length, 1, 'one CRL, at two places');
    assert.deepEqual(ocspUrlsOf(told), ocspUrls);
    const access = told.extensions.find(({ oid }) => oid === OID.authorityInfoAccess)!;
    assert.ok(readAccessDescriptions(access.value).every(({ method }) => method === OID.ocsp));
    const noCheck = told.extensions.find(({ oid }) => oid === OID.ocspNoCheck);
    assert.deepEqual(noCheck, { oid: OID.ocspNoCheck, critical: false, value: Buffer.from([5, 0]) });
    assert.ok(told.extensions.filter(({ critical }) => critical).length === 2, 'none of these is critical');
  });

  it('is not there when there is none', () => {
    const plain = signCertificate({ ...template, crlUrls: [], ocspUrls: [] }, ca);
    assert.deepEqual([plain.crlDistributionPoints, ocspUrlsOf(plain)], [[], []]);
    for (const oid of [OID.crlDistributionPoints, OID.authorityInfoAccess, OID.ocspNoCheck])
      assert.equal(
        plain.extensions.find((one) => one.oid === oid),
        undefined,
      );
  });

  it('is nowhere when it cannot be read', () => {
    assert.deepEqual(ocspUrlsOf(certify({ more: [extension(OID.authorityInfoAccess, false, integer(1))] }).certificate), []);
  });

  describe('openssl', () => {
    before(needs('openssl'));
    it('reads it', () => {
      const text = openssl(['x509', '-inform', 'DER', '-noout', '-text', '-ocsp_uri'], told.der);
      for (const url of [...crlUrls, ...ocspUrls]) assert.match(text, new RegExp(`URI:${url}`));
      assert.match(text, /OCSP No Check:/);
      assert.match(text, /^http:\/\/ocsp\.test\/\nhttp:\/\/ocsp2\.test:8080\/a$/m);
    });
  });
});
