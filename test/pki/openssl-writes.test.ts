import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isError } from '../../src/errors.js';
import { signatureName, verifySignature } from '../../src/pki/algorithms.js';
import { type Certificate, isSelfSigned, isSignedBy, readCertificate } from '../../src/pki/certificate.js';
import { countRevoked, findRevoked, readCrl, revokedEntries } from '../../src/pki/crl.js';
import { provesPossession } from '../../src/pki/csr.js';
import { readPrivateKey } from '../../src/pki/key.js';
import { certificatesIn, crlsIn, csrIn } from '../../src/pki/material.js';
import { valuesOf } from '../../src/pki/name.js';
import { crlUris } from '../../src/pki/distribution-points.js';
import { OID } from '../../src/pki/oids.js';
import { certificatePem, temporaryDirectory, testCa, testLeaf } from '../support/material.js';
import { needs } from '../support/programs.js';
import { agreesWithNode, openssl } from './other-tools.js';

const directory = temporaryDirectory();
const inDirectory = (name: string): string => join(directory.path, name);
after(directory.remove);

describe('we read what openssl makes:', function () {
  this.timeout(30_000);
  before(needs('openssl'));

  const at = (path: string): Certificate => certificatesIn(readFileSync(path), path)[0]!;

  /** A self-signed certificate of a new key. */
  function selfSigned(newKey: readonly string[], ...options: readonly string[]): Certificate {
    const [key, out] = [inDirectory('new.key'), inDirectory('new.pem')];
    openssl(['genpkey', '-out', key, ...newKey]);
    openssl(['req', '-x509', '-new', '-key', key, '-out', out, '-subj', '/CN=theirs', '-days', '3650', ...options]);
    assert.ok(readPrivateKey(readFileSync(key), key).asymmetricKeyType !== undefined);
    return at(out);
  }

  const EC = ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256'];
  const keys: Readonly<Record<string, readonly [newKey: readonly string[], options: readonly string[], found: readonly unknown[]]>> = {
    'RSA-PSS': [
      ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048'],
      ['-sha384', '-sigopt', 'rsa_padding_mode:pss', '-sigopt', 'rsa_pss_saltlen:-1'],
      ['RSA', 2048, undefined, 'RSA-PSS with SHA384'],
    ],
    'an RSA-PSS key': [['-algorithm', 'RSA-PSS', '-pkeyopt', 'rsa_keygen_bits:2048'], [], ['RSA', 2048, undefined, 'RSA-PSS with SHA256']],
    'RSA with SHA-1': [['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:1024'], ['-sha1'], ['RSA', 1024, undefined, 'RSA with SHA-1']],
    'P-521': [['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-521'], ['-sha512'], ['EC', 521, 'P-521', 'ECDSA with SHA-512']],
    brainpoolP256r1: [
      ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:brainpoolP256r1'],
      [],
      ['EC', 256, 'brainpoolP256r1', 'ECDSA with SHA-256'],
    ],
    'explicit curve parameters': [[...EC, '-pkeyopt', 'ec_param_enc:explicit'], [], ['EC', 256, undefined, 'ECDSA with SHA-256']],
    Ed448: [['-algorithm', 'ED448'], [], ['Ed448', 456, undefined, 'Ed448']],
    Ed25519: [['-algorithm', 'ED25519'], [], ['Ed25519', 256, undefined, 'Ed25519']],
  };
  for (const [what, [newKey, options, found]] of Object.entries(keys)) {
    it(what, () => {
      const certificate = selfSigned(newKey, ...options);
      const { type, bits, curve } = certificate.publicKey;
      assert.deepEqual([type, bits, curve, signatureName(certificate.signatureAlgorithm)], found);
      assert.equal(isSelfSigned(certificate), true);
      agreesWithNode(certificate);
    });
  }

  it('DSA', () => {
    const parameters = inDirectory('dsa.pem');
    openssl(['dsaparam', '-out', parameters, '1024']);
    const certificate = selfSigned(['-paramfile', parameters]);
    assert.deepEqual([certificate.publicKey.type, certificate.publicKey.bits], ['DSA', 1024]);
    assert.equal(signatureName(certificate.signatureAlgorithm), 'DSA with SHA-256');
    assert.equal(isSelfSigned(certificate), true);
  });

  it('version 1, without extensions', () => {
    const [key, csr, out] = [inDirectory('v1.key'), inDirectory('v1.csr'), inDirectory('v1.pem')];
    openssl([
      'req',
      '-new',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-keyout',
      key,
      '-out',
      csr,
      '-subj',
      '/CN=old',
    ]);
    openssl(['x509', '-req', '-in', csr, '-signkey', key, '-out', out, '-set_serial', '1']);
    const certificate = at(out);
    assert.deepEqual([certificate.version, certificate.serial, certificate.extensions.length], [1, '01', 0]);
    assert.equal(isSelfSigned(certificate), true);
    agreesWithNode(certificate);
  });

  it('serial numbers of every sign and size', () => {
    const serial = (text: string): string => selfSigned(EC, '-set_serial', text).serial;
    assert.equal(serial('0'), '00');
    assert.equal(serial('-1'), 'ff');
    assert.equal(serial('0x80'), '0080');
    assert.equal(serial(`0x7f${'00'.repeat(19)}`), `7f${'00'.repeat(19)}`);
  });

  it('names of every kind', () => {
    const config = directory.file(
      'san.cnf',
      `[req]\ndistinguished_name = dn\nx509_extensions = ext\n[dn]\n[ext]\nsubjectAltName = @names\nnameConstraints = permitted;DNS:a.test
crlDistributionPoints = URI:http://crl.test/a, URI:ldap://crl.test/b\n[names]\nDNS.1 = *.a.test\nDNS.2 = xn--bcher-kva.test\nIP.1 = 10.0.0.1\nIP.2 = fe80::1
URI.1 = spiffe://shop.test/ns/default/sa/api\nemail.1 = me@a.test\nRID.1 = 1.2.3.4\ndirName.1 = directory\notherName.1 = 1.2.3.4;UTF8:other\n[directory]\nCN = inside\n`,
    );
    const certificate = selfSigned(EC, '-config', config);
    const { dns, ip, uri, email, other, directory: names } = certificate.subjectAltName;
    assert.deepEqual(
      [dns, ip, uri, email],
      [['*.a.test', 'xn--bcher-kva.test'], ['10.0.0.1', 'fe80::1'], ['spiffe://shop.test/ns/default/sa/api'], ['me@a.test']],
    );
    assert.deepEqual(other, [8, 0]);
    assert.deepEqual(
      names.map((name) => valuesOf(name, OID.commonName)),
      [['inside']],
    );
    assert.deepEqual(crlUris(certificate.crlDistributionPoints), ['http://crl.test/a', 'ldap://crl.test/b']);
    agreesWithNode(certificate);
  });

  it('extensions, each with its value', () => {
    const certificate = selfSigned(
      EC,
      ...['basicConstraints=critical,CA:TRUE,pathlen:3', 'keyUsage=critical,keyCertSign,cRLSign,decipherOnly,keyAgreement'].flatMap(
        (one) => ['-addext', one],
      ),
      ...['extendedKeyUsage=serverAuth,1.2.3.4', 'authorityKeyIdentifier=keyid:always,issuer:always'].flatMap((one) => ['-addext', one]),
    );
    assert.deepEqual(certificate.basicConstraints, { ca: true, pathLength: 3 });
    assert.deepEqual(certificate.keyUsage, ['keyAgreement', 'keyCertSign', 'cRLSign', 'decipherOnly']);
    assert.deepEqual(certificate.extendedKeyUsage, [OID.serverAuth, '1.2.3.4']);
    assert.equal(certificate.authorityKeyId, certificate.subjectKeyId);
    agreesWithNode(certificate);
  });

  for (const [type, mask] of Object.entries({ BMPString: '0x800', TeletexString: '0x4', UTF8String: '0x2000', UniversalString: '0x100' })) {
    it(`names in ${type}, several attributes in one RDN`, () => {
      const config = directory.file('mask.cnf', `[req]\ndistinguished_name = dn\nstring_mask = MASK:${mask}\nutf8 = yes\n[dn]\n`);
      const certificate = selfSigned(EC, '-config', config, '-utf8', '-multivalue-rdn', '-subj', '/O=Bücher+OU=Lager/CN=café/C=DE');
      assert.deepEqual(valuesOf(certificate.subject, OID.commonName), ['café']);
      assert.deepEqual(valuesOf(certificate.subject, OID.organizationName), ['Bücher']);
      assert.deepEqual(valuesOf(certificate.subject, OID.organizationalUnitName), ['Lager']);
      assert.deepEqual(valuesOf(certificate.subject, OID.countryName), ['DE']);
    });
  }

  it('requests with names, and without attributes', () => {
    const key = inDirectory('req.key');
    openssl(['genpkey', '-out', key, '-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048']);
    const request = (...options: readonly string[]): ReturnType<typeof csrIn> => {
      const out = inDirectory('req.csr');
      openssl(['req', '-new', '-key', key, '-subj', '/CN=asked', '-out', out, ...options]);
      return csrIn(readFileSync(out), out);
    };
    const asked = request('-addext', 'subjectAltName=DNS:a.test,IP:::1,URI:spiffe://a.test/x', '-addext', 'keyUsage=digitalSignature');
    assert.deepEqual(
      [asked.subjectAltName.dns, asked.subjectAltName.ip, asked.subjectAltName.uri],
      [['a.test'], ['::1'], ['spiffe://a.test/x']],
    );
    assert.deepEqual([asked.publicKey.type, asked.publicKey.bits, provesPossession(asked)], ['RSA', 2048, true]);
    assert.deepEqual(valuesOf(request().subject, OID.commonName), ['asked']);
    assert.equal(provesPossession(request('-outform', 'DER', '-sigopt', 'rsa_padding_mode:pss')), true);
  });

  it('a CRL of 20,000 entries, and one of version 1', () => {
    const ca = testCa();
    const certificate = directory.file('ca.pem', certificatePem(ca.certificate));
    const key = directory.file('ca.key', ca.key.export({ type: 'pkcs8', format: 'pem' }));
    const serial = (i: number): string => (0xf00000 + i).toString(16).toUpperCase();
    const reasons = ['', ',keyCompromise', ',superseded', ',cessationOfOperation'];
    const lines = Array.from(
      { length: 20_000 },
      (_, i) => `R\t351231235959Z\t240229120000Z${reasons[i % 4]}\t${serial(i)}\tunknown\t/CN=x\n`,
    );
    directory.file('index.txt', lines.join(''));
    directory.file('crlnumber', '01F4\n');
    const base = `[ca]\ndefault_ca = c\n[c]\ndatabase = ${inDirectory('index.txt')}\ndefault_md = sha256\ndefault_crl_days = 30\n`;
    const v2 = directory.file(
      'ca.cnf',
      `${base}crlnumber = ${inDirectory('crlnumber')}\ncrl_extensions = ext\n[ext]\nauthorityKeyIdentifier = keyid\n`,
    );
    const generate = (config: string): Buffer => {
      const out = inDirectory('theirs.crl');
      openssl(['ca', '-gencrl', '-config', config, '-cert', certificate, '-keyfile', key, '-out', out]);
      return readFileSync(out);
    };
    const crl = crlsIn(generate(v2), 'theirs.crl')[0]!;
    assert.deepEqual([crl.version, crl.number, crl.authorityKeyId], [2, '01f4', ca.certificate.subjectKeyId]);
    assert.equal(verifySignature(crl.signatureAlgorithm, crl.tbs, crl.signature, ca.certificate.publicKey), 'valid');
    assert.equal(countRevoked(crl), 20_000);
    const found = [0, 1, 19_998].map((i) => findRevoked(crl, `00${serial(i).toLowerCase()}`));
    assert.deepEqual(
      found.map((entry) => [entry?.date, entry?.reason]),
      [undefined, 'keyCompromise', 'superseded'].map((reason) => [Date.UTC(2024, 1, 29, 12), reason]),
    );
    assert.equal([...revokedEntries(crl)].filter(({ reason }) => reason === 'cessationOfOperation').length, 5_000);

    directory.file('index.txt', lines[0]!);
    const old = crlsIn(generate(directory.file('old.cnf', base)), 'theirs.crl')[0]!;
    assert.deepEqual([old.version, old.number, countRevoked(old)], [1, undefined, 1]);
    assert.ok(readCrl(old.der).nextUpdate! - old.thisUpdate === 30 * 86_400_000);
  });

  it('the trusted certificates of its own form', () => {
    const certificate = testLeaf(testCa()).certificate;
    const path = directory.file('plain.pem', certificatePem(certificate));
    const trusted = openssl(['x509', '-in', path, '-trustout', '-addtrust', 'serverAuth', '-setalias', 'mine']);
    assert.match(trusted, /BEGIN TRUSTED CERTIFICATE/);
    assert.equal(certificatesIn(Buffer.from(trusted), 'x')[0]?.serial, certificate.serial);
  });

  it('and nothing that openssl would read as BER', () => {
    const { der } = testLeaf(testCa()).certificate;
    const ber = Buffer.concat([Buffer.from([0x30, 0x80]), der.subarray(4), Buffer.from([0, 0])]);
    const path = directory.file('ber.der', ber);
    assert.match(openssl(['x509', '-inform', 'DER', '-in', path, '-noout', '-subject']), /CN = api/);
    assert.throws(
      () => readCertificate(ber),
      (error) => isError(error, 'CERTIFICATE_MALFORMED') && /indefinite length at byte 0/.test(error.message),
    );
  });

  it('and its signatures, which are by whom they say', () => {
    const [first, second] = [testCa(), testCa({ name: 'other' })];
    const leaf = testLeaf(first).certificate;
    assert.deepEqual([isSignedBy(leaf, first.certificate), isSignedBy(leaf, second.certificate)], ['valid', 'invalid']);
    const paths = [first, second].map(({ certificate }, i) => directory.file(`ca${i}.pem`, certificatePem(certificate)));
    const path = directory.file('leaf.pem', certificatePem(leaf));
    assert.match(openssl(['verify', '-CAfile', paths[0]!, path]), /: OK/);
    assert.throws(() => openssl(['verify', '-CAfile', paths[1]!, path]));
  });
});
