import assert from 'node:assert/strict';
import fc from 'fast-check';
import { ERRORS, MtlsError } from '../../src/errors.js';
import { type Certificate, isSignedBy, readCertificate } from '../../src/pki/certificate.js';
import { countRevoked, findRevoked, readCrl, revokedEntries } from '../../src/pki/crl.js';
import { provesPossession, readCsr } from '../../src/pki/csr.js';
import { itemsIn } from '../../src/pki/material.js';
import { formatName } from '../../src/pki/name.js';
import { readPkcs12 } from '../../src/pki/pkcs12.js';
import { writePkcs12 } from '../../src/pki/pkcs12-write.js';
import { signCrl } from '../../src/pki/sign.js';
import { testCa, testLeaf } from '../support/material.js';
import { certificateBag, keyBag, plainPfx, withoutMac } from './pfx.js';
import { csrOf } from './requests.js';

const NOW = Date.now();
const ca = testCa();
const leaf = testLeaf(ca);
const REVOKED = ['01', '00ff', '7f00000000000000000000000000000001'];

const SAMPLES: Readonly<
  Record<string, { readonly der: Buffer; readonly codes: readonly string[]; readonly read: (der: Buffer) => unknown }>
> = {
  certificate: {
    der: leaf.certificate.der,
    codes: ['CERTIFICATE_MALFORMED'],
    read: (der) => {
      const certificate = readCertificate(der);
      return [formatName(certificate.subject), isSignedBy(certificate, ca.certificate)];
    },
  },
  CRL: {
    der: signCrl(
      {
        number: 300n,
        thisUpdate: new Date(NOW),
        nextUpdate: new Date(NOW + 1000),
        revoked: REVOKED.map((serial) => ({ serial, date: new Date(NOW), reason: 'superseded' as const })),
      },
      ca,
    ).der,
    codes: ['CRL_MALFORMED'],
    read: (der) => {
      const crl = readCrl(der);
      return [countRevoked(crl), findRevoked(crl, REVOKED[2]!), [...revokedEntries(crl)]];
    },
  },
  'certification request': {
    der: csrOf(leaf.key, { dns: ['api.test'], ip: ['::1'], uri: [] }),
    codes: ['CSR_MALFORMED'],
    read: (der) => provesPossession(readCsr(der)),
  },
  'PKCS#12 file': {
    der: writePkcs12({
      certificates: [leaf.certificate, ca.certificate],
      key: leaf.key,
      passphrase: 'pass',
      friendlyName: 'api',
      iterations: 3,
    }),
    codes: ['PKCS12_MALFORMED', 'PKCS12_UNSUPPORTED', 'PASSPHRASE_WRONG'],
    read: (der) => readPkcs12(der, 'pass', 'x.p12'),
  },
  'PKCS#12 file without a MAC': {
    der: withoutMac(
      writePkcs12({ certificates: [leaf.certificate], key: leaf.key, passphrase: 'pass', friendlyName: 'api', iterations: 3 }),
    ),
    codes: ['PKCS12_MALFORMED', 'PKCS12_UNSUPPORTED', 'PASSPHRASE_WRONG'],
    read: (der) => readPkcs12(der, 'pass', 'x.p12'),
  },
  'PKCS#12 file without any protection': {
    der: plainPfx(certificateBag(leaf.certificate), keyBag(leaf.key)),
    codes: ['PKCS12_MALFORMED', 'PKCS12_UNSUPPORTED', 'PASSPHRASE_WRONG'],
    read: (der) => readPkcs12(der, 'pass', 'x.p12'),
  },
  file: {
    der: leaf.certificate.der,
    codes: ['CERTIFICATE_MALFORMED', 'CRL_MALFORMED', 'CSR_MALFORMED', 'FILE_UNRECOGNIZED', 'PEM_MALFORMED'],
    read: (der) => itemsIn(der, 'x'),
  },
};

/** Overwrites, cuts out, doubles or cuts off. */
const mutation = fc.oneof(
  fc.record({ how: fc.constant('write' as const), at: fc.nat(), bytes: fc.uint8Array({ minLength: 1, maxLength: 4 }) }),
  fc.record({ how: fc.constantFrom('cut' as const, 'double' as const), at: fc.nat(), length: fc.integer({ min: 1, max: 40 }) }),
  fc.record({ how: fc.constant('end' as const), at: fc.nat() }),
);
type Mutation = typeof mutation extends fc.Arbitrary<infer Value> ? Value : never;

function mutate(der: Buffer, change: Mutation): Buffer {
  const at = change.at % der.length;
  switch (change.how) {
    case 'write':
      return Buffer.concat([der.subarray(0, at), change.bytes, der.subarray(at + change.bytes.length)]);
    case 'cut':
      return Buffer.concat([der.subarray(0, at), der.subarray(at + change.length)]);
    case 'double':
      return Buffer.concat([der.subarray(0, at + change.length), der.subarray(at)]);
    case 'end':
      return der.subarray(0, at);
  }
}

describe('hostile bytes', () => {
  for (const [kind, { der, codes, read }] of Object.entries(SAMPLES)) {
    const valueOrCode = (bytes: Buffer): void => {
      const start = performance.now();
      try {
        read(bytes);
      } catch (error) {
        assert.ok(error instanceof MtlsError, `${String(error)} for ${bytes.toString('hex')}`);
        assert.ok(codes.includes(error.code), `${error.code}: ${error.message}`);
        assert.ok(error.code in ERRORS);
      }
      assert.ok(performance.now() - start < 2_000, 'in time');
    };

    it(`give a ${kind} or a coded error: one that was tampered with`, () => {
      read(der);
      const changed = fc.array(mutation, { minLength: 1, maxLength: 3 }).map((changes) => changes.reduce(mutate, der));
      fc.assert(
        fc.property(
          changed.filter((bytes) => bytes.length > 0),
          valueOrCode,
        ),
        { numRuns: 2_500 },
      );
    });

    it(`give a ${kind} or a coded error: any bytes, and any that begin like one`, () => {
      const anything = fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes));
      fc.assert(fc.property(anything, valueOrCode), { numRuns: 1_000 });
      const wrapped = anything.map((bytes) => Buffer.concat([Buffer.from([0x30, 0x81, bytes.length]), bytes]));
      fc.assert(fc.property(wrapped, valueOrCode), { numRuns: 1_000 });
    });
  }

  it('do not nest a reader deeper or keep it longer than their length', () => {
    for (const unit of ['3080', 'a082', '3000', '30820004', '0500', '31']) {
      const bytes = Buffer.alloc(2_000_000, Buffer.from(unit, 'hex'));
      const whole = Buffer.concat([Buffer.from('3083', 'hex'), Buffer.from(bytes.length.toString(16).padStart(6, '0'), 'hex'), bytes]);
      for (const { read, codes } of Object.values(SAMPLES)) {
        const start = performance.now();
        assert.throws(
          () => read(whole),
          (error) => error instanceof MtlsError && codes.includes(error.code),
        );
        assert.ok(performance.now() - start < 1_000);
      }
    }
  });
});

describe('one flipped bit', () => {
  for (const keyType of ['ecdsa-p256', 'ecdsa-p384', 'ed25519', 'rsa-2048'] as const) {
    it(`anywhere in a certificate signed with ${keyType} is refused or does not verify`, () => {
      const issuer = testCa({ keyType });
      const { der } = testLeaf(issuer).certificate;
      assert.equal(isSignedBy(readCertificate(der), issuer.certificate), 'valid');
      // every bit once, every third for the others: three is prime to eight, so that all places in an octet occur
      const step = keyType === 'ecdsa-p256' ? 1 : 3;
      let read = 0;
      for (let bit = 0; bit < der.length * 8; bit += step) {
        const flipped = Buffer.from(der);
        flipped[bit >> 3]! ^= 0x80 >> (bit & 7);
        let certificate: Certificate;
        try {
          certificate = readCertificate(flipped);
        } catch (error) {
          assert.ok(error instanceof MtlsError && error.code === 'CERTIFICATE_MALFORMED');
          continue;
        }
        read++;
        assert.notEqual(isSignedBy(certificate, issuer.certificate), 'valid', `bit ${bit}`);
      }
      assert.ok(read > 500, `${read} of them could be read at all`);
    });
  }
});
