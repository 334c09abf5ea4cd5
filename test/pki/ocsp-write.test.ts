import assert from 'node:assert/strict';
import { verifySignature } from '../../src/pki/algorithms.js';
import { issuerHashes } from '../../src/pki/cert-id.js';
import { REASONS } from '../../src/pki/crl.js';
import { algorithm, integer, octetString, sequence, toDer } from '../../src/pki/encode.js';
import { generateKey } from '../../src/pki/key.js';
import { readOcspResponse } from '../../src/pki/ocsp.js';
import { ocspRequestFor, readOcspRequest } from '../../src/pki/ocsp-request.js';
import { type OcspTemplate, ocspRefusal, signOcspResponse } from '../../src/pki/ocsp-write.js';
import { OID } from '../../src/pki/oids.js';
import { readCertId } from '../../src/pki/cert-id.js';
import { DerReader } from '../../src/pki/der.js';
import { ocspAnswer } from '../../src/validate/ocsp.js';
import { AT, DAY, HOUR, authority, certify, shifted } from '../support/chains.js';
import { temporaryDirectory } from '../support/material.js';
import { needs } from '../support/programs.js';
import { openssl } from './other-tools.js';

const ca = authority({ name: 'ca' });
const { certificate } = certify({ name: 'leaf', by: ca });
const delegate = certify({ name: 'delegate', by: ca, purposes: [OID.ocspSigning] });
const [id] = readOcspRequest(ocspRequestFor(certificate, ca.certificate)).certIds;
const until = { thisUpdate: AT, nextUpdate: shifted(HOUR) };

const responseOf = (more: Partial<OcspTemplate> = {}, by = delegate): Buffer =>
  signOcspResponse(
    { producedAt: AT, answers: [{ certId: id!, status: { status: 'good' }, ...until }], certificates: [delegate.certificate], ...more },
    by,
  );

describe('an OCSP response that is written', () => {
  it('reads as what it was made of, and is signed', () => {
    const nonce = Buffer.alloc(32, 9);
    const response = readOcspResponse(
      responseOf({
        nonce,
        answers: [
          { certId: id!, status: { status: 'good' }, ...until },
          { certId: id!, status: { status: 'revoked', at: shifted(-DAY), reason: 'keyCompromise' }, ...until },
          { certId: id!, status: { status: 'revoked', at: shifted(-DAY), reason: 'unspecified' }, ...until },
          { certId: id!, status: { status: 'unknown' }, ...until },
        ],
      }),
    );
    assert.deepEqual(
      response.responses.map(({ certId, status, revokedAt, reason, thisUpdate, nextUpdate }) => [
        certId.der.equals(id!.der),
        status,
        revokedAt,
        reason,
        thisUpdate,
        nextUpdate,
      ]),
      [
        ['good', undefined, undefined],
        ['revoked', shifted(-DAY).getTime(), 'keyCompromise'],
        ['revoked', shifted(-DAY).getTime(), undefined],
        ['unknown', undefined, undefined],
      ].map((row) => [true, ...row, AT.getTime(), shifted(HOUR).getTime()]),
    );
    assert.equal(response.producedAt, AT.getTime());
    const responderKey = issuerHashes('1.3.14.3.2.26', delegate.certificate.subject, delegate.certificate.publicKey)!.key;
    assert.deepEqual(response.responder, { keyHash: responderKey });
    assert.deepEqual(response.extensions, [{ oid: OID.ocspNonce, critical: false, value: toDer(octetString(nonce)) }]);
    assert.deepEqual(
      response.certificates.map(({ der }) => der),
      [delegate.certificate.der],
    );
    const { signatureAlgorithm, tbs, signature } = response;
    assert.equal(verifySignature(signatureAlgorithm, tbs, signature, delegate.certificate.publicKey), 'valid');
  });

  it('is believed of a delegate, and of the issuer', () => {
    const saidBy = (der: Buffer): string | undefined => ocspAnswer(readOcspResponse(der), certificate, ca.certificate, AT)?.status;
    assert.equal(saidBy(responseOf()), 'good');
    assert.equal(saidBy(responseOf({ certificates: [] }, ca)), 'good');
    assert.equal(saidBy(responseOf({ certificates: [] })), 'unusable');
    for (const type of ['ecdsa-p384', 'ed25519', 'rsa-2048'] as const) {
      const by = certify({ name: 'of another key', key: generateKey(type), by: ca, purposes: [OID.ocspSigning] });
      assert.equal(saidBy(responseOf({ certificates: [by.certificate] }, by)), 'good', type);
    }
  });

  it('repeats the very CertID that was asked with, in whatever hash', () => {
    for (const [hash, withNull] of [
      ['2.16.840.1.101.3.4.2.1', true],
      ['2.16.840.1.101.3.4.2.3', false],
    ] as const) {
      const { name, key } = issuerHashes(hash, certificate.issuer, ca.certificate.publicKey)!;
      const serial = integer(Buffer.from(certificate.serial, 'hex'));
      const asked = readCertId(new DerReader(toDer(sequence(algorithm(hash, withNull), octetString(name), octetString(key), serial))));
      const der = responseOf({ answers: [{ certId: asked, status: { status: 'good' }, ...until }] });
      assert.deepEqual(readOcspResponse(der).responses[0]!.certId, asked);
      assert.equal(ocspAnswer(readOcspResponse(der), certificate, ca.certificate, AT)?.status, 'good');
    }
  });

  it('has times to the second, of whatever year', () => {
    const far = new Date('2051-02-03T04:05:06.789Z');
    const [single] = readOcspResponse(
      responseOf({ answers: [{ certId: id!, status: { status: 'good' }, thisUpdate: AT, nextUpdate: far }] }),
    ).responses;
    assert.equal(single!.nextUpdate, Date.parse('2051-02-03T04:05:06Z'));
  });

  it('may say only why there is no answer', () => {
    const codes = { malformedRequest: 1, internalError: 2, tryLater: 3, sigRequired: 5, unauthorized: 6 } as const;
    for (const [why, code] of Object.entries(codes) as [keyof typeof codes, number][]) {
      assert.deepEqual(ocspRefusal(why), Buffer.from([0x30, 3, 0x0a, 1, code]));
      assert.throws(() => readOcspResponse(ocspRefusal(why)), new RegExp(`the responder answered ${why}`));
    }
  });

  describe('and openssl', () => {
    const directory = temporaryDirectory();
    before(needs('openssl'));
    after(directory.remove);
    it('reads every reason', () => {
      for (const reason of REASONS.filter((each) => each !== undefined)) {
        const answers = [{ certId: id!, status: { status: 'revoked', at: AT, reason } as const, ...until }];
        const path = directory.file('response.der', responseOf({ answers, nonce: Buffer.alloc(16, 1) }));
        const text = openssl(['ocsp', '-respin', path, '-resp_text', '-noverify']);
        assert.match(text, /Cert Status: revoked\n\s+Revocation Time: Jun {2}1 12:00:00 2026 GMT/);
        if (reason !== 'unspecified')
          assert.match(text, new RegExp(`Revocation Reason: .* \\(0x${REASONS.indexOf(reason).toString(16)}\\)`));
        assert.match(text, /OCSP Nonce: \n\s+0410(01){16}/);
        assert.match(text, /Responder Id: [0-9A-F]{40}/);
      }
    });
  });
});
