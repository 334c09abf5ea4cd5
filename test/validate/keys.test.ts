import assert from 'node:assert/strict';
import { type RSAPSSKeyPairKeyObjectOptions, constants, generateKeyPairSync, sign } from 'node:crypto';
import { readCertificate } from '../../src/pki/certificate.js';
import { type Node, bitString, embed, explicit, integer, nothing, oid, sequence, toDer } from '../../src/pki/encode.js';
import { generateKey, publicKeyInfo } from '../../src/pki/key.js';
import { OID } from '../../src/pki/oids.js';
import { type Signer } from '../../src/pki/sign.js';
import { type Recipe, SCHEMES, authority, certify, rsaKey } from '../support/chains.js';
import { ask, isBad, isGood } from './support.js';

const root = authority({ name: 'root' });
const ec = (namedCurve: string, paramEncoding: 'named' | 'explicit' = 'named') =>
  generateKeyPairSync('ec', { namedCurve, paramEncoding }).privateKey;

describe('keys', () => {
  it('are RSA of 2048 bits or more, unless told otherwise', () => {
    const [small, fair] = [1024, 2048].map((bits) => certify({ by: root, key: rsaKey(bits) }));
    isGood(ask(fair!, [], [root]));
    isBad(ask(small!, [], [root]), 'WEAK_KEY');
    isGood(ask(small!, [], [root], { minRsaBits: 1024 }));
    isBad(ask(fair!, [], [root], { minRsaBits: 3072 }), 'WEAK_KEY');
  });

  it('are on a named curve of 224 to 521 bits', () => {
    for (const curve of ['P-224', 'P-256', 'P-384', 'P-521', 'secp256k1', 'brainpoolP256r1'])
      isGood(ask(certify({ by: root, key: ec(curve) }), [], [root]));
    for (const curve of ['prime192v1', 'secp112r1', 'sect283k1']) isBad(ask(certify({ by: root, key: ec(curve) }), [], [root]), 'WEAK_KEY');
    isBad(ask(certify({ by: root, key: ec('P-256', 'explicit') }), [], [root]), 'WEAK_KEY');
  });

  it('are EdDSA too, and neither DSA nor for agreement alone', () => {
    for (const type of ['ed25519', 'ed448'] as const)
      isGood(ask(certify({ by: root, key: generateKeyPairSync(type as 'ed25519').privateKey, signedBy: root.key }), [], [root]));
    const dsa = generateKeyPairSync('dsa', { modulusLength: 2048, divisorLength: 256 }).privateKey;
    isBad(ask(certify({ by: root, key: dsa }), [], [root]), 'WEAK_KEY');
    isBad(ask(certify({ by: root, key: generateKeyPairSync('x25519').privateKey }), [], [root]), 'WEAK_KEY');
  });

  it('of RSA have an odd exponent of 3 or more', () => {
    const modulus = rsaKey(2048).export({ format: 'jwk' }).n!;
    const withExponent = (exponent: Buffer): Signer => {
      const key = toDer(sequence(integer(Buffer.concat([Buffer.from([0]), Buffer.from(modulus, 'base64url')])), integer(exponent)));
      const publicKey = toDer(sequence(sequence(oid(OID.rsaEncryption), nothing()), bitString(key)));
      return certify({ by: root, publicKey });
    };
    for (const exponent of [[3], [1, 0, 1]]) isGood(ask(withExponent(Buffer.from(exponent)), [], [root]));
    for (const exponent of [[1], [2], [1, 0, 2], [0]]) isBad(ask(withExponent(Buffer.from(exponent)), [], [root]), 'WEAK_KEY');
  });

  it('count for CAs and anchors too', () => {
    const weak = authority({ name: 'weak', key: rsaKey(1024) });
    isBad(ask(certify({ by: weak }), [], [weak]), 'WEAK_KEY');
    const middle = authority({ name: 'middle', by: root, key: rsaKey(1024) });
    isBad(ask(certify({ by: middle }), [middle], [root]), 'WEAK_KEY');
  });
});

describe('signatures', () => {
  it('are of the algorithm that is named inside and outside', () => {
    isBad(ask(certify({ by: root, innerScheme: SCHEMES.ecdsaSha384 }), [], [root]), 'ALGORITHM_MISMATCH');
  });

  it('rest on SHA-2, unless SHA-1 was allowed; never on MD5', () => {
    const sha1 = certify({ by: root, scheme: SCHEMES.ecdsaSha1 });
    isBad(ask(sha1, [], [root]), 'WEAK_SIGNATURE');
    isGood(ask(sha1, [], [root], { allowSha1: true }));
    const rsaRoot = authority({ name: 'rsa', key: rsaKey(2048) });
    isBad(ask(certify({ by: rsaRoot, scheme: SCHEMES.rsaMd5 }), [], [rsaRoot], { allowSha1: true }), 'WEAK_SIGNATURE');
    // how an anchor is signed is nobody's business: its key is trusted as it is
    const old = authority({ name: 'old', key: rsaKey(2048), scheme: SCHEMES.rsaSha1 });
    isGood(ask(certify({ by: old }), [], [old]));
  });

  it('are by an algorithm that fits the key, with the parameters that it must have', () => {
    const recipes: Recipe[] = [
      { scheme: SCHEMES.rsaSha256, signedBy: rsaKey(2048) },
      { scheme: { ...SCHEMES.ecdsaSha256, nullParameters: true } },
      { scheme: { oid: '1.2.3.4', nullParameters: false, digest: 'sha256' } },
    ];
    for (const recipe of recipes) isBad(ask(certify({ by: root, ...recipe }), [], [root]), 'SIGNATURE_UNSUPPORTED');
    const rsaRoot = authority({ name: 'rsa', key: rsaKey(2048) });
    isBad(ask(certify({ by: rsaRoot, scheme: { ...SCHEMES.rsaSha256, nullParameters: false } }), [], [rsaRoot]), 'SIGNATURE_UNSUPPORTED');
  });
});

const DIGESTS = { sha1: '1.3.14.3.2.26', sha256: '2.16.840.1.101.3.4.2.1', sha384: '2.16.840.1.101.3.4.2.2' } as const;
type Digest = keyof typeof DIGESTS;

describe('RSASSA-PSS (RFC 4055 §3.1)', () => {
  const rsaRoot = authority({ name: 'rsa', key: rsaKey(2048) });

  /** A leaf signed with PSS by these parameters, which say what is written here. */
  function pss(written: { hash?: Digest; mask?: Digest; salt?: number; trailer?: number }, signedWith: Digest, salt: number): Signer {
    const hash = (name: Digest): Node => sequence(oid(DIGESTS[name]), nothing());
    const parameters = sequence(
      ...(written.hash === undefined ? [] : [explicit(0, hash(written.hash))]),
      ...(written.mask === undefined ? [] : [explicit(1, sequence(oid('1.2.840.113549.1.1.8'), hash(written.mask)))]),
      ...(written.salt === undefined ? [] : [explicit(2, integer(written.salt))]),
      ...(written.trailer === undefined ? [] : [explicit(3, integer(written.trailer))]),
    );
    const algorithm = toDer(sequence(oid(OID.rsassaPss), parameters));
    const plain = certify({ name: 'leaf', by: rsaRoot });
    const tbs = Buffer.from(plain.certificate.tbs);
    const inner = plain.certificate.innerAlgorithm.der;
    const at = tbs.indexOf(inner);
    const content = Buffer.concat([tbs.subarray(4, at), algorithm, tbs.subarray(at + inner.length)]);
    const signedPart = Buffer.concat([Buffer.from([0x30, 0x82, content.length >> 8, content.length & 0xff]), content]);
    const signature = sign(signedWith, signedPart, { key: rsaRoot.key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: salt });
    return { certificate: readCertificate(toDer(sequence(embed(signedPart), embed(algorithm), bitString(signature)))), key: plain.key };
  }

  it('is taken where all parameters agree with the signature', () => {
    isGood(ask(pss({ hash: 'sha256', mask: 'sha256', salt: 32 }, 'sha256', 32), [], [rsaRoot]));
    isGood(ask(pss({ hash: 'sha384', mask: 'sha384', salt: 48 }, 'sha384', 48), [], [rsaRoot]));
    isGood(ask(pss({ hash: 'sha256', mask: 'sha256', salt: 20, trailer: 1 }, 'sha256', 20), [], [rsaRoot]));
    isBad(ask(pss({ hash: 'sha256', mask: 'sha256', salt: 20 }, 'sha256', 32), [], [rsaRoot]), 'SIGNATURE_INVALID');
  });

  it('has SHA-1 where it says nothing, which is too weak', () => {
    isBad(ask(pss({}, 'sha1', 20), [], [rsaRoot]), 'WEAK_SIGNATURE');
    isGood(ask(pss({}, 'sha1', 20), [], [rsaRoot], { allowSha1: true }));
  });

  it('is refused with digests that differ, or another trailer', () => {
    isBad(ask(pss({ hash: 'sha256', mask: 'sha1', salt: 32 }, 'sha256', 32), [], [rsaRoot]), 'SIGNATURE_UNSUPPORTED');
    isBad(ask(pss({ hash: 'sha256', salt: 32 }, 'sha256', 32), [], [rsaRoot]), 'SIGNATURE_UNSUPPORTED');
    isBad(ask(pss({ hash: 'sha256', mask: 'sha256', salt: 32, trailer: 2 }, 'sha256', 32), [], [rsaRoot]), 'SIGNATURE_UNSUPPORTED');
  });

  it('is of keys that are for nothing else', () => {
    const options = { modulusLength: 2048, hashAlgorithm: 'sha256', mgf1HashAlgorithm: 'sha256', saltLength: 32 };
    const key = generateKeyPairSync('rsa-pss', options as unknown as RSAPSSKeyPairKeyObjectOptions).privateKey;
    const only = certify({ by: root, key, signedBy: root.key });
    isGood(ask(only, [], [root]));
    assert.equal(publicKeyInfo(key).bits, 2048);
    assert.equal(generateKey('ecdsa-p256').asymmetricKeyType, 'ec');
  });
});
