import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { enumerated, extension, explicit, integer, octetString, oid, sequence, toDer } from '../../src/pki/encode.js';
import { type OcspResponse, readOcspResponse } from '../../src/pki/ocsp.js';
import { OID } from '../../src/pki/oids.js';
import { DAY, HOUR, SCHEMES, authority, certify, crlOf, shifted } from '../support/chains.js';
import { issuingDistributionPoint } from '../support/extensions.js';
import { certificatePem, keyPem, temporaryDirectory } from '../support/material.js';
import { type OcspRecipe, ocspDer, ocspOf } from '../support/ocsp.js';
import { needs } from '../support/programs.js';
import { ask, isBad, isGood } from './support.js';

const root = authority({ name: 'root' });
const leaf = certify({ name: 'leaf', by: root });
const about = leaf.certificate;
const responder = certify({ name: 'responder', by: root, purposes: [OID.ocspSigning] });

const judge = (...ocsp: readonly OcspResponse[]): ReturnType<typeof ask> => ask(leaf, [], [root], { ocsp });
const answer = (more: Partial<OcspRecipe> = {}): OcspResponse => ocspOf({ about, issuer: root, ...more });

describe('revocation by OCSP responses', () => {
  it('takes the word of the issuer, and of whom it delegated to', () => {
    isGood(judge(answer()));
    isGood(judge(answer({ hash: 'sha256', byKeyHash: true })));
    isGood(judge(answer({ by: responder })));
    isGood(judge(answer({ by: responder, byKeyHash: true })));
  });

  it('says that a certificate is revoked, when and why', () => {
    const verdict = judge(answer({ status: { revoked: shifted(-DAY), reason: 1 } }));
    isBad(verdict, 'CERT_REVOKED');
    assert.equal(
      verdict.errors[0]!.message,
      'leaf: revoked 2026-05-31T12:00:00Z (keyCompromise), by the OCSP response of 2026-06-01T11:00:00Z',
    );
    isBad(judge(answer(), answer({ status: { revoked: shifted(-DAY) } })), 'CERT_REVOKED');
  });

  it('relies on none that is not in force, not rightly signed or not understood', () => {
    const stranger = authority({ name: 'stranger' });
    const cases: readonly [Partial<OcspRecipe>, RegExp][] = [
      [{ thisUpdate: shifted(1000) }, /begins 2026-06-01T12:00:01Z/],
      [{ thisUpdate: shifted(-DAY), nextUpdate: shifted(-1000) }, /ended 2026-06-01T11:59:59Z/],
      [{ nextUpdate: null }, /no nextUpdate/],
      [{ status: 'unknown' }, /does not know/],
      [{ signedBy: stranger.key }, /not signed by the key of root/],
      [{ scheme: SCHEMES.ecdsaSha1 }, /weak signature/],
      [{ extensions: [extension('1.2.3', true, integer(1))] }, /critical extension 1\.2\.3/],
      [{ by: responder, withoutCertificate: true }, /whose certificate it does not bring/],
      [{ by: stranger }, /is by stranger, whom root did not delegate/],
      [{ by: certify({ name: 'no eku', by: root }) }, /not for ocspSigning/],
      [{ by: certify({ name: 'old', by: root, purposes: [OID.ocspSigning], notAfter: shifted(-HOUR) }) }, /not in force/],
      [{ by: certify({ name: 'false', by: root, signedBy: stranger.key, purposes: [OID.ocspSigning] }) }, /did not sign/],
      [{ by: certify({ name: 'sha1', by: root, scheme: SCHEMES.ecdsaSha1, purposes: [OID.ocspSigning] }) }, /weakly signed/],
      [
        { by: certify({ name: 'odd', by: root, purposes: [OID.ocspSigning], more: [extension('1.2.3', true, integer(1))] }) },
        /by odd: 1\.2\.3 is not supported/,
      ],
      [
        { by: certify({ name: 'mute', by: root, purposes: [OID.ocspSigning], keyUsage: ['keyAgreement'] }) },
        /by mute, whose key may not sign/,
      ],
    ];
    for (const [recipe, reason] of cases) {
      const verdict = judge(answer(recipe));
      isBad(verdict, 'OCSP_UNUSABLE');
      assert.match(verdict.errors[0]!.message, reason);
      isGood(judge(answer(recipe), answer()));
    }
  });

  it('believes no delegate whom a CRL of the issuer revokes', () => {
    const crls = [crlOf({ by: root, revoked: [responder], more: [issuingDistributionPoint({ reasons: [1] })] })];
    const verdict = ask(leaf, [], [root], { ocsp: [answer({ by: responder })], crls });
    assert.match(verdict.errors[0]?.message ?? '', /is by responder, which is revoked/);
    isGood(ask(leaf, [], [root], { ocsp: [answer()], crls }));
  });

  it('looks at every certificate of the responder that is sent', () => {
    const { key } = responder;
    const expired = certify({ name: 'responder', key, by: root, purposes: [OID.ocspSigning], notAfter: shifted(-HOUR) });
    const unfit = certify({ name: 'responder', key, by: root });
    isGood(judge(answer({ by: responder, before: [expired.certificate, unfit.certificate] })));
  });

  it('about others says nothing', () => {
    const other = certify({ by: root });
    isBad(judge(ocspOf({ about: other.certificate, issuer: root })), 'CRL_NOT_FOUND');
    const namesake = authority({ name: 'root' });
    isBad(judge(ocspOf({ about, issuer: namesake })), 'CRL_NOT_FOUND');
  });

  it('stands beside CRLs: either will do, and whichever says revoked is believed', () => {
    const silent = crlOf({ by: root });
    const revoking = crlOf({ by: root, revoked: [{ certificate: about }] });
    const both = (crl: typeof silent, ocsp: OcspResponse): ReturnType<typeof ask> => ask(leaf, [], [root], { crls: [crl], ocsp: [ocsp] });
    isGood(both(silent, answer({ status: 'unknown' })));
    isGood(both(crlOf({ by: root, nextUpdate: shifted(-1000), thisUpdate: shifted(-DAY) }), answer()));
    isBad(both(revoking, answer()), 'CERT_REVOKED');
    isBad(both(silent, answer({ status: { revoked: shifted(-DAY) } })), 'CERT_REVOKED');
  });

  it('that is none is told so', () => {
    const der = ocspDer({ about, issuer: root });
    const refused = (bytes: Buffer, reason: RegExp): void => assert.throws(() => readOcspResponse(bytes), reason);
    refused(toDer(sequence(enumerated(3))), /the responder answered tryLater/);
    refused(toDer(sequence(enumerated(9))), /answered 9/);
    refused(toDer(sequence(enumerated(0), explicit(0, sequence(oid('1.2.3'), octetString(Buffer.alloc(0)))))), /type 1\.2\.3/);
    refused(der.subarray(0, -1), /not an OCSP response: not DER/);
    refused(Buffer.alloc(0), /not an OCSP response/);
    for (let at = 0; at < der.length; at++) {
      const torn = Buffer.from(der);
      torn[at]! ^= 0x20;
      try {
        assert.ok(readOcspResponse(torn).responses.length <= 1);
      } catch (error) {
        assert.equal((error as { code?: string }).code, 'OCSP_MALFORMED');
      }
    }
  });
});

describe('OCSP responses of openssl', () => {
  const directory = temporaryDirectory();
  before(needs('openssl'));
  after(directory.remove);

  it('say good and revoked, by the issuer and by a delegate', () => {
    const file = (name: string, text: string): string => {
      const path = join(directory.path, name);
      writeFileSync(path, text, { mode: 0o600 });
      return path;
    };
    // openssl answers for now
    const now = { notBefore: new Date(Date.now() - HOUR), notAfter: new Date(Date.now() + DAY) };
    const ca = authority({ name: 'ca', ...now });
    const delegate = certify({ name: 'delegate', by: ca, purposes: [OID.ocspSigning], ...now });
    const [good, revoked] = [certify({ name: 'good', by: ca, ...now }), certify({ name: 'revoked', by: ca, ...now })];
    const caPath = file('ca.pem', certificatePem(ca.certificate));
    const serial = (text: string): string => (text.length % 2 === 0 ? text : `0${text}`).toUpperCase();
    const index = file(
      'index.txt',
      `V\t270101000000Z\t\t${serial(good.certificate.serial)}\tunknown\t/CN=good\nR\t270101000000Z\t260101000000Z,keyCompromise\t${serial(revoked.certificate.serial)}\tunknown\t/CN=revoked\n`,
    );
    for (const by of [ca, delegate]) {
      const signer = file('signer.pem', certificatePem(by.certificate));
      const key = file('signer.key', keyPem(by.key));
      for (const [one, expected] of [
        [good, []],
        [revoked, ['CERT_REVOKED']],
      ] as const) {
        const cert = file('cert.pem', certificatePem(one.certificate));
        const out = join(directory.path, 'response.der');
        const args = ['ocsp', '-index', index, '-CA', caPath, '-rsigner', signer, '-rkey', key, '-issuer', caPath, '-cert', cert];
        execFileSync('openssl', [...args, '-respout', out, '-ndays', '1', '-noverify'], { stdio: 'pipe' });
        const verdict = ask(one, [], [ca], { ocsp: [readOcspResponse(readFileSync(out))], at: new Date(Date.now() + 1000) });
        assert.deepEqual(
          verdict.errors.map(({ code }) => code),
          expected,
        );
      }
    }
  });
});
