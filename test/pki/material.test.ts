import assert from 'node:assert/strict';
import { createPublicKey } from 'node:crypto';
import { type ErrorCode, isError } from '../../src/errors.js';
import { TAG } from '../../src/pki/der.js';
import {
  type Node,
  algorithm,
  bitString,
  element,
  embed,
  integer,
  name,
  octetString,
  sequence,
  time,
  toDer,
} from '../../src/pki/encode.js';
import { generateKey, publicKeyInfo, readPrivateKey } from '../../src/pki/key.js';
import { certificatesIn, crlsIn, csrIn, itemsIn, readCertificates } from '../../src/pki/material.js';
import { OID } from '../../src/pki/oids.js';
import { toPem } from '../../src/pki/pem.js';
import { signCrl } from '../../src/pki/sign.js';
import { temporaryDirectory, testCa, testLeaf } from '../support/material.js';
import { signedData } from './cms.js';
import { csrOf } from './requests.js';
import { certificateBag, plainPfx } from './pfx.js';

const ca = testCa();
const leaf = testLeaf(ca);
const ec = generateKey('ecdsa-p256');
const rsa = generateKey('rsa-2048');
const NOW = new Date();
const NAME = name([[OID.commonName, 'x']]);
const ECDSA = algorithm(OID.ecdsaWithSha256, false);

const unsigned = (...tbs: readonly Node[]): Buffer => toDer(sequence(sequence(...tbs), ECDSA, bitString(Buffer.alloc(8))));

const version1 = unsigned(integer(1), ECDSA, NAME, sequence(time(NOW), time(NOW)), NAME, embed(publicKeyInfo(ec).der));
const crl1 = unsigned(ECDSA, NAME, time(NOW));
const entry = sequence(integer(5), time(NOW));
const crl1Revoking = unsigned(ECDSA, NAME, time(NOW), time(NOW), sequence(entry));
const crl2 = signCrl(
  { number: 1n, thisUpdate: NOW, nextUpdate: NOW, revoked: [{ serial: '05', date: NOW, reason: 'superseded' }] },
  ca,
).der;
const crlLate = unsigned(integer(1), ECDSA, NAME, time(new Date('2051-01-01')));
const names = { dns: ['a.test'], ip: [], uri: [] };
const spki = createPublicKey(ec).export({ type: 'spki', format: 'der' });
const encrypted = { cipher: 'aes-128-cbc', passphrase: 'x' };

/** Each kind in DER and the labels that PEM has for it. */
const KINDS: Readonly<Record<string, readonly [kind: string, der: Buffer, ...labels: string[]]>> = {
  certificate: ['certificate', leaf.certificate.der, 'CERTIFICATE', 'X509 CERTIFICATE', 'TRUSTED CERTIFICATE'],
  'certificate of version 1': ['certificate', version1, 'CERTIFICATE'],
  'CRL of version 2': ['crl', crl2, 'X509 CRL'],
  'CRL of version 1': ['crl', crl1, 'X509 CRL'],
  'CRL of version 1 that revokes': ['crl', crl1Revoking, 'X509 CRL'],
  'CRL with a GeneralizedTime': ['crl', crlLate, 'X509 CRL'],
  request: ['csr', csrOf(ec, names), 'CERTIFICATE REQUEST', 'NEW CERTIFICATE REQUEST'],
  'request without attributes': ['csr', csrOf(ec, names, { attributes: null }), 'CERTIFICATE REQUEST'],
  'PKCS#8 key': ['private-key', ec.export({ type: 'pkcs8', format: 'der' }), 'PRIVATE KEY'],
  'encrypted PKCS#8 key': ['private-key', ec.export({ type: 'pkcs8', format: 'der', ...encrypted }), 'ENCRYPTED PRIVATE KEY'],
  'SEC 1 key': ['private-key', ec.export({ type: 'sec1', format: 'der' }), 'EC PRIVATE KEY'],
  'PKCS#1 key': ['private-key', rsa.export({ type: 'pkcs1', format: 'der' }), 'RSA PRIVATE KEY'],
  'public key': ['public-key', spki, 'PUBLIC KEY'],
  'PKCS#7 file of a certificate': ['certificate', signedData({ certificates: [leaf.certificate] }), 'PKCS7', 'CMS'],
  'PKCS#7 file of a CRL': ['crl', signedData({ crls: [crl2] }), 'PKCS7', 'CMS'],
  'PKCS#12 file': ['pkcs12', plainPfx(certificateBag(leaf.certificate)), 'PKCS12'],
};

const publicKeyOf = (bytes: Buffer): Buffer => publicKeyInfo(readPrivateKey(bytes, 'x')).der;

const fails = (code: ErrorCode, read: () => unknown, message: RegExp): void =>
  assert.throws(read, (error) => {
    assert.ok(isError(error, code), String(error));
    assert.match(error.message, message);
    return true;
  });

describe('itemsIn', () => {
  for (const [what, [kind, der, ...labels]] of Object.entries(KINDS)) {
    it(`knows a ${what} in DER and in PEM`, () => {
      const [item, ...rest] = itemsIn(der, 'x');
      assert.deepEqual([item?.kind, rest.length], [kind, 0]);
      for (const label of labels) {
        const pem = itemsIn(Buffer.from(toPem(label, der)), 'x');
        assert.deepEqual(
          pem.map((one) => one.kind),
          [kind],
        );
      }
    });
  }

  it('says of a private key in DER whether it is encrypted', () => {
    const label = (what: string): unknown => (itemsIn(KINDS[what]![1], 'x')[0] as { label?: string }).label;
    assert.equal(label('encrypted PKCS#8 key'), 'ENCRYPTED PRIVATE KEY');
    assert.equal(label('PKCS#8 key'), 'DER');
  });

  it('gives each private key of a file its own bytes', () => {
    const [first, second] = [ec, rsa].map((key) => key.export({ type: 'pkcs8', format: 'pem' }) as string);
    const keys = itemsIn(Buffer.from(`${first}\n${second}`), 'x').map((item) => item.kind === 'private-key' && publicKeyOf(item.bytes));
    assert.deepEqual(keys, [publicKeyInfo(ec).der, publicKeyInfo(rsa).der]);
  });

  it('opens PKCS#7 among other blocks, in the order in which it carries them', () => {
    const bundle = signedData({ certificates: [leaf.certificate, ca.certificate], crls: [crl2] });
    const items = itemsIn(Buffer.from(toPem('CERTIFICATE', ca.certificate.der) + toPem('PKCS7', bundle)), 'x');
    assert.deepEqual(
      items.map((item) => [item.kind, 'container' in item ? item.container : undefined]),
      [
        ['certificate', undefined],
        ['certificate', 'PKCS#7'],
        ['certificate', 'PKCS#7'],
        ['crl', 'PKCS#7'],
      ],
    );
    assert.deepEqual(
      certificatesIn(bundle, 'x').map(({ serial }) => serial),
      [leaf.certificate.serial, ca.certificate.serial],
    );
  });

  it('reads a trusted certificate up to what OpenSSL puts behind it', () => {
    const trusted = Buffer.concat([leaf.certificate.der, toDer(sequence(sequence(octetString(Buffer.from('x')))))]);
    assert.equal(certificatesIn(Buffer.from(toPem('TRUSTED CERTIFICATE', trusted)), 'x')[0]?.serial, leaf.certificate.serial);
    fails('CERTIFICATE_MALFORMED', () => itemsIn(Buffer.from(toPem('TRUSTED CERTIFICATE', Buffer.from([0x30]))), 'x.pem'), /x\.pem/);
  });

  it('keeps the order of a file, and what it does not know', () => {
    const text = [toPem('CERTIFICATE', ca.certificate.der), toPem('DH PARAMETERS', Buffer.from('3000', 'hex')), toPem('X509 CRL', crl2)];
    assert.deepEqual(
      itemsIn(Buffer.from(text.join('\n')), 'x').map((item) => item.kind),
      ['certificate', 'unknown', 'crl'],
    );
  });

  const noise: Readonly<Record<string, readonly [Buffer | string, RegExp]>> = {
    nothing: ['', /blank text/],
    blanks: [' \r\n\t', /blank text/],
    'a byte-order mark': ['\ufeff\n', /blank text/],
    HTML: ['\n<!doctype html><title>404</title>', /HTML or XML/],
    JSON: ['\ufeff {"error": "not found"}', /JSON/],
    'an RSA SSH key': ['ssh-rsa AAAAB3NzaC1yc2E= me@host', /an SSH key/],
    'an Ed25519 SSH key': ['ssh-ed25519 AAAAC3NzaC1= me@host', /an SSH key/],
    'an ECDSA SSH key': ['ecdsa-sha2-nistp256 AAAAE2= me@host', /an SSH key/],
    'an SSH2 key': ['---- BEGIN SSH2 PUBLIC KEY ----\nAAAA', /an SSH key/],
    text: ['hello', /text without a PEM block/],
    'text that begins like DER': ['0 is not a SEQUENCE', /text without a PEM block/],
    'UTF-16': [Buffer.from('\ufeff-----BEGIN CERTIFICATE-----', 'utf16le'), /UTF-16/],
    'binary data': [Buffer.from([1, 2, 0, 0xff]), /binary data/],
    'torn DER': [leaf.certificate.der.subarray(0, 100), /torn DER/],
    'DER with a newline behind it': [Buffer.concat([leaf.certificate.der, Buffer.from('\n')]), /DER with something behind it/],
    BER: [Buffer.from('30800000', 'hex'), /indefinite length/],
    'an empty SEQUENCE': [Buffer.from('3000', 'hex'), /DER of another kind/],
    'an RSA public key of PKCS#1': [createPublicKey(rsa).export({ type: 'pkcs1', format: 'der' }), /DER of another kind/],
    'an identifier and what does not follow one in PKCS#7': [Buffer.from('300506032a0304', 'hex'), /DER of another kind/],
    'a SEQUENCE of other things': [Buffer.from('3005 0500 0101 ff'.replaceAll(' ', ''), 'hex'), /DER of another kind/],
    'something signed that is none of ours': [unsigned(integer(1)), /DER of another kind/],
    'something signed and torn inside': [
      element(TAG.sequence, [element(TAG.sequence, [Buffer.from([0x30, 0x7f])]), toDer(ECDSA), toDer(bitString(Buffer.alloc(1)))]),
      /DER of another kind/,
    ],
    'a key and something that is none': [toDer(sequence(ECDSA, integer(1))), /DER of another kind/],
  };
  for (const [what, [bytes, message]] of Object.entries(noise)) {
    it(`says that ${what} is nothing of ours`, () => fails('FILE_UNRECOGNIZED', () => itemsIn(Buffer.from(bytes), 'some.file'), message));
  }

  it('says in which file a block holds less than its label promises', () => {
    const as = (label: string): Buffer => Buffer.from(toPem(label, spki));
    fails('CERTIFICATE_MALFORMED', () => itemsIn(as('CERTIFICATE'), 'a.pem'), /a\.pem/);
    fails('CRL_MALFORMED', () => itemsIn(as('X509 CRL'), 'a.pem'), /a\.pem/);
    fails('CSR_MALFORMED', () => itemsIn(as('CERTIFICATE REQUEST'), 'a.pem'), /a\.pem/);
    fails('PEM_MALFORMED', () => itemsIn(Buffer.from('-----BEGIN CERTIFICATE-----\nMIIB'), 'a.pem'), /a\.pem/);
  });
});

describe('what is asked of a file', () => {
  it('is found among other things', () => {
    const bundle = Buffer.from(
      toPem('PRIVATE KEY', KINDS['PKCS#8 key']![1]) + toPem('CERTIFICATE', leaf.certificate.der) + toPem('CERTIFICATE', ca.certificate.der),
    );
    assert.deepEqual(
      certificatesIn(bundle, 'x').map(({ serial }) => serial),
      [leaf.certificate.serial, ca.certificate.serial],
    );
    assert.equal(crlsIn(crl2, 'x')[0]?.number, '01');
    assert.deepEqual(csrIn(csrOf(ec, names), 'x').subjectAltName.dns, ['a.test']);
  });

  it('or else the error says what is there instead', () => {
    const unrecognized = (label: string, der: Buffer, message: RegExp): void =>
      fails('FILE_UNRECOGNIZED', () => certificatesIn(Buffer.from(toPem(label, der).repeat(2)), 'a.pem'), message);
    unrecognized('X509 CRL', crl2, /a\.pem is not a certificate \(PEM or DER\): found a CRL$/);
    unrecognized('PRIVATE KEY', Buffer.from('3000', 'hex'), /found a private key$/);
    unrecognized('PGP MESSAGE', Buffer.from('3000', 'hex'), /found a block labelled PGP MESSAGE$/);
    unrecognized('PUBLIC KEY', spki, /found a public key$/);
    fails('FILE_UNRECOGNIZED', () => crlsIn(leaf.certificate.der, 'a'), /not a CRL .*found a certificate$/);
    fails('FILE_UNRECOGNIZED', () => csrIn(Buffer.from('x'), 'a'), /not a certification request/);
  });

  it('is read from disk', () => {
    const directory = temporaryDirectory();
    try {
      assert.equal(readCertificates(directory.file('a.der', leaf.certificate.der))[0]?.serial, leaf.certificate.serial);
      fails('FILE_NOT_FOUND', () => readCertificates(`${directory.path}/none`), /no such file/);
    } finally {
      directory.remove();
    }
  });
});
