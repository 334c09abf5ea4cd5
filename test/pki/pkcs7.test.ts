import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { MtlsError, isError } from '../../src/errors.js';
import { readCrl } from '../../src/pki/crl.js';
import { TAG, contextConstructed } from '../../src/pki/der.js';
import { element, integer, octetString, oid, sequence, set, toDer } from '../../src/pki/encode.js';
import { certificatesIn, crlsIn, itemsIn } from '../../src/pki/material.js';
import { PKCS12_OID } from '../../src/pki/oids.js';
import { toPem } from '../../src/pki/pem.js';
import { readPkcs7 } from '../../src/pki/pkcs7.js';
import { writePkcs7 } from '../../src/pki/pkcs7-write.js';
import { signCrl } from '../../src/pki/sign.js';
import { certificatePem, keyPem, temporaryDirectory, testCa, testCrl, testLeaf } from '../support/material.js';
import { needs } from '../support/programs.js';
import { SIGNED_DATA, contentInfo, signedData } from './cms.js';
import { openssl } from './other-tools.js';

const ca = testCa();
const leaf = testLeaf(ca);
const certificates = [leaf.certificate, ca.certificate];
const crl = signCrl({ number: 7n, thisUpdate: new Date(), nextUpdate: new Date(), revoked: [] }, ca).der;
const nothing = toDer(set());

const serials = (der: Buffer): string[] => readPkcs7(der, 'x.p7b').certificates.map(({ serial }) => serial);

const fails = (der: Buffer, message: RegExp): void =>
  assert.throws(
    () => readPkcs7(der, 'x.p7b'),
    (error) => {
      assert.ok(isError(error, 'FILE_UNRECOGNIZED'), String(error));
      assert.match(error.message, /^x\.p7b is not PKCS#7 with certificates: found /);
      assert.match(error.message, message);
      return true;
    },
  );

describe('PKCS#7', () => {
  it('gives its certificates and CRLs in the order of the file', () => {
    const found = readPkcs7(signedData({ certificates, crls: [crl] }), 'x');
    assert.deepEqual(
      found.certificates.map(({ der }) => der),
      certificates.map(({ der }) => der),
    );
    assert.deepEqual(
      found.crls.map(({ number }) => number),
      ['07'],
    );
    assert.deepEqual(serials(signedData({ certificates: certificates.toReversed() })), [ca.certificate.serial, leaf.certificate.serial]);
  });

  it('is opened also where it signs something, in each version of CMS', () => {
    const content = toDer(sequence(oid(PKCS12_OID.data)));
    const signed = element(TAG.sequence, [content.subarray(2), element(contextConstructed(0), [toDer(octetString(Buffer.from('x')))])]);
    const signers = toDer(set(sequence(integer(1))));
    for (const version of [1, 3, 4, 5]) assert.equal(serials(signedData({ certificates, version, content: signed, signers })).length, 2);
  });

  it('passes over certificates and revocation of other kinds (RFC 5652 §10.2)', () => {
    const attribute = { der: element(contextConstructed(2), [toDer(integer(1))]) };
    const response = element(contextConstructed(1), [toDer(oid('1.3.6.1.5.5.7.16.2'))]);
    const found = readPkcs7(signedData({ certificates: [attribute, ...certificates], crls: [response, crl] }), 'x');
    assert.deepEqual([found.certificates.length, found.crls.length], [2, 1]);
  });

  it('says what it is that carries no certificates', () => {
    fails(signedData({}), /neither a certificate nor a CRL in it$/);
    fails(signedData({ certificates: [{ der: element(contextConstructed(2), []) }] }), /neither a certificate nor a CRL/);
    fails(contentInfo(PKCS12_OID.data, toDer(octetString(Buffer.from('x')))), /plain data$/);
    fails(contentInfo('1.2.840.113549.1.7.3', toDer(sequence())), /enveloped data, which only its recipient can open$/);
    fails(contentInfo('1.2.840.113549.1.7.5', toDer(sequence())), /digested data$/);
    fails(contentInfo(PKCS12_OID.encryptedData, toDer(sequence())), /encrypted data$/);
    fails(contentInfo('1.2.3', toDer(sequence())), /contents of type 1\.2\.3$/);
  });

  it('is refused with the place where it is not DER', () => {
    const whole = signedData({ certificates });
    fails(signedData({ certificates, version: 2 }), /integer too large at byte \d+ \(SignedData of version 1, 3, 4, 5\)/);
    fails(signedData({ certificates, more: nothing }), /trailing bytes/);
    fails(signedData({ certificates, signers: toDer(integer(1)) }), /unexpected tag/);
    fails(signedData({ certificates, content: nothing }), /unexpected tag/);
    fails(contentInfo(SIGNED_DATA, nothing), /unexpected tag/);
    fails(element(TAG.sequence, [toDer(oid(SIGNED_DATA))]), /missing element/);
    fails(Buffer.concat([whole, nothing]), /trailing bytes/);
    fails(whole.subarray(0, 100), /truncated/);
    assert.throws(
      () => itemsIn(Buffer.from(toPem('PKCS7', signedData({ certificates: [{ der: toDer(sequence()) }] }))), 'x.pem'),
      (error) => isError(error, 'CERTIFICATE_MALFORMED') && error.message.includes('x.pem'),
    );
  });

  it('holds no more than anybody needs', () => {
    const entry = signCrl({ number: 1n, thisUpdate: new Date(), nextUpdate: new Date(), revoked: [] }, ca).der;
    fails(signedData({ crls: Array<Buffer>(10_001).fill(entry) }), /more than 10000 of a kind/);
  });

  it('that was tampered with is a value or a coded error, in time', () => {
    const whole = signedData({ certificates: [leaf.certificate], crls: [crl] });
    const codes = ['FILE_UNRECOGNIZED', 'CERTIFICATE_MALFORMED', 'CRL_MALFORMED'];
    const change = fc.record({ at: fc.nat(whole.length - 1), cut: fc.nat(20), bytes: fc.uint8Array({ maxLength: 4 }) });
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 3 }), (changes) => {
        const der = changes.reduce((so, { at, cut, bytes }) => Buffer.concat([so.subarray(0, at), bytes, so.subarray(at + cut)]), whole);
        const start = performance.now();
        try {
          readPkcs7(der, 'x');
        } catch (error) {
          assert.ok(error instanceof MtlsError && codes.includes(error.code), String(error));
        }
        assert.ok(performance.now() - start < 1_000);
      }),
      { numRuns: 3_000 },
    );
  });
});

describe('PKCS#7 that we write', function () {
  this.timeout(30_000);
  const directory = temporaryDirectory();
  const whole = { certificates, crls: [readCrl(crl)] };
  after(directory.remove);

  it('is read as it was written, in its order', () => {
    const found = readPkcs7(writePkcs7(whole), 'x');
    assert.deepEqual(found, whole);
    assert.deepEqual(readPkcs7(writePkcs7({ certificates: [], crls: whole.crls }), 'x').crls.length, 1);
    assert.deepEqual(writePkcs7(whole), signedData({ certificates, crls: [crl] }));
  });

  const file = (form: 'PEM' | 'DER'): string =>
    directory.file(form, form === 'DER' ? writePkcs7(whole) : toPem('PKCS7', writePkcs7(whole)));

  describe('is read by openssl', () => {
    before(needs('openssl'));
    for (const form of ['PEM', 'DER'] as const)
      it(`in ${form}, certificates and CRL`, () => {
        const args = ['-noout', '-inform', form, '-in', file(form)];
        const said = openssl(['pkcs7', '-print_certs', ...args]);
        assert.match(said, /subject=CN = api\s+issuer=CN = test root\s+subject=CN = test root\s+issuer=CN = test root/);
        assert.match(said, /X509v3 CRL Number: ?\s+7/);
        assert.match(openssl(['cms', '-cmsout', '-print', ...args]), /version: 1\n/);
      });
  });

  for (const [program, ...args] of [
    ['certtool', '--p7-info', '--infile'],
    ['keytool', '-printcert', '-file'],
  ] as const)
    describe(`is read by ${program}`, () => {
      before(needs(program));
      it('with all its certificates', () => {
        const { status, stdout } = spawnSync(program, [...args, file('PEM')], { encoding: 'utf8' });
        assert.equal(status, 0, stdout);
        assert.match(stdout, program === 'keytool' ? /Owner: CN=api[\s\S]*Owner: CN=test root/ : /Number of certificates: 2/);
      });
    });
});

describe('PKCS#7 that openssl makes', function () {
  this.timeout(30_000);
  before(needs('openssl'));
  const directory = temporaryDirectory();
  const inDirectory = (name: string): string => join(directory.path, name);
  after(directory.remove);

  for (const form of ['PEM', 'DER']) {
    it(`is opened in ${form}, with a chain and a CRL`, () => {
      const chain = directory.file('chain.pem', certificatePem(leaf.certificate, ca.certificate));
      const list = directory.file('list.pem', testCrl(ca, ['0102']));
      const out = inDirectory(`out.${form}`);
      openssl(['crl2pkcs7', '-in', list, '-certfile', chain, '-outform', form, '-out', out]);
      const bytes = readFileSync(out);
      assert.deepEqual(
        certificatesIn(bytes, out).map(({ der }) => der),
        certificates.map(({ der }) => der),
      );
      assert.equal(crlsIn(bytes, out).length, 1);
      openssl(['crl2pkcs7', '-nocrl', '-certfile', chain, '-outform', form, '-out', out]);
      assert.deepEqual(
        itemsIn(readFileSync(out), out).map(({ kind }) => kind),
        ['certificate', 'certificate'],
      );
    });
  }

  it('is opened as CMS that signs a text', () => {
    const [chain, key] = [directory.file('leaf.pem', certificatePem(leaf.certificate)), directory.file('leaf.key', keyPem(leaf.key))];
    const args = ['cms', '-sign', '-signer', chain, '-inkey', key, '-nodetach', '-outform', 'PEM'];
    const text = openssl(args, 'hello');
    assert.match(text, /^-----BEGIN CMS-----/);
    assert.deepEqual(
      certificatesIn(Buffer.from(text), 'x').map(({ serial }) => serial),
      [leaf.certificate.serial],
    );
  });

  it('is refused as CMS for a recipient, which needs a key', () => {
    const recipient = directory.file('rsa.pem', certificatePem(testLeaf(ca, { keyType: 'rsa-2048' }).certificate));
    const text = openssl(['cms', '-encrypt', '-aes256', '-outform', 'PEM', recipient], 'hello');
    assert.throws(
      () => itemsIn(Buffer.from(text), 'x.cms'),
      (error) => isError(error, 'FILE_UNRECOGNIZED') && /enveloped data|indefinite length/.test(error.message),
    );
  });
});
