import assert from 'node:assert/strict';
import { X509Certificate, createHash } from 'node:crypto';
import { isError } from '../../src/errors.js';
import { fingerprint, isSelfIssued, isSelfSigned, isSignedBy, namesIssuer, readCertificate } from '../../src/pki/certificate.js';
import { TAG, context, contextConstructed } from '../../src/pki/der.js';
import {
  type Node,
  algorithm,
  bitString,
  boolean,
  element,
  embed,
  explicit,
  extension,
  implicit,
  integer,
  name,
  namedBits,
  octetString,
  oid,
  sequence,
  set,
  time,
  toDer,
  utf8,
} from '../../src/pki/encode.js';
import { generateKey, keyIdentifier, publicKeyInfo } from '../../src/pki/key.js';
import { crlUris } from '../../src/pki/distribution-points.js';
import { type Name, valuesOf } from '../../src/pki/name.js';
import { OID } from '../../src/pki/oids.js';
import { signCertificate } from '../../src/pki/sign.js';
import { testCa, testLeaf } from '../support/material.js';

const key = generateKey('ed25519');
const NAME = name([[OID.commonName, 'x']]);
const FROM = time(new Date('2024-01-01T00:00:00Z'));
const UNTIL = time(new Date('2044-01-01T00:00:00Z'));

interface Parts {
  readonly version?: Node | null;
  readonly serial?: Node;
  readonly validity?: Node;
  readonly spki?: Node;
  readonly subject?: Node;
  readonly uniqueIds?: readonly Node[];
  readonly extensions?: readonly Node[] | null;
  readonly behind?: readonly Node[];
}

/** A certificate out of parts, with a signature that is none: for what the reader says of its form. */
function built(parts: Parts): Buffer {
  const { version = explicit(0, integer(2)), serial = integer(1), validity = sequence(FROM, UNTIL), subject = NAME } = parts;
  const { spki = embed(publicKeyInfo(key).der), uniqueIds = [], extensions = null, behind = [] } = parts;
  const ed25519 = algorithm(OID.ed25519, false);
  const tbs = sequence(
    ...(version === null ? [] : [version]),
    serial,
    ed25519,
    NAME,
    validity,
    subject,
    spki,
    ...uniqueIds,
    ...(extensions === null ? [] : [explicit(3, sequence(...extensions))]),
    ...behind,
  );
  return toDer(sequence(tbs, ed25519, bitString(Buffer.alloc(64))));
}

const withExtension = (type: string, value: Node): Buffer => built({ extensions: [extension(type, false, value)] });

const malformed = (der: Buffer, problem: RegExp): void =>
  assert.throws(
    () => readCertificate(der),
    (error) => {
      assert.ok(isError(error, 'CERTIFICATE_MALFORMED'), String(error));
      assert.match(error.message, problem);
      return true;
    },
  );

describe('readCertificate', () => {
  it('reads the version, and what needs which', () => {
    assert.equal(readCertificate(built({ version: null })).version, 1);
    assert.equal(readCertificate(built({ version: explicit(0, integer(1)) })).version, 2);
    assert.equal(readCertificate(built({})).version, 3);
    const usage = [extension(OID.keyUsage, true, namedBits([0]))];
    const ids = [implicit(1, Buffer.from([0, 1])), implicit(2, Buffer.from([0, 1]))];
    malformed(built({ version: null, extensions: usage }), /extensions need version 3/);
    malformed(built({ version: explicit(0, integer(1)), extensions: usage }), /extensions need version 3/);
    malformed(built({ version: null, uniqueIds: ids }), /unique identifiers need version 2/);
    assert.equal(readCertificate(built({ version: explicit(0, integer(1)), uniqueIds: ids })).version, 2);
    assert.equal(readCertificate(built({ uniqueIds: ids, extensions: usage })).extensions.length, 1);
    malformed(built({ uniqueIds: ids.toReversed() }), /trailing bytes/);
    malformed(built({ version: explicit(0, integer(0)) }), /default value encoded at byte \d+ \(version 1\)/);
    malformed(built({ version: explicit(0, integer(3)) }), /version 4/);
  });

  it('takes any INTEGER for a serial number: what it may be is for lint to say', () => {
    const serial = (hex: string): string =>
      readCertificate(built({ serial: embed(element(TAG.integer, [Buffer.from(hex, 'hex')])) })).serial;
    for (const hex of ['00', '01', 'ff', '80', '00ff', '7f'.repeat(30)]) assert.equal(serial(hex), hex);
    assert.throws(() => serial('0001'), /integer not minimal/);
    assert.throws(() => serial(''), /empty integer/);
  });

  it('refuses the same extension twice, an empty list, and what is behind the list', () => {
    const usage = extension(OID.keyUsage, true, namedBits([0]));
    malformed(built({ extensions: [usage, usage] }), /extension keyUsage a second time/);
    malformed(built({ extensions: [] }), /missing element at byte \d+ \(an extension\)/);
    malformed(built({ behind: [octetString(Buffer.alloc(1))] }), /trailing bytes/);
    malformed(Buffer.concat([built({}), Buffer.from([0])]), /trailing bytes at byte \d+/);
    const explicitFalse = sequence(oid(OID.keyUsage), boolean(false), octetString(toDer(namedBits([0]))));
    malformed(built({ extensions: [explicitFalse] }), /default value encoded/);
  });

  it('keeps an extension that it does not know as it is', () => {
    const [unknown] = readCertificate(built({ extensions: [extension('1.2.3.4', true, utf8('?'))] })).extensions;
    assert.deepEqual([unknown?.oid, unknown?.critical, unknown?.value.toString('hex')], ['1.2.3.4', true, '0c013f']);
  });

  it('reads basic constraints, a path length without a CA included', () => {
    const read = (value: Node): unknown => readCertificate(withExtension(OID.basicConstraints, value)).basicConstraints;
    assert.deepEqual(read(sequence()), { ca: false, pathLength: undefined });
    assert.deepEqual(read(sequence(boolean(true))), { ca: true, pathLength: undefined });
    assert.deepEqual(read(sequence(boolean(true), integer(0))), { ca: true, pathLength: 0 });
    assert.deepEqual(read(sequence(integer(5))), { ca: false, pathLength: 5 });
    const refused = (value: Node, problem: RegExp): void => malformed(withExtension(OID.basicConstraints, value), problem);
    refused(sequence(boolean(false)), /default value encoded.*in the value of basicConstraints/);
    refused(sequence(boolean(true), embed(Buffer.from('0201ff', 'hex'))), /negative integer/);
    refused(sequence(boolean(true), integer(0), integer(0)), /trailing bytes/);
  });

  it('reads key usage, without any bit too', () => {
    const read = (value: Node): unknown => readCertificate(withExtension(OID.keyUsage, value)).keyUsage;
    assert.deepEqual(read(namedBits([0, 5, 6])), ['digitalSignature', 'keyCertSign', 'cRLSign']);
    assert.deepEqual(read(namedBits([8])), ['decipherOnly']);
    assert.deepEqual(read(namedBits([])), []);
    assert.deepEqual(read(namedBits([0, 12])), ['digitalSignature'], 'a bit without a name');
    malformed(withExtension(OID.keyUsage, embed(Buffer.from('030201a1', 'hex'))), /bad unused bits.*keyUsage/);
  });

  it('reads the other extensions, and refuses them empty', () => {
    const purposes = withExtension(OID.extendedKeyUsage, sequence(oid(OID.serverAuth), oid('1.2.3')));
    assert.deepEqual(readCertificate(purposes).extendedKeyUsage, [OID.serverAuth, '1.2.3']);
    malformed(withExtension(OID.extendedKeyUsage, sequence()), /a key purpose.*extendedKeyUsage/);
    malformed(withExtension(OID.subjectAltName, sequence()), /a general name.*subjectAltName/);
    malformed(withExtension(OID.crlDistributionPoints, sequence()), /a distribution point/);
    malformed(withExtension(OID.subjectKeyIdentifier, integer(1)), /unexpected tag.*subjectKeyIdentifier/);
    assert.equal(readCertificate(withExtension(OID.subjectKeyIdentifier, octetString(Buffer.from([1, 2])))).subjectKeyId, '0102');
  });

  it('reads authority key identifiers with a key, with a name and serial, and with nothing', () => {
    const read = (...fields: readonly Node[]): unknown =>
      readCertificate(withExtension(OID.authorityKeyIdentifier, sequence(...fields))).authorityKeyId;
    const issuer = embed(element(contextConstructed(1), [element(contextConstructed(4), [toDer(NAME)])]));
    assert.equal(read(implicit(0, Buffer.from([7]))), '07');
    assert.equal(read(issuer, implicit(2, Buffer.from([1]))), undefined);
    assert.equal(read(implicit(0, Buffer.from([7])), issuer, implicit(2, Buffer.from([1]))), '07');
    assert.equal(read(), undefined);
  });

  it('reads the URIs of distribution points, and the form of the rest', () => {
    const uri = element(context(6), [Buffer.from('http://crl.test/a')]);
    const full = element(contextConstructed(0), [element(contextConstructed(0), [uri])]);
    const relative = element(contextConstructed(0), [element(contextConstructed(1), [toDer(sequence(oid(OID.commonName), utf8('x')))])]);
    const reasons = element(context(1), [Buffer.from([1, 6])]);
    const issuer = element(contextConstructed(2), [element(contextConstructed(4), [toDer(NAME)])]);
    const read = (...points: readonly Buffer[]): readonly string[] => {
      const list = embed(element(TAG.sequence, points));
      return crlUris(readCertificate(withExtension(OID.crlDistributionPoints, list)).crlDistributionPoints);
    };
    const point = (...fields: readonly Buffer[]): Buffer => element(TAG.sequence, fields);
    assert.deepEqual(read(point(full), point(full, reasons, issuer), point(relative), point(issuer)), Array(2).fill('http://crl.test/a'));
    assert.throws(() => read(point(full, full)), /trailing bytes/);
    assert.throws(() => read(point(element(contextConstructed(0), []))), /missing element/);
  });

  it('keeps names of every kind, and refuses one in the wrong form', () => {
    const read = (...names: readonly Buffer[]): unknown =>
      readCertificate(withExtension(OID.subjectAltName, embed(element(TAG.sequence, names)))).subjectAltName;
    const other = element(contextConstructed(0), [toDer(oid('1.2.3')), element(contextConstructed(0), [toDer(utf8('x'))])]);
    const directory = element(contextConstructed(4), [toDer(NAME)]);
    const found = read(
      other,
      element(context(1), [Buffer.from('a@b.test')]),
      element(context(2), [Buffer.from('b.test')]),
      element(contextConstructed(3), [toDer(sequence())]),
      directory,
      element(contextConstructed(5), [toDer(sequence())]),
      element(context(6), [Buffer.from('urn:x')]),
      element(context(7), [Buffer.from([10, 0, 0, 1])]),
      element(context(8), [Buffer.from([42, 3])]),
      element(context(9), []),
      element(contextConstructed(30), []),
    ) as Record<string, unknown[]>;
    assert.deepEqual(found['other'], [0, 3, 5, 8, 9, 30]);
    assert.deepEqual([found['email'], found['dns'], found['uri'], found['ip']], [['a@b.test'], ['b.test'], ['urn:x'], ['10.0.0.1']]);
    assert.deepEqual(valuesOf((found['directory'] as Name[])[0]!, OID.commonName), ['x']);
    assert.deepEqual(found['otherName'], [{ type: '1.2.3', value: toDer(utf8('x')) }]);
    // a constructed dNSName is BER, a primitive directoryName nothing at all
    for (const tag of [contextConstructed(1), contextConstructed(2), contextConstructed(7), context(0), context(4), TAG.ia5String])
      assert.throws(() => read(element(tag, [])), /unexpected tag at byte \d+ \(a general name, in the value of subjectAltName\)/);
  });

  it('refuses BER where it could hide', () => {
    const plain = built({});
    assert.equal(readCertificate(plain).version, 3);
    const long = Buffer.concat([Buffer.from([0x30, 0x83, 0]), plain.subarray(2)]);
    malformed(long, /length not minimal at byte 0/);
    malformed(built({ validity: sequence(FROM, UNTIL, UNTIL) }), /trailing bytes/);
    malformed(built({ validity: sequence(FROM) }), /missing element|truncated/);
    const second = embed(element(TAG.utcTime, [Buffer.from('2401010000Z')]));
    malformed(built({ validity: sequence(second, UNTIL) }), /malformed time/);
    malformed(built({ subject: sequence(set()) }), /a relative distinguished name/);
  });

  it('reads a view of a larger array as it reads a Buffer', () => {
    const der = built({});
    const larger = new Uint8Array(der.length + 10).fill(0xff);
    larger.set(der, 5);
    const certificate = readCertificate(larger.subarray(5, 5 + der.length));
    assert.ok(certificate.der.equals(der));
    assert.equal(fingerprint(certificate), createHash('sha256').update(der).digest('hex'));
  });
});

describe('public keys', () => {
  const spki = (type: Node, bits: Buffer): Buffer => built({ spki: sequence(type, bitString(bits)) });
  const read = (type: Node, bits: Buffer = Buffer.from([1])): unknown => {
    const { type: found, bits: size, curve } = readCertificate(spki(type, bits)).publicKey;
    return [found, size, curve];
  };

  it('of types and curves that we do not know are values', () => {
    assert.deepEqual(read(algorithm('1.2.3', true)), ['unknown', 0, undefined]);
    assert.deepEqual(read(sequence(oid(OID.ecPublicKey), oid('1.3.132.0.10'))), ['EC', 256, 'secp256k1']);
    assert.deepEqual(read(sequence(oid(OID.ecPublicKey), oid('1.2.3'))), ['EC', 0, '1.2.3']);
    assert.deepEqual(read(algorithm(OID.ecPublicKey, true)), ['EC', 0, undefined], 'implicitCurve');
    assert.deepEqual(read(algorithm(OID.dsa, false)), ['DSA', 0, undefined], 'inherited parameters');
    assert.deepEqual(read(algorithm(OID.ed448, false)), ['Ed448', 456, undefined]);
    const binary = sequence(integer(1), sequence(oid('1.2.840.10045.1.2'), sequence()));
    assert.deepEqual(read(sequence(oid(OID.ecPublicKey), binary)), ['EC', 0, undefined], 'a curve over a binary field');
  });

  it('of RSA must be what RFC 8017 says', () => {
    const rsa = algorithm(OID.rsaEncryption, true);
    const modulus = Buffer.concat([Buffer.from([0x7f]), Buffer.alloc(127, 1)]);
    assert.deepEqual(read(rsa, toDer(sequence(integer(modulus), integer(65_537)))), ['RSA', 1023, undefined]);
    assert.throws(() => read(rsa, toDer(sequence(integer(modulus)))), /missing element/);
    assert.throws(() => read(rsa, toDer(sequence(integer(modulus), integer(3), integer(3)))), /trailing bytes/);
    assert.throws(() => read(rsa, Buffer.from([1])), /unexpected tag/);
  });
});

describe('issuers', () => {
  const ca = testCa();
  const other = testCa();
  const leaf = testLeaf(ca).certificate;

  it('are found by name and key identifier, and proven by the signature', () => {
    assert.equal(namesIssuer(leaf, ca.certificate), true);
    assert.equal(namesIssuer(leaf, other.certificate), false, 'the same name, another key identifier');
    assert.equal(namesIssuer(leaf, leaf), false);
    assert.equal(isSignedBy(leaf, ca.certificate), 'valid');
    assert.equal(isSignedBy(leaf, other.certificate), 'invalid');
    assert.equal(isSignedBy(leaf, testCa({ keyType: 'rsa-2048' }).certificate), 'unsupported');
  });

  it('may be the certificate itself', () => {
    assert.equal(isSelfIssued(ca.certificate), true);
    assert.equal(isSelfSigned(ca.certificate), true);
    assert.equal(isSelfIssued(leaf), false);
    const crossed = testCa({ issuer: ca });
    assert.equal(isSelfIssued(crossed.certificate), true, 'the same name');
    assert.equal(isSelfSigned(crossed.certificate), false, 'signed by another');
    const [first, second] = [ca.certificate.der, leaf.der].map((der) => new X509Certificate(der));
    assert.equal(second!.checkIssued(first!), true);
  });
});

describe('signCertificate', () => {
  const template = {
    subject: [[OID.commonName, 'x']] as const,
    publicKey: publicKeyInfo(key),
    notBefore: new Date('2049-12-31T23:59:59Z'),
    notAfter: new Date('2050-01-01T00:00:00Z'),
    keyUsage: [],
  };

  it('leaves out lists that would be empty, and marks the names of a nameless subject critical', () => {
    const bare = signCertificate({ ...template, names: { dns: [], ip: [], uri: [] } }, { key });
    assert.deepEqual(
      bare.extensions.map((one) => one.oid),
      [OID.basicConstraints, OID.subjectKeyIdentifier, OID.authorityKeyIdentifier],
    );
    assert.equal(bare.subjectKeyId, keyIdentifier(template.publicKey).toString('hex'));
    const nameless = signCertificate({ ...template, subject: [], names: { dns: ['x.test'], ip: [], uri: [] } }, { key });
    assert.equal(nameless.extensions.find((one) => one.oid === OID.subjectAltName)?.critical, true);
  });

  it('writes dates on both sides of 2050 as RFC 5280 has them', () => {
    const { notBefore, notAfter, tbs } = signCertificate(template, { key });
    assert.deepEqual([notBefore, notAfter], [template.notBefore.getTime(), template.notAfter.getTime()]);
    assert.ok(tbs.includes(Buffer.from('\x17\x0d491231235959Z')));
    assert.ok(tbs.includes(Buffer.from('\x18\x0f20500101000000Z')));
  });

  it('never gives the same serial number twice, nor one that is not positive or above 20 octets', () => {
    const serials = new Set(Array.from({ length: 500 }, () => signCertificate(template, { key }).serial));
    assert.equal(serials.size, 500);
    for (const serial of serials)
      assert.ok(Number.parseInt(serial.slice(0, 2), 16) < 0x80 && serial.length <= 40 && BigInt(`0x${serial}`) > 0n);
  });

  it('keeps the name of the issuer octet for octet', () => {
    const ca = testCa();
    assert.ok(testLeaf(ca).certificate.issuer.der.equals(ca.certificate.subject.der));
  });

  it('leaves out the key identifier of an issuer that has none', () => {
    const der = built({});
    const issuer = { certificate: readCertificate(der), key };
    const signed = signCertificate(template, issuer);
    assert.equal(signed.authorityKeyId, undefined);
    assert.equal(isSignedBy(signed, issuer.certificate), 'valid');
  });
});
