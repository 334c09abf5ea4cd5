import assert from 'node:assert/strict';
import { isError } from '../../src/errors.js';
import { provesPossession, readCsr } from '../../src/pki/csr.js';
import { oid, sequence, set, utf8 } from '../../src/pki/encode.js';
import { generateKey } from '../../src/pki/key.js';
import { valuesOf } from '../../src/pki/name.js';
import { OID } from '../../src/pki/oids.js';
import { csrOf, sanAttribute } from './requests.js';

const NAMES = { dns: ['api.test'], ip: ['10.0.0.1'], uri: ['spiffe://shop.test/ns/default/sa/api'] };
const key = generateKey('ecdsa-p256');

const malformed = (der: Buffer, problem: RegExp): void =>
  assert.throws(
    () => readCsr(der),
    (error) => isError(error, 'CSR_MALFORMED') && problem.test(error.message),
  );

describe('readCsr', () => {
  it('reads the subject, the key, the names and the proof of possession', () => {
    const csr = readCsr(csrOf(key, NAMES));
    assert.deepEqual(valuesOf(csr.subject, OID.commonName), ['api']);
    assert.deepEqual([csr.publicKey.type, csr.publicKey.bits, csr.publicKey.curve], ['EC', 256, 'P-256']);
    assert.deepEqual([csr.subjectAltName.dns, csr.subjectAltName.ip, csr.subjectAltName.uri], [NAMES.dns, NAMES.ip, NAMES.uri]);
    assert.deepEqual(
      csr.extensions.map(({ oid: type }) => type),
      [OID.subjectAltName],
    );
    assert.equal(provesPossession(csr), true);
  });

  it('does not take the signature of another key for a proof', () => {
    assert.equal(provesPossession(readCsr(csrOf(key, NAMES, { signer: generateKey('ecdsa-p256') }))), false);
  });

  it('reads a request without attributes, with an empty set of them, and with others', () => {
    const challenge = sequence(oid('1.2.840.113549.1.9.7'), set(utf8('secret')));
    assert.deepEqual(readCsr(csrOf(key, NAMES, { attributes: null })).subjectAltName.dns, []);
    assert.deepEqual(readCsr(csrOf(key, NAMES, { attributes: [] })).extensions, []);
    assert.deepEqual(readCsr(csrOf(key, NAMES, { attributes: [challenge, sanAttribute(NAMES)] })).subjectAltName.dns, NAMES.dns);
  });

  it('refuses two lists of extensions: they could say two things', () => {
    malformed(
      csrOf(key, NAMES, { attributes: [sanAttribute(NAMES), sanAttribute({ ...NAMES, dns: ['other.test'] })] }),
      /second extensionRequest/,
    );
  });

  it('refuses another version, and what is behind the request', () => {
    malformed(csrOf(key, NAMES, { version: 1 }), /version 1/);
    malformed(Buffer.concat([csrOf(key, NAMES), Buffer.from([0])]), /trailing bytes/);
  });

  it('refuses names that are none', () => {
    malformed(csrOf(key, { dns: [], ip: [], uri: [] }), /missing element.*subjectAltName/);
  });
});
