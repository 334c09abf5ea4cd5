import assert from 'node:assert/strict';
import { createCipheriv, scryptSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ErrorCode, isError } from '../../src/errors.js';
import { TAG } from '../../src/pki/der.js';
import { type Node, algorithm, integer, octetString, oid, sequence, toDer } from '../../src/pki/encode.js';
import { generateKey, isEncryptedKey, pkcs8Of, privateKeyToPem, readPrivateKey } from '../../src/pki/key.js';
import { PKCS12_OID } from '../../src/pki/oids.js';
import { PBKDF2_ITERATIONS, encryptPbes2, encryptedPrivateKeyInfo, encryptedPrivateKeyToPem } from '../../src/pki/pbes2.js';
import { readPem, toPem } from '../../src/pki/pem.js';
import { certificatePem, keyPem, temporaryDirectory, testCa } from '../support/material.js';
import { needs } from '../support/programs.js';
import { openssl } from './other-tools.js';

const key = generateKey('ecdsa-p256');
const PASSPHRASE = 'pässwörd €';

const fails = (code: ErrorCode, bytes: string | Buffer, passphrase: string | undefined, message = /./): void =>
  assert.throws(
    () => readPrivateKey(Buffer.from(bytes), 'tls.key', passphrase),
    (error) => {
      assert.ok(isError(error, code), String(error));
      assert.match(error.message, /tls\.key/);
      assert.match(error.message, message);
      assert.doesNotMatch(String(error.stack), /pässwörd/);
      return true;
    },
  );

/** An EncryptedPrivateKeyInfo under PBES2 with whatever derivation; what is encrypted in it is noise. */
const pbes2 = (derivation: Node, cipher: string = PKCS12_OID.aes256Cbc): Buffer =>
  toDer(
    sequence(
      sequence(oid(PKCS12_OID.pbes2), sequence(derivation, sequence(oid(cipher), octetString(Buffer.alloc(16))))),
      octetString(Buffer.alloc(32)),
    ),
  );
const pbkdf2 = (iterations: number, prf: string = PKCS12_OID.hmacWithSha256): Node =>
  sequence(oid(PKCS12_OID.pbkdf2), sequence(octetString(Buffer.alloc(16)), integer(iterations), algorithm(prf, true)));
const scrypt = (...parameters: readonly number[]): Node =>
  sequence(oid(PKCS12_OID.scrypt), sequence(octetString(Buffer.alloc(16)), ...parameters.map((parameter) => integer(parameter))));

/** The same with a length in three octets where one or two are enough: BER, which OpenSSL takes, and no DER. */
function withLongLength(der: Buffer): Buffer {
  const content = der.subarray(der[1]! < 0x80 ? 2 : 2 + (der[1]! & 0x7f));
  const header = Buffer.from([TAG.sequence, 0x83, 0, 0, 0]);
  header.writeUIntBE(content.length, 2, 3);
  return Buffer.concat([header, content]);
}

describe('a private key under a passphrase', () => {
  it('is opened by it, and by no other', () => {
    const pem = encryptedPrivateKeyToPem(pkcs8Of(key), PASSPHRASE);
    assert.match(pem, /^-----BEGIN ENCRYPTED PRIVATE KEY-----\n/);
    assert.ok(readPrivateKey(Buffer.from(pem), 'tls.key', PASSPHRASE).equals(key));
    assert.ok(readPrivateKey(readPem(pem)[0]!.der, 'tls.key', PASSPHRASE).equals(key), 'in DER');
    fails('PASSPHRASE_WRONG', pem, 'passwort');
    fails('PASSPHRASE_WRONG', pem, '');
    fails('KEY_ENCRYPTED', pem, undefined);
  });

  it('costs whoever guesses it as much as we promise, and no two are alike', () => {
    assert.equal(PBKDF2_ITERATIONS, 600_000);
    const [one, other] = [1, 2].map(() => readPem(encryptedPrivateKeyToPem(pkcs8Of(key), PASSPHRASE))[0]!.der.toString('hex'));
    assert.equal(one!.split('02030927c0').length - 1, 1, 'INTEGER 600,000');
    assert.notEqual(one, other);
  });

  it('is told from an open one without a passphrase', () => {
    const traditional = key.export({ type: 'sec1', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' });
    const closed = encryptPbes2(key.export({ type: 'pkcs8', format: 'der' }), 'x', 1);
    const certificate = certificatePem(testCa().certificate);
    const open = [privateKeyToPem(key), key.export({ type: 'sec1', format: 'der' }), certificate, 'noise', ''];
    for (const bytes of open) assert.equal(isEncryptedKey(Buffer.from(bytes)), false);
    const der = toDer(encryptedPrivateKeyInfo(closed));
    for (const bytes of [traditional, der, certificate + toPem('ENCRYPTED PRIVATE KEY', der)])
      assert.equal(isEncryptedKey(Buffer.from(bytes)), true);
    assert.equal(isEncryptedKey(Buffer.from(keyPem(key) + toPem('ENCRYPTED PRIVATE KEY', der))), false, 'the first one counts');
  });

  it('does not say how long we work', () => {
    const start = performance.now();
    const asks = /asks for more than 5000000 iterations/;
    fails('KEY_UNREADABLE', pbes2(pbkdf2(0x7fffffff)), 'x', asks);
    fails('KEY_UNREADABLE', toPem('ENCRYPTED PRIVATE KEY', pbes2(pbkdf2(0x7fffffff))), 'x', asks);
    fails('KEY_UNREADABLE', pbes2(pbkdf2(5_000_001)), 'x', asks);
    fails('KEY_UNREADABLE', pbes2(pbkdf2(1_666_667, '1.2.840.113549.2.11')), 'x', asks);
    fails('KEY_UNREADABLE', pbes2(pbkdf2(0xffffffffff)), 'x', /integer too large/);
    fails('KEY_UNREADABLE', pbes2(scrypt(2 ** 30, 8, 1)), 'x', asks);
    fails('KEY_UNREADABLE', pbes2(scrypt(2 ** 14, 8, 1_000)), 'x', asks);
    fails('KEY_UNREADABLE', pbes2(scrypt(2, 1, 0x7fffffff)), 'x', asks);
    fails('KEY_UNREADABLE', pbes2(scrypt(2 ** 18, 8, 1)), 'x', /asks for more memory/);
    // OpenSSL would take these for encrypted, and derive until tomorrow
    fails('KEY_UNREADABLE', withLongLength(pbes2(pbkdf2(0x7fffffff))), 'x', /not a private key/);
    fails('KEY_UNREADABLE', toPem('ENCRYPTED PRIVATE KEY', withLongLength(pbes2(pbkdf2(0x7fffffff)))), 'x', /not DER/);
    assert.ok(performance.now() - start < 500);
  });

  it('is refused for settings that make no sense, or that nobody here knows', () => {
    for (const parameters of [
      [0, 8, 1],
      [1, 8, 1],
      [3, 8, 1],
      [16, 0, 1],
      [16, 8, 0],
      [2 ** 16, 1, 1],
    ])
      fails('KEY_UNREADABLE', pbes2(scrypt(...parameters)), 'x', /scrypt is not defined for N = \d+, r = \d, p = \d/);
    fails('KEY_UNREADABLE', pbes2(scrypt(16, 8, 1, 16)), 'x', /key length of 32/);
    fails('KEY_UNREADABLE', pbes2(scrypt(16, 8)), 'x', /not DER/);
    fails('KEY_UNREADABLE', pbes2(sequence(oid('1.2.3'), sequence())), 'x', /key derivation 1\.2\.3, which is not supported here/);
    fails('KEY_UNREADABLE', pbes2(pbkdf2(1), '2.16.840.1.101.3.4.1.46'), 'x', /cipher 2\.16\.840\.1\.101\.3\.4\.1\.46/);
    fails(
      'KEY_UNREADABLE',
      toDer(sequence(sequence(oid('1.2.840.113549.1.5.3'), sequence()), octetString(Buffer.alloc(8)))),
      'x',
      /1\.5\.3/,
    );
    const closed = encryptPbes2(toDer(sequence(integer(0))), 'x', 1);
    fails('KEY_UNREADABLE', toDer(encryptedPrivateKeyInfo(closed)), 'x', /what is encrypted in it is not a private key/);
    fails('PASSPHRASE_WRONG', toDer(encryptedPrivateKeyInfo(encryptPbes2(Buffer.from('noise'), 'x', 1))), 'x');
  });
});

describe('a private key under a passphrase, and openssl', function () {
  this.timeout(30_000);
  const directory = temporaryDirectory();
  before(needs('openssl'));
  after(directory.remove);

  it('opens ours, and not with another one', () => {
    const path = directory.file('ours.pem', encryptedPrivateKeyToPem(pkcs8Of(key), PASSPHRASE));
    const opened = openssl(['pkey', '-in', path, '-passin', `pass:${PASSPHRASE}`]);
    assert.ok(readPrivateKey(Buffer.from(opened), 'x').equals(key));
    assert.throws(() => openssl(['pkey', '-in', path, '-passin', 'pass:other']), /bad decrypt|maybe wrong password/i);
    const parsed = openssl(['asn1parse', '-in', path]);
    for (const part of [/:PBES2/, /:PBKDF2/, /INTEGER +:0927C0/, /:hmacWithSHA256/, /:aes-256-cbc/]) assert.match(parsed, part);
  });

  const forms: Readonly<Record<string, readonly string[]>> = {
    'its default': [],
    'AES-128 and SHA-512': ['-v2', 'aes-128-cbc', '-v2prf', 'hmacWithSHA512'],
    'triple DES under PBES2': ['-v2', 'des3', '-v2prf', 'hmacWithSHA1'],
    'a million iterations': ['-iter', '1000000'],
    scrypt: ['-scrypt'],
    'scrypt of another cost': ['-scrypt', '-scrypt_N', '1024', '-scrypt_r', '4', '-scrypt_p', '3'],
    'the triple DES of PKCS#12': ['-v1', 'PBE-SHA1-3DES'],
  };
  for (const [form, options] of Object.entries(forms)) {
    it(`writes keys that open, with ${form}`, () => {
      const [open, closed] = [directory.file('open.pem', keyPem(key)), join(directory.path, 'closed')];
      for (const outform of ['PEM', 'DER']) {
        openssl(['pkcs8', '-topk8', '-in', open, '-outform', outform, '-out', closed, '-passout', `pass:${PASSPHRASE}`, ...options]);
        const bytes = readFileSync(closed);
        assert.equal(isEncryptedKey(bytes), true);
        assert.ok(readPrivateKey(bytes, 'tls.key', PASSPHRASE).equals(key));
        fails('PASSPHRASE_WRONG', bytes, 'other');
        fails('KEY_ENCRYPTED', bytes, undefined);
      }
    });
  }

  it('grants less memory than scrypt takes at the cost that OWASP names: such a key opens here', () => {
    const [salt, iv] = [Buffer.alloc(16, 1), Buffer.alloc(16, 2)];
    const derived = scryptSync('x', salt, 32, { N: 2 ** 17, r: 8, p: 1, maxmem: 2 ** 28 });
    const cipher = createCipheriv('aes-256-cbc', derived, iv);
    const data = Buffer.concat([cipher.update(key.export({ type: 'pkcs8', format: 'der' })), cipher.final()]);
    const derivation = sequence(oid(PKCS12_OID.scrypt), sequence(octetString(salt), integer(2 ** 17), integer(8), integer(1), integer(32)));
    const scheme = sequence(oid(PKCS12_OID.pbes2), sequence(derivation, sequence(oid(PKCS12_OID.aes256Cbc), octetString(iv))));
    const pem = toPem('ENCRYPTED PRIVATE KEY', toDer(encryptedPrivateKeyInfo({ algorithm: scheme, data })));
    assert.ok(readPrivateKey(Buffer.from(pem), 'tls.key', 'x').equals(key));
  });
});
