import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type ErrorCode, isError } from '../../src/errors.js';
import { signatureDigest, signatureName } from '../../src/pki/algorithms.js';
import type { Certificate } from '../../src/pki/certificate.js';
import { type Crl, revokedEntries } from '../../src/pki/crl.js';
import { certificatesIn, crlsIn, itemsIn } from '../../src/pki/material.js';
import { valuesOf } from '../../src/pki/name.js';
import { OID } from '../../src/pki/oids.js';

const FIXTURES = fileURLToPath(new URL('../../fixtures/', import.meta.url));

const URI = 'spiffe://shop.test/ns/default/sa/api';

/** What a fixture that can be read says, of the field that it is about. */
const READ: Readonly<Record<string, readonly [about: (certificate: Certificate) => unknown, expected: unknown]>> = {
  'good.pem': [(c) => [c.serial, c.subjectAltName.uri, c.subjectAltName.dns, c.version], ['0f00d5', [URI], ['api.test'], 3]],
  'utf8-bom.pem': [(c) => c.serial, '0f00d5'],
  'crlf.pem': [(c) => c.serial, '0f00d5'],
  'expired.pem': [(c) => [c.notBefore, c.notAfter], [Date.UTC(2020, 0), Date.UTC(2021, 0)]],
  'generalized-time-before-2050.pem': [(c) => [c.notBefore, c.notAfter], [Date.UTC(2024, 0), Date.UTC(2044, 0)]],
  'negative-serial.pem': [(c) => c.serial, 'ff00d5'],
  'version-1.pem': [(c) => [c.version, c.extensions], [1, []]],
  'cn-only.pem': [(c) => [valuesOf(c.subject, OID.commonName), c.subjectAltName.dns, c.subjectAltName.uri], [['api'], [], []]],
  'two-uris.pem': [(c) => c.subjectAltName.uri, [URI, 'spiffe://shop.test/ns/default/sa/web']],
  'other-name.pem': [(c) => [c.subjectAltName.other, c.subjectAltName.dns], [[0], []]],
  'key-usage-empty.pem': [(c) => c.keyUsage, []],
  'path-length-without-ca.pem': [(c) => c.basicConstraints, { ca: false, pathLength: 0 }],
  'sha1-signed.pem': [(c) => [signatureDigest(c.signatureAlgorithm), signatureName(c.innerAlgorithm)], ['sha1', 'RSA with SHA-1']],
  'rsa-1024.pem': [(c) => [c.publicKey.type, c.publicKey.bits], ['RSA', 1024]],
};

/** How a fixture is refused that cannot. */
const REFUSED: Readonly<Record<string, readonly [code: ErrorCode, message: RegExp]>> = {
  'truncated.pem': ['PEM_MALFORMED', /the CERTIFICATE block has no END line/],
  'mislabelled.pem': ['CRL_MALFORMED', /unexpected tag/],
  'utf16.pem': ['FILE_UNRECOGNIZED', /UTF-16/],
  'not-der-indefinite-length.der': ['FILE_UNRECOGNIZED', /BER of indefinite length/],
  'not-der-long-length.der': ['CERTIFICATE_MALFORMED', /length not minimal at byte 0/],
  'trailing-byte.pem': ['CERTIFICATE_MALFORMED', /trailing bytes/],
  'date-no-seconds.pem': ['CERTIFICATE_MALFORMED', /malformed time/],
  'date-31-february.pem': ['CERTIFICATE_MALFORMED', /malformed time/],
  'serial-not-minimal.pem': ['CERTIFICATE_MALFORMED', /integer not minimal/],
  'version-1-with-extensions.pem': ['CERTIFICATE_MALFORMED', /extensions need version 3/],
  'version-1-encoded.pem': ['CERTIFICATE_MALFORMED', /default value encoded.*version 1/],
  'duplicate-extension.pem': ['CERTIFICATE_MALFORMED', /extension subjectAltName a second time/],
  'empty-san.pem': ['CERTIFICATE_MALFORMED', /a general name, in the value of subjectAltName/],
  'false-encoded.pem': ['CERTIFICATE_MALFORMED', /default value encoded.*basicConstraints/],
};

const bytesOf = (path: string): Buffer => readFileSync(join(FIXTURES, path));

describe('fixtures', () => {
  for (const [file, [about, expected]] of Object.entries(READ)) {
    it(`certs/${file} is read`, () => {
      const certificates = certificatesIn(bytesOf(`certs/${file}`), file);
      assert.deepEqual(certificates.map(about), [expected]);
    });
  }

  for (const [file, [code, message]] of Object.entries(REFUSED)) {
    it(`certs/${file} is refused`, () => {
      assert.throws(
        () => itemsIn(bytesOf(`certs/${file}`), file),
        (error) => {
          assert.ok(isError(error, code), String(error));
          assert.match(error.message, message);
          assert.ok(error.message.includes(file), 'the file is named');
          return true;
        },
      );
    });
  }

  const crl = (file: string): Crl => crlsIn(bytesOf(`crls/${file}`), file)[0]!;

  it('crls/version-1.pem is read', () => {
    const { version } = crl('version-1.pem');
    assert.deepEqual([version, [...revokedEntries(crl('version-1.pem'))].map(({ serial }) => serial)], [1, ['05']]);
  });

  it('crls/version-1-with-entry-extensions.pem is refused when its entries are read', () => {
    assert.throws(
      () => [...revokedEntries(crl('version-1-with-entry-extensions.pem'))],
      (error) => isError(error, 'CRL_MALFORMED') && /entry need version 2/.test(error.message),
    );
  });

  it('are all expected something of, and explained', () => {
    const certificates = readdirSync(join(FIXTURES, 'certs')).toSorted();
    assert.deepEqual(certificates, [...Object.keys(READ), ...Object.keys(REFUSED)].toSorted());
    const paths = [...certificates.map((file) => `certs/${file}`), ...readdirSync(join(FIXTURES, 'crls')).map((file) => `crls/${file}`)];
    const explained = [
      ...bytesOf('README.md')
        .toString()
        .matchAll(/^\| `((?:certs|crls)\/[^`]+)`/gm),
    ].map((match) => match[1]);
    assert.deepEqual(explained.toSorted(), paths.toSorted());
  });

  it('hold no private key', () => {
    for (const directory of ['certs', 'crls'])
      for (const file of readdirSync(join(FIXTURES, directory))) assert.ok(!bytesOf(`${directory}/${file}`).includes('PRIVATE KEY'), file);
  });
});
