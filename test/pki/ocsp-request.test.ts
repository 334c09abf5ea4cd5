import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { isError } from '../../src/errors.js';
import { TAG } from '../../src/pki/der.js';
import {
  type Node,
  algorithm,
  bitString,
  element,
  embed,
  explicit,
  extension,
  generalNames,
  integer,
  octetString,
  sequence,
  toDer,
} from '../../src/pki/encode.js';
import { certId } from '../../src/pki/cert-id.js';
import { OCSP_REQUEST_LIMIT, ocspRequestFor, readOcspRequest } from '../../src/pki/ocsp-request.js';
import { OID } from '../../src/pki/oids.js';
import { nested } from '../../scripts/fuzz/mutate-der.js';
import { authority, certify } from '../support/chains.js';
import { certificatePem, keyPem, temporaryDirectory } from '../support/material.js';
import { needs } from '../support/programs.js';
import { openssl } from './other-tools.js';

const ca = authority({ name: 'ca' });
const leaf = certify({ name: 'leaf', by: ca });
const id = certId(leaf.certificate, ca.certificate);

interface Parts {
  readonly before?: readonly Node[];
  readonly requests?: readonly Node[];
  readonly extensions?: readonly Node[];
  readonly after?: readonly Node[];
}

/** A request in parts; one about the leaf, unless told otherwise. */
function requestOf({ before = [], requests = [sequence(id)], extensions = [], after = [] }: Parts = {}): Buffer {
  const more = extensions.length === 0 ? [] : [explicit(2, sequence(...extensions))];
  return toDer(sequence(sequence(...before, sequence(...requests), ...more), ...after));
}

const nonce = (octets: number, critical = false): Node => extension(OID.ocspNonce, critical, octetString(Buffer.alloc(octets, 7)));

function refuses(der: Uint8Array, problem: RegExp): void {
  assert.throws(
    () => readOcspRequest(der),
    (error) => isError(error, 'OCSP_REQUEST_MALFORMED') && problem.test(error.message),
    problem.source,
  );
}

describe('an OCSP request', () => {
  it('of ours is read as it was meant', () => {
    const { certIds, nonce: none } = readOcspRequest(ocspRequestFor(leaf.certificate, ca.certificate));
    assert.deepEqual([certIds.map(({ serial }) => serial), none], [[leaf.certificate.serial], undefined]);
    assert.deepEqual(certIds[0]!.der, toDer(id));
  });

  it('may ask about several certificates, say who asks, and be signed', () => {
    const other = certify({ name: 'other', by: ca });
    const signature = explicit(
      0,
      sequence(algorithm(OID.ed25519, false), bitString(Buffer.alloc(64)), explicit(0, sequence(embed(other.certificate.der)))),
    );
    const who = explicit(1, embed(toDer(explicit(4, embed(leaf.certificate.subject.der)))));
    const { certIds } = readOcspRequest(
      requestOf({
        before: [who],
        requests: [
          sequence(id),
          sequence(certId(other.certificate, ca.certificate), explicit(0, sequence(extension('1.2.3', false, integer(1))))),
        ],
        after: [signature],
      }),
    );
    assert.deepEqual(
      certIds.map(({ serial }) => serial),
      [leaf.certificate.serial, other.certificate.serial],
    );
  });

  it('has a nonce of 1 to 32 octets, critical or not', () => {
    for (const octets of [1, 16, 32])
      assert.equal(readOcspRequest(requestOf({ extensions: [nonce(octets, octets === 16)] })).nonce?.length, octets);
    for (const octets of [0, 33])
      refuses(requestOf({ extensions: [nonce(octets)] }), /a nonce of 1 to 32 octets, in the value of ocspNonce/);
    refuses(requestOf({ extensions: [extension(OID.ocspNonce, false, integer(7))] }), /expected 0x04, found 0x02/);
    refuses(requestOf({ extensions: [nonce(8), nonce(8)] }), /ocspNonce a second time/);
  });

  it('with a critical extension that is not understood is refused, wherever it stands', () => {
    refuses(requestOf({ extensions: [extension('1.2.3', true, integer(1))] }), /critical extension 1\.2\.3 is not supported/);
    refuses(
      requestOf({ requests: [sequence(id, explicit(0, sequence(extension('1.2.3', true, integer(1)))))] }),
      /critical extension 1\.2\.3/,
    );
    // a nonce asks nothing of one certificate
    refuses(requestOf({ requests: [sequence(id, explicit(0, sequence(nonce(8, true))))] }), /critical extension ocspNonce/);
    assert.equal(readOcspRequest(requestOf({ extensions: [extension('1.2.3', false, integer(1))] })).certIds.length, 1);
  });

  it('that is none is told so, and why', () => {
    const der = requestOf();
    const names = generalNames({ dns: ['a.test', 'b.test'], ip: [], uri: [] });
    refuses(Buffer.alloc(0), /not an OCSP request: not DER: missing element/);
    refuses(der.subarray(0, -1), /truncated/);
    refuses(Buffer.concat([der, Buffer.from([0])]), /trailing bytes/);
    refuses(requestOf({ requests: [] }), /a certificate to ask about/);
    refuses(requestOf({ before: [explicit(0, integer(0))] }), /version 1/);
    refuses(requestOf({ before: [embed(element(0xa1, [toDer(names).subarray(2)]))] }), /trailing bytes/);
    refuses(requestOf({ after: [integer(1)] }), /trailing bytes/);
    refuses(requestOf({ after: [explicit(0, sequence(algorithm(OID.ed25519, false)))] }), /missing element/);
    refuses(toDer(sequence(sequence(sequence(sequence(sequence(algorithm('1.3.14.3.2.26', true))))))), /missing element/);
  });

  it('is bounded in size and depth', () => {
    const many = (count: number): Buffer => requestOf({ requests: Array.from({ length: count }, () => sequence(id)) });
    const most = Math.floor((OCSP_REQUEST_LIMIT - 12) / toDer(sequence(id)).length);
    assert.equal(readOcspRequest(many(most)).certIds.length, most);
    refuses(many(most + 1), /octets, expected at most 4096/);
    refuses(nested(Buffer.alloc(0), TAG.sequence, 1_000), /not DER/);
    refuses(nested(Buffer.alloc(0), TAG.sequence, 1_000_000), /expected at most 4096/);
  });

  it('of any octets is read or refused, and nothing else', () => {
    const readOrRefused = (der: Uint8Array): void => {
      try {
        assert.ok(readOcspRequest(der).certIds.length > 0);
      } catch (error) {
        assert.ok(isError(error, 'OCSP_REQUEST_MALFORMED'), String(error));
      }
    };
    fc.assert(fc.property(fc.uint8Array({ maxLength: 600 }), readOrRefused), { numRuns: 3_000 });
    const seeds = [
      requestOf(),
      requestOf({ extensions: [nonce(16)], after: [explicit(0, sequence(algorithm(OID.ed25519, false), bitString(Buffer.alloc(8))))] }),
    ];
    for (const seed of seeds) {
      for (let at = 0; at < seed.length; at++) {
        for (const bit of [1, 2, 4, 8, 16, 32, 64, 128])
          readOrRefused(Buffer.from(seed.map((octet, i) => (i === at ? octet ^ bit : octet))));
        readOrRefused(seed.subarray(0, at));
      }
    }
  });
});

describe('OCSP requests and the programs of others', () => {
  const directory = temporaryDirectory();
  const issuer = directory.file('ca.pem', certificatePem(ca.certificate));
  const cert = directory.file('leaf.pem', certificatePem(leaf.certificate));
  const key = directory.file('leaf.key', keyPem(leaf.key));
  const out = join(directory.path, 'request.der');
  after(directory.remove);

  describe('openssl', () => {
    before(needs('openssl'));
    it('makes requests that are read', () => {
      const made = (...args: readonly string[]) => {
        execFileSync('openssl', ['ocsp', '-issuer', issuer, ...args, '-reqout', out], { stdio: 'pipe' });
        return readOcspRequest(readFileSync(out));
      };
      const plain = made('-cert', cert);
      assert.ok(plain.nonce !== undefined && plain.nonce.length >= 16);
      const several = made('-no_nonce', '-cert', cert, '-sha256', '-cert', cert, '-sha512', '-serial', '0x1234');
      assert.deepEqual(
        several.certIds.map(({ hash, serial }) => [hash, serial]),
        [
          ['1.3.14.3.2.26', leaf.certificate.serial],
          ['2.16.840.1.101.3.4.2.1', leaf.certificate.serial],
          ['2.16.840.1.101.3.4.2.3', '1234'],
        ],
      );
      assert.equal(made('-cert', cert, '-signer', cert, '-signkey', key).certIds.length, 1);
    });

    it('reads ours', () => {
      const request = directory.file('ours.der', ocspRequestFor(leaf.certificate, ca.certificate));
      const text = openssl(['ocsp', '-reqin', request, '-req_text', '-noverify']);
      assert.match(text, new RegExp(`Serial Number: ${leaf.certificate.serial}`, 'i'));
    });
  });

  describe('ocsptool', () => {
    before(needs('ocsptool'));
    it('makes requests that are read, and reads ours', () => {
      execFileSync('ocsptool', ['--generate-request', '--load-issuer', issuer, '--load-cert', cert, '--outfile', out], { stdio: 'pipe' });
      assert.deepEqual(readFileSync(out), ocspRequestFor(leaf.certificate, ca.certificate));
    });
  });
});
