import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createCipheriv, createHash, createHmac, pbkdf2Sync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ErrorCode, isError } from '../../src/errors.js';
import { TAG } from '../../src/pki/der.js';
import {
  algorithm,
  bmpString,
  element,
  embed,
  explicit,
  implicit,
  integer,
  octetString,
  oid,
  sequence,
  set,
  toDer,
  utf8,
} from '../../src/pki/encode.js';
import { isKeyOf } from '../../src/pki/key.js';
import { PKCS12_OID } from '../../src/pki/oids.js';
import { bmpPassphrase, pkcs12Key } from '../../src/pki/passphrase.js';
import { readPkcs12 } from '../../src/pki/pkcs12.js';
import { PKCS12_ITERATIONS, writePkcs12, writeTrustStore } from '../../src/pki/pkcs12-write.js';
import { certificatePem, keyPem, temporaryDirectory, testCa, testLeaf } from '../support/material.js';
import { needs } from '../support/programs.js';
import { openssl } from './other-tools.js';
import { bagOf, certificateBag, dataInfo, keyBag, pfxOf, plainPfx, withoutMac } from './pfx.js';

const ca = testCa();
const leaf = testLeaf(ca);
const few = { certificates: [leaf.certificate, ca.certificate], key: leaf.key, passphrase: 'pass', iterations: 10 };

const fails = (code: ErrorCode, der: Buffer, passphrase = 'pass', message = /./): void =>
  assert.throws(
    () => readPkcs12(der, passphrase, 'api.p12'),
    (error) => {
      assert.ok(isError(error, code), String(error));
      assert.match(error.message, /api\.p12/);
      assert.match(error.message, message);
      return true;
    },
  );

function holdsAll(der: Buffer, passphrase: string, names?: readonly string[]): void {
  const found = readPkcs12(der, passphrase, 'api.p12');
  assert.deepEqual(
    found.certificates.map((certificate) => certificate.serial),
    [leaf, ca].map(({ certificate }) => certificate.serial),
  );
  assert.equal(found.keys.length, 1);
  assert.ok(isKeyOf(found.keys[0]!, leaf.certificate.publicKey));
  assert.deepEqual(found.friendlyNames, names);
}

describe('PKCS#12', () => {
  it('is read as it was written', () => {
    holdsAll(writePkcs12({ ...few, friendlyName: 'Dienst äöü €' }), 'pass', ['Dienst äöü €']);
    holdsAll(writePkcs12(few), 'pass');
    for (const passphrase of ['', 'pässwörd €', '💡', 'x'.repeat(200)]) holdsAll(writePkcs12({ ...few, passphrase }), passphrase);
  });

  it('costs whoever guesses the passphrase as much as we promise, on all three ways in', () => {
    const { iterations: _, ...asShipped } = few;
    // INTEGER 600,000; none of the three counts is inside of anything encrypted
    const count = Buffer.from('02030927c0', 'hex').toString('latin1');
    assert.equal(PKCS12_ITERATIONS, 600_000);
    assert.equal(writePkcs12(asShipped).toString('latin1').split(count).length - 1, 3);
  });

  it('is read at that cost too, and says that a passphrase is wrong, or that none was given', () => {
    const { iterations: _, ...asShipped } = few;
    const der = writePkcs12(asShipped);
    holdsAll(der, 'pass');
    fails('PASSPHRASE_WRONG', der, 'other');
    fails('PASSPHRASE_WRONG', der, '');
  });

  it('is read as it was written for old readers, with triple DES and SHA-1', () => {
    const { iterations: _, ...asShipped } = few;
    const der = writePkcs12({ ...asShipped, legacy: true, friendlyName: 'api' });
    holdsAll(der, 'pass', ['api']);
    holdsAll(withoutMac(der), 'pass', ['api']);
    fails('PASSPHRASE_WRONG', der, 'other');
    // INTEGER 50,000, and neither AES nor SHA-256
    assert.equal(der.toString('latin1').split(Buffer.from('020300c350', 'hex').toString('latin1')).length - 1, 3);
    for (const id of [PKCS12_OID.pbes2, PKCS12_OID.hmacWithSha256]) assert.equal(der.includes(toDer(oid(id))), false);
  });

  it('holds CAs to be trusted and no key, each under a name of its own', () => {
    const other = testCa();
    const trusted = [ca, other, testCa({ name: 'TEST ROOT' }), testCa({ name: 'else' })].map(({ certificate }) => certificate);
    const found = readPkcs12(writeTrustStore({ trusted, passphrase: 'pass', iterations: 10 }), 'pass', 'x');
    assert.deepEqual(
      found.certificates.map(({ serial }) => serial),
      trusted.map(({ serial }) => serial),
    );
    assert.deepEqual(found.keys, []);
    assert.deepEqual(found.friendlyNames, ['test root', 'test root (2)', 'TEST ROOT (3)', 'else']);
  });

  it('says that a passphrase is wrong, with a MAC and without', () => {
    const der = writePkcs12(few);
    for (const passphrase of ['Pass', '', 'pass ']) {
      fails('PASSPHRASE_WRONG', der, passphrase);
      fails('PASSPHRASE_WRONG', withoutMac(der), passphrase);
    }
    holdsAll(withoutMac(der), 'pass');
  });

  it('does not open what was changed by one bit under its MAC', () => {
    const der = writePkcs12(few);
    const changed = Buffer.from(der);
    changed[der.length >> 1]! ^= 1;
    fails('PASSPHRASE_WRONG', changed);
  });

  it('reads what nothing protects, bags within bags, and passes over kinds that it does not know', () => {
    const nested = bagOf(PKCS12_OID.safeContentsBag, sequence(certificateBag(ca.certificate)));
    const secret = bagOf('1.2.840.113549.1.12.10.1.5', sequence(oid('1.2.3'), explicit(0, octetString(Buffer.from('x')))));
    const sdsi = bagOf(PKCS12_OID.certificateBag, sequence(oid('1.2.840.113549.1.9.22.2'), explicit(0, utf8('x'))));
    holdsAll(plainPfx(secret, sdsi, certificateBag(leaf.certificate), keyBag(leaf.key), nested), 'whatever');
  });

  it('keeps each friendly name once', () => {
    const attribute = (type: string, value: string) => sequence(oid(type), set(bmpString(value)));
    const attributes = set(attribute(PKCS12_OID.friendlyName, 'api'), attribute('1.2.3', 'not a name'));
    const certificate = sequence(oid(PKCS12_OID.x509Certificate), explicit(0, octetString(ca.certificate.der)));
    const bag = bagOf(PKCS12_OID.certificateBag, certificate, attributes);
    assert.deepEqual(readPkcs12(plainPfx(bag, bag), '', 'x').friendlyNames, ['api']);
  });

  it('says what is wrong with the form', () => {
    const bags = certificateBag(leaf.certificate);
    fails('PKCS12_MALFORMED', Buffer.from('3080', 'hex'), '', /truncated/);
    fails('PKCS12_MALFORMED', toDer(sequence(integer(2), dataInfo(toDer(sequence())))), '', /version 3/);
    fails('PKCS12_MALFORMED', Buffer.concat([plainPfx(bags), Buffer.from([0])]), '', /trailing bytes/);
    const broken = sequence(oid(PKCS12_OID.x509Certificate), explicit(0, octetString(Buffer.from('3000', 'hex'))));
    fails('PKCS12_MALFORMED', plainPfx(bagOf(PKCS12_OID.certificateBag, broken)), '', /not a certificate/);
    fails('PKCS12_MALFORMED', plainPfx(bagOf(PKCS12_OID.keyBag, sequence(integer(0)))), '', /private key/);
    const unnamed = sequence(oid(PKCS12_OID.friendlyName), set(integer(1)));
    fails('PKCS12_MALFORMED', plainPfx(bagOf('1.2.3', integer(1), set(unnamed))), '', /friendlyName/);
  });

  it('does not follow bags deeper than anybody nests them', () => {
    let bag = certificateBag(leaf.certificate);
    for (let depth = 0; depth < 3; depth++) bag = bagOf(PKCS12_OID.safeContentsBag, sequence(bag));
    assert.equal(readPkcs12(plainPfx(bag), '', 'x').certificates.length, 1);
    fails('PKCS12_MALFORMED', plainPfx(bagOf(PKCS12_OID.safeContentsBag, sequence(bag))), '', /deeper/);
  });

  it('reads no more private keys than take no time', () => {
    const bags = (count: number) => Array.from({ length: count }, () => keyBag(leaf.key));
    assert.equal(readPkcs12(plainPfx(...bags(500)), '', 'x').keys.length, 500);
    fails('PKCS12_MALFORMED', plainPfx(...bags(501)), '', /more than 500 private keys/);
  });

  it('says which protection it does not support', () => {
    const signed = toDer(sequence(integer(3), sequence(oid('1.2.840.113549.1.7.2'), explicit(0, sequence()))));
    fails('PKCS12_UNSUPPORTED', signed, '', /public key/);
    fails('PKCS12_UNSUPPORTED', pfxOf(sequence(oid('1.2.840.113549.1.7.3'), explicit(0, sequence()))), '', /1\.7\.3/);
    const parameters = sequence(octetString(Buffer.alloc(8)), integer(1));
    fails('PKCS12_UNSUPPORTED', encrypted(sequence(oid('1.2.840.113549.1.12.1.6'), parameters)), '', /rc2-40-cbc/);
    fails('PKCS12_UNSUPPORTED', encrypted(sequence(oid('1.2.840.113549.1.5.3'), parameters)), '', /1\.5\.3/);
    fails('PKCS12_UNSUPPORTED', encrypted(pbes2({ derivation: '1.3.6.1.4.1.11591.4.12' })), '', /11591/);
    fails('PKCS12_UNSUPPORTED', encrypted(pbes2({ cipher: '2.16.840.1.101.3.4.1.46' })), '', /1\.46/);
    fails('PKCS12_UNSUPPORTED', encrypted(pbes2({ prf: '1.2.840.113549.2.6' })), '', /2\.6/);
  });

  it('works no longer than its budget, whoever asks', () => {
    const start = performance.now();
    fails('PKCS12_MALFORMED', encrypted(pbes2({ iterations: 0x7fffffff })), '', /iterations/);
    const parameters = sequence(octetString(Buffer.alloc(8)), integer(2_000_000));
    fails('PKCS12_MALFORMED', encrypted(sequence(oid('1.2.840.113549.1.12.1.3'), parameters)), '', /iterations/);
    fails('PKCS12_MALFORMED', macked({ iterations: 2_000_000_000 }), '', /iterations/);
    fails('PKCS12_MALFORMED', encrypted(pbes2({ iterations: 0 })), '', /an iteration/);
    fails('PKCS12_MALFORMED', encrypted(pbes2({ keyLength: 16 })), '', /key length of 32/);
    fails('PKCS12_MALFORMED', encrypted(pbes2({ iv: 8 })), '', /IV of 16/);
    assert.ok(performance.now() - start < 500);
  });

  it('reads PBES2 with a key length, and with the default pseudo-random function', () => {
    const safe = toDer(sequence(certificateBag(leaf.certificate)));
    const key = pbkdf2Sync('pass', Buffer.alloc(8), 7, 32, 'sha1');
    const cipher = createCipheriv('aes-256-cbc', key, Buffer.alloc(16));
    const data = Buffer.concat([cipher.update(safe), cipher.final()]);
    const der = encrypted(pbes2({ iterations: 7, prf: null, keyLength: 32 }), data);
    assert.equal(readPkcs12(der, 'pass', 'x').certificates[0]?.serial, leaf.certificate.serial);
  });

  it('takes an empty passphrase in both of its readings', () => {
    for (const bytes of [Buffer.alloc(0), Buffer.alloc(2)]) {
      const derive = { purpose: 3, salt: Buffer.alloc(8, 5), iterations: 4, length: 20 };
      const key = pkcs12Key({ name: 'sha1', length: 20, block: 64 }, bytes, derive);
      assert.equal(readPkcs12(macked({ iterations: 4, key }), '', 'x').certificates.length, 1);
      fails('PASSPHRASE_WRONG', macked({ iterations: 4, key }), ' ');
    }
  });

  it('derives the keys of RFC 7292 appendix B as other implementations do', () => {
    // the test vectors of Bouncy Castle and node-forge for SHA-1, purposes 1 to 3
    const derive = (purpose: number, salt: string, iterations: number, length: number): string =>
      pkcs12Key({ name: 'sha1', length: 20, block: 64 }, bmpPassphrase('smeg'), {
        purpose,
        salt: Buffer.from(salt, 'hex'),
        iterations,
        length,
      }).toString('hex');
    assert.equal(derive(1, '0a58cf64530d823f', 1, 24), '8aaae6297b6cb04642ab5b077851284eb7128f1a2a7fbca3');
    assert.equal(derive(2, '0a58cf64530d823f', 1, 8), '79993dfe048d3b76');
    assert.equal(derive(3, '3d83c0e4546ac140', 1, 20), '8d967d88f6caa9d714800ab3d48051d63f73a312');
  });

  it('checks PBMAC1 (RFC 9579)', () => {
    const der = pbmac1('pass');
    assert.equal(readPkcs12(der, 'pass', 'x').certificates.length, 1);
    fails('PASSPHRASE_WRONG', der, 'other');
    fails('PKCS12_UNSUPPORTED', pbmac1('pass', '1.2.840.113549.2.6'), 'pass', /the MAC/);
    fails('PKCS12_UNSUPPORTED', macked({ iterations: 1, digest: '1.2.840.113549.2.5' }), 'pass', /the MAC digest/);
    fails('PKCS12_MALFORMED', pbmac1('pass', undefined, null), 'pass', /key length/);
  });
});

describe('PKCS#12 and openssl', function () {
  const directory = temporaryDirectory();
  before(needs('openssl'));
  after(directory.remove);

  it('reads ours', () => {
    const path = directory.file('ours.p12', writePkcs12({ ...few, passphrase: 'pässwörd', friendlyName: 'api ä' }));
    const text = openssl(['pkcs12', '-in', path, '-nodes', '-passin', 'pass:pässwörd']);
    assert.match(text, /friendlyName: api/);
    assert.equal(text.match(/BEGIN CERTIFICATE/g)?.length, 2);
    assert.equal(text.match(/BEGIN PRIVATE KEY/g)?.length, 1);
    assert.throws(() => openssl(['pkcs12', '-in', path, '-nodes', '-passin', 'pass:other']), /invalid password/);
  });

  const shapes: Readonly<Record<string, readonly string[]>> = {
    'with its defaults': [],
    'with PBE-SHA1-3DES': ['-keypbe', 'PBE-SHA1-3DES', '-certpbe', 'PBE-SHA1-3DES', '-macalg', 'sha1'],
    'with two-key 3DES': ['-keypbe', 'PBE-SHA1-2DES', '-certpbe', 'PBE-SHA1-2DES', '-macalg', 'sha1'],
    'with AES-128 and SHA-512': ['-keypbe', 'AES-128-CBC', '-certpbe', 'AES-192-CBC', '-macalg', 'sha512'],
    'with SHA-384': ['-macalg', 'sha384', '-iter', '5000'],
    unencrypted: ['-keypbe', 'NONE', '-certpbe', 'NONE'],
    'without a MAC': ['-nomac'],
    'with one iteration': ['-noiter', '-nomaciter'],
  };
  for (const [shape, options] of Object.entries(shapes)) {
    for (const passphrase of ['pässwörd', '']) {
      it(`is read ${shape}, ${passphrase === '' ? 'empty passphrase' : 'passphrase'}`, () => {
        const input = ['-in', leafFile(), '-inkey', keyFile(), '-certfile', caFile(), '-name', 'api ä'];
        const out = join(directory.path, 'theirs.p12');
        openssl(['pkcs12', '-export', ...input, '-passout', `pass:${passphrase}`, '-out', out, ...options]);
        holdsAll(readFileSync(out), passphrase, ['api ä']);
        if (shape !== 'unencrypted' || passphrase === '') return;
        fails('PASSPHRASE_WRONG', readFileSync(out), 'other');
      });
    }
  }

  it('with -legacy is refused for its RC2, by name', function () {
    const out = join(directory.path, 'legacy.p12');
    try {
      openssl(['pkcs12', '-export', '-legacy', '-in', leafFile(), '-inkey', keyFile(), '-passout', 'pass:pass', '-out', out]);
    } catch {
      this.test!.title += ' (this openssl has no legacy provider)';
      this.skip();
    }
    fails('PKCS12_UNSUPPORTED', readFileSync(out), 'pass', /rc2-40-cbc/);
  });

  const leafFile = (): string => directory.file('leaf.pem', certificatePem(leaf.certificate));
  const caFile = (): string => directory.file('ca.pem', certificatePem(ca.certificate));
  const keyFile = (): string => directory.file('key.pem', keyPem(leaf.key));
});

describe('PKCS#12 and keytool', function () {
  this.timeout(30_000);
  const directory = temporaryDirectory();
  const keytool = (args: readonly string[]): string =>
    execFileSync('keytool', [...args, '-storetype', 'PKCS12', '-storepass', 'changeit'], { encoding: 'utf8', stdio: 'pipe' });
  before(needs('keytool'));
  after(directory.remove);

  it('reads ours, and we read what it makes', () => {
    const ours = directory.file('ours.p12', writePkcs12({ ...few, passphrase: 'changeit', friendlyName: 'api' }));
    const fingerprint = createHash('sha256')
      .update(leaf.certificate.der)
      .digest('hex')
      .toUpperCase()
      .replace(/..(?=.)/g, '$&:');
    const listed = keytool(['-list', '-v', '-keystore', ours]);
    assert.match(listed, /Alias name: api[\s\S]*PrivateKeyEntry[\s\S]*chain length: 2/);
    assert.ok(listed.includes(fingerprint));

    const theirs = join(directory.path, 'theirs.p12');
    keytool(['-genkeypair', '-keyalg', 'EC', '-alias', 'web', '-dname', 'CN=web', '-keystore', theirs]);
    const found = readPkcs12(readFileSync(theirs), 'changeit', 'theirs.p12');
    assert.ok(isKeyOf(found.keys[0]!, found.certificates[0]!.publicKey));
    assert.deepEqual(found.friendlyNames, ['web']);
    fails('PASSPHRASE_WRONG', readFileSync(theirs), 'other');
  });
});

function pbes2(change: {
  readonly derivation?: string;
  readonly cipher?: string;
  readonly prf?: string | null;
  readonly iterations?: number;
  readonly keyLength?: number;
  readonly iv?: number;
}) {
  const {
    derivation = PKCS12_OID.pbkdf2,
    cipher = PKCS12_OID.aes256Cbc,
    prf = PKCS12_OID.hmacWithSha256,
    iterations = 1,
    iv = 16,
  } = change;
  const parameters = sequence(
    octetString(Buffer.alloc(8)),
    integer(iterations),
    ...(change.keyLength === undefined ? [] : [integer(change.keyLength)]),
    ...(prf === null ? [] : [algorithm(prf, true)]),
  );
  return sequence(
    oid(PKCS12_OID.pbes2),
    sequence(sequence(oid(derivation), parameters), sequence(oid(cipher), octetString(Buffer.alloc(iv)))),
  );
}

function encrypted(scheme: ReturnType<typeof sequence>, data = Buffer.alloc(16)): Buffer {
  const info = sequence(oid(PKCS12_OID.data), scheme, implicit(0, data));
  return pfxOf(sequence(oid(PKCS12_OID.encryptedData), explicit(0, sequence(integer(0), info))));
}

/** An unencrypted file with a MAC of the old kind, by `key`. */
function macked(change: { readonly iterations: number; readonly key?: Buffer; readonly digest?: string }): Buffer {
  const safe = toDer(sequence(dataInfo(toDer(sequence(certificateBag(leaf.certificate))))));
  const mac = createHmac('sha1', change.key ?? 'x')
    .update(safe)
    .digest();
  const info = sequence(algorithm(change.digest ?? '1.3.14.3.2.26', true), octetString(mac));
  return toDer(sequence(integer(3), dataInfo(safe), sequence(info, octetString(Buffer.alloc(8, 5)), integer(change.iterations))));
}

function pbmac1(passphrase: string, scheme: string = PKCS12_OID.hmacWithSha256, keyLength: number | null = 32): Buffer {
  const safe = toDer(sequence(dataInfo(toDer(sequence(certificateBag(leaf.certificate))))));
  const salt = Buffer.alloc(8, 9);
  const mac = createHmac('sha256', pbkdf2Sync(passphrase, salt, 5, 32, 'sha256'))
    .update(safe)
    .digest();
  const derivation = sequence(
    octetString(salt),
    integer(5),
    ...(keyLength === null ? [] : [integer(keyLength)]),
    algorithm(PKCS12_OID.hmacWithSha256, true),
  );
  const parameters = sequence(sequence(oid(PKCS12_OID.pbkdf2), derivation), algorithm(scheme, true));
  const info = sequence(sequence(oid(PKCS12_OID.pbmac1), parameters), octetString(mac));
  return element(TAG.sequence, [
    toDer(integer(3)),
    toDer(dataInfo(safe)),
    // RFC 9579 §4: salt and iterations of MacData are not used
    toDer(sequence(info, embed(Buffer.from('0400', 'hex')))),
  ]);
}
