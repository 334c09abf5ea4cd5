import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { type ErrorCode, isError } from '../../src/errors.js';
import { describeKey, signatureDigest, signatureName, signerFor, verifySignature } from '../../src/pki/algorithms.js';
import { DerReader } from '../../src/pki/der.js';
import { algorithm, embed, explicit, integer, oid, sequence, toDer } from '../../src/pki/encode.js';
import { readAlgorithm } from '../../src/pki/algorithms.js';
import { KEY_TYPES, generateKey, isKeyOf, privateKeyToPem, publicKeyInfo, readPrivateKey } from '../../src/pki/key.js';
import { OID } from '../../src/pki/oids.js';
import { toPem } from '../../src/pki/pem.js';

const ec = generateKey('ecdsa-p256');
const rsa = generateKey('rsa-2048');

const fails = (code: ErrorCode, bytes: string | Buffer, passphrase?: string): void =>
  assert.throws(
    () => readPrivateKey(Buffer.from(bytes), 'tls.key', passphrase),
    (error) => {
      assert.ok(isError(error, code), String(error));
      assert.match(error.message, /tls\.key/);
      assert.equal(error.cause === undefined || code === 'KEY_ENCRYPTED', true, 'no cause that could carry key material');
      return true;
    },
  );

describe('private keys', () => {
  it('of every type that we make are what they are called', () => {
    const described = KEY_TYPES.map((type) => describeKey(publicKeyInfo(generateKey(type))));
    assert.deepEqual(described, ['EC P-256', 'EC P-384', 'Ed25519', 'RSA 2048', 'RSA 3072', 'RSA 4096']);
  }).timeout(30_000);

  it('are read from PKCS#8, SEC 1 and PKCS#1, PEM and DER, encrypted or not', () => {
    const cipher = 'aes-256-cbc';
    const passphrase = 'pässwörd';
    const forms = [
      ...([ec, rsa] as const).flatMap((key) => [
        [key, key.export({ type: 'pkcs8', format: 'pem' })] as const,
        [key, key.export({ type: 'pkcs8', format: 'der' })] as const,
        [key, key.export({ type: 'pkcs8', format: 'pem', cipher, passphrase }), passphrase] as const,
        [key, key.export({ type: 'pkcs8', format: 'der', cipher, passphrase }), passphrase] as const,
      ]),
      [ec, ec.export({ type: 'sec1', format: 'pem' })] as const,
      [ec, ec.export({ type: 'sec1', format: 'der' })] as const,
      [ec, ec.export({ type: 'sec1', format: 'pem', cipher, passphrase }), passphrase] as const,
      [rsa, rsa.export({ type: 'pkcs1', format: 'pem' })] as const,
      [rsa, rsa.export({ type: 'pkcs1', format: 'der' })] as const,
    ];
    for (const [key, bytes, secret] of forms) {
      assert.ok(readPrivateKey(Buffer.from(bytes), 'tls.key', secret).equals(key));
      // a passphrase that is not needed does no harm
      if (secret === undefined) assert.ok(readPrivateKey(Buffer.from(bytes), 'tls.key', 'unused').equals(key));
      if (secret === undefined) continue;
      fails('KEY_ENCRYPTED', Buffer.from(bytes));
      fails('PASSPHRASE_WRONG', Buffer.from(bytes), 'other');
    }
  });

  it('of another type than a public key are not its, and what is read next is read', () => {
    assert.ok(!isKeyOf(ec, publicKeyInfo(rsa)));
    assert.ok(readPrivateKey(Buffer.from(privateKeyToPem(ec)), 'tls.key').equals(ec));
  });

  it('are found behind other blocks', () => {
    const parameters = toPem('EC PARAMETERS', Buffer.from('06082a8648ce3d030107', 'hex'));
    assert.ok(readPrivateKey(Buffer.from(parameters + privateKeyToPem(ec)), 'tls.key').equals(ec));
  });

  it('that are none are said to be none', () => {
    fails('KEY_UNREADABLE', toPem('PRIVATE KEY', Buffer.from('30030201ff', 'hex')));
    fails('KEY_UNREADABLE', toPem('CERTIFICATE', Buffer.from('3000', 'hex')));
    fails('KEY_UNREADABLE', Buffer.from('3000', 'hex'));
    fails('KEY_UNREADABLE', 'noise');
    fails('KEY_UNREADABLE', toPem('OPENSSH PRIVATE KEY', Buffer.from('openssh-key-v1\0')));
  });

  it('belong to their public keys, however these are written', () => {
    assert.equal(isKeyOf(ec, publicKeyInfo(ec)), true);
    assert.equal(isKeyOf(ec, publicKeyInfo(generateKey('ecdsa-p256'))), false);
    assert.equal(isKeyOf(ec, publicKeyInfo(rsa)), false);
    const { key } = publicKeyInfo(ec);
    const compressed = Buffer.concat([Buffer.from([2 + (key[64]! & 1)]), key.subarray(1, 33)]);
    const spki = toDer(
      sequence(sequence(oid(OID.ecPublicKey), oid('1.2.840.10045.3.1.7')), embed(Buffer.concat([Buffer.from([3, 34, 0]), compressed]))),
    );
    const written = { ...publicKeyInfo(ec), der: spki };
    assert.equal(isKeyOf(ec, written), true, 'a compressed point');
    assert.equal(isKeyOf(generateKey('ecdsa-p256'), written), false);
    assert.equal(isKeyOf(ec, { ...written, der: Buffer.from('3000', 'hex') }), false, 'a key that OpenSSL cannot load');
  });
});

describe('signatures', () => {
  const data = Buffer.from('signed');

  it('are made by the keys that we have, and verified', () => {
    for (const key of [
      ec,
      rsa,
      generateKey('ecdsa-p384'),
      generateKey('ed25519'),
      generateKeyPairSync('ec', { namedCurve: 'P-521' }).privateKey,
    ]) {
      const { oid: scheme, nullParameters, sign } = signerFor(key);
      const identifier = readAlgorithm(new DerReader(toDer(algorithm(scheme, nullParameters))));
      const signature = sign(data);
      const info = publicKeyInfo(key);
      assert.equal(verifySignature(identifier, data, signature, info), 'valid', signatureName(identifier));
      assert.equal(verifySignature(identifier, Buffer.from('other'), signature, info), 'invalid');
      // RFC 4055 §5 wants NULL, RFC 5758 §3.2 and RFC 8410 §3 want nothing
      const other = readAlgorithm(new DerReader(toDer(algorithm(scheme, !nullParameters))));
      assert.equal(verifySignature(other, data, signature, info), 'unsupported');
    }
  });

  it('are not made by keys of other types', () => {
    for (const key of [generateKeyPairSync('x25519').privateKey, generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).privateKey])
      assert.throws(
        () => signerFor(key),
        (error) => isError(error, 'KEY_TYPE_UNSUPPORTED'),
      );
  });

  it('of an unknown scheme, or of a scheme for other keys, are not judged', () => {
    const named = (dotted: string) => readAlgorithm(new DerReader(toDer(algorithm(dotted, false))));
    assert.equal(verifySignature(named('1.2.3'), data, data, publicKeyInfo(ec)), 'unsupported');
    assert.equal(verifySignature(named(OID.ed25519), data, data, publicKeyInfo(ec)), 'unsupported');
    assert.equal(verifySignature(named(OID.ecdsaWithSha256), data, data, { ...publicKeyInfo(ec), der: Buffer.alloc(3) }), 'unsupported');
    assert.deepEqual([signatureName(named('1.2.3')), signatureDigest(named('1.2.3'))], ['1.2.3', undefined]);
    assert.deepEqual([signatureName(named(OID.ed25519)), signatureDigest(named(OID.ed25519))], ['Ed25519', null]);
    assert.deepEqual(describeKey({ type: 'unknown', bits: 0, algorithm: named('1.2.3') }), 'key 1.2.3');
    assert.deepEqual(describeKey({ type: 'EC', bits: 256, algorithm: named('1.2.3') }), 'EC (explicit parameters)');
  });

  it('with RSA-PSS need parameters that make sense', () => {
    const sha256 = sequence(oid('2.16.840.1.101.3.4.2.1'));
    const mask = (digest: ReturnType<typeof sequence>) => sequence(oid('1.2.840.113549.1.1.8'), digest);
    const pss = (...fields: readonly ReturnType<typeof sequence>[]) =>
      readAlgorithm(new DerReader(toDer(sequence(oid(OID.rsassaPss), sequence(...fields)))));
    const good = pss(explicit(0, sha256), explicit(1, mask(sha256)), explicit(2, integer(32)));
    assert.deepEqual([signatureName(good), signatureDigest(good)], ['RSA-PSS with SHA256', 'sha256']);
    assert.deepEqual(signatureDigest(pss()), 'sha1', 'all defaults');
    const bad = [
      pss(explicit(0, sha256)), // the mask has SHA-1 then
      pss(explicit(0, sha256), explicit(1, sha256)),
      pss(explicit(0, sequence(oid('1.2.3'))), explicit(1, mask(sequence(oid('1.2.3'))))),
      pss(explicit(0, sha256), explicit(1, mask(sha256)), explicit(2, integer(10_000))),
      pss(explicit(0, sha256), explicit(1, mask(sha256)), explicit(3, integer(2))),
      pss(integer(1)),
      readAlgorithm(new DerReader(toDer(algorithm(OID.rsassaPss, false)))),
    ];
    for (const one of bad) {
      assert.deepEqual([signatureName(one), signatureDigest(one)], ['RSA-PSS with unknown parameters', undefined]);
      assert.equal(verifySignature(one, data, Buffer.alloc(256), publicKeyInfo(rsa)), 'unsupported');
    }
    assert.equal(verifySignature(good, data, Buffer.alloc(256), publicKeyInfo(rsa)), 'invalid');
    assert.equal(verifySignature(good, data, Buffer.alloc(256), publicKeyInfo(ec)), 'unsupported');
  });
});
