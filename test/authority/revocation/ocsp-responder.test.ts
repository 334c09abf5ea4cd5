import assert from 'node:assert/strict';
import { type AnsweringAuthority, OCSP_VALIDITY, OcspResponder, answerOcsp } from '../../../src/authority/revocation/ocsp-responder.js';
import { MtlsError } from '../../../src/errors.js';
import { certId } from '../../../src/pki/cert-id.js';
import type { Certificate } from '../../../src/pki/certificate.js';
import { explicit, extension, octetString, sequence, toDer } from '../../../src/pki/encode.js';
import { readOcspResponse } from '../../../src/pki/ocsp.js';
import { ocspRequestFor, readOcspRequest } from '../../../src/pki/ocsp-request.js';
import type { CertificateStatus } from '../../../src/pki/ocsp-write.js';
import { OID } from '../../../src/pki/oids.js';
import type { Signer } from '../../../src/pki/sign.js';
import { verify } from '../../../src/validate/verify.js';
import { AT, HOUR, authority, certify, shifted } from '../../support/chains.js';

const ca = authority({ name: 'ca' });
const other = authority({ name: 'other' });
const good = certify({ name: 'good', by: ca }).certificate;
const revoked = certify({ name: 'revoked', by: ca }).certificate;
const foreign = certify({ name: 'foreign', by: other }).certificate;
const known: Readonly<Record<string, CertificateStatus>> = {
  [good.serial]: { status: 'good' },
  [foreign.serial]: { status: 'good' },
  [revoked.serial]: { status: 'revoked', at: shifted(-HOUR), reason: 'superseded' },
};

const answering = (
  issuer: Signer,
  delegate = certify({ name: 'delegate', by: issuer, purposes: [OID.ocspSigning] }),
): AnsweringAuthority => ({
  issuer: issuer.certificate,
  responder: delegate,
  statusOf: (serial) => known[serial] ?? { status: 'unknown' },
});
const authorities = [answering(ca)];

/** Asks about certificates, each of its issuer. */
type About = readonly [Certificate, Signer];
const asking = (...about: readonly About[]): Buffer =>
  toDer(sequence(sequence(sequence(...about.map(([one, by]) => sequence(certId(one, by.certificate)))))));
const asked = (...about: readonly About[]) => readOcspRequest(asking(...about));
const statuses = (der: Buffer): string[] => readOcspResponse(der).responses.map(({ status }) => status);

describe('the OCSP responder', () => {
  it('says good and revoked, and unknown of what the CA never issued', () => {
    const never = certify({ name: 'never issued', by: ca }).certificate;
    const { der, outcome, certificates } = answerOcsp(asked([good, ca], [revoked, ca], [never, ca]), authorities, AT);
    const { responses, producedAt } = readOcspResponse(der);
    assert.deepEqual([outcome, producedAt, statuses(der)], ['successful', AT.getTime(), ['good', 'revoked', 'unknown']]);
    assert.deepEqual([responses[1]!.revokedAt, responses[1]!.reason], [shifted(-HOUR).getTime(), 'superseded']);
    assert.deepEqual(
      responses.map(({ thisUpdate, nextUpdate }) => [thisUpdate, nextUpdate]),
      Array(3).fill([AT.getTime(), AT.getTime() + OCSP_VALIDITY]),
    );
    assert.deepEqual(certificates[2], { serial: never.serial, status: 'unknown' });
  });

  it('is believed by the validator', () => {
    const codes = (leaf: Certificate): string[] => {
      const { der } = answerOcsp(asked([leaf, ca]), authorities, AT);
      const request = { leaf, intermediates: [], roots: [ca.certificate], crls: [], ocsp: [readOcspResponse(der)], at: AT };
      return verify(request).errors.map(({ code }) => code);
    };
    assert.deepEqual([codes(good), codes(revoked), codes(certify({ by: ca }).certificate)], [[], ['CERT_REVOKED'], ['OCSP_UNUSABLE']]);
  });

  it('is not authorized where no CA of ours is named, and answers for one of several', () => {
    const { der, outcome } = answerOcsp(asked([foreign, other]), authorities, AT);
    assert.deepEqual([outcome, der], ['unauthorized', Buffer.from('30030a0106', 'hex')]);
    assert.deepEqual(statuses(answerOcsp(asked([foreign, other], [good, ca]), authorities, AT).der), ['unknown', 'good']);
    const both = [...authorities, answering(other)];
    assert.deepEqual(statuses(answerOcsp(asked([foreign, other], [good, ca]), both, AT).der), ['good', 'unknown']);
    assert.deepEqual(statuses(answerOcsp(asked([good, ca], [foreign, other]), both, AT).der), ['good', 'unknown']);
    // the name of one and the key of the other are no CA
    assert.equal(answerOcsp(asked([good, other]), both, AT).outcome, 'unauthorized');
    assert.equal(answerOcsp(asked([good, ca]), [], AT).outcome, 'unauthorized');
  });

  it('says nothing beyond the end of whoever vouches for it', () => {
    const short = certify({ name: 'short', by: ca, purposes: [OID.ocspSigning], notAfter: shifted(1000) });
    assert.equal(
      readOcspResponse(answerOcsp(asked([good, ca]), [answering(ca, short)], AT).der).responses[0]!.nextUpdate,
      shifted(1000).getTime(),
    );
  });

  describe('as requests come', () => {
    const responder = (at: () => readonly AnsweringAuthority[] = () => authorities) => new OcspResponder(async () => at(), HOUR);
    const request = ocspRequestFor(good, ca.certificate);
    const withNonce = toDer(
      sequence(
        sequence(
          sequence(sequence(certId(good, ca.certificate))),
          explicit(2, sequence(extension(OID.ocspNonce, false, octetString(Buffer.alloc(16, 1))))),
        ),
      ),
    );

    it('gives an answer again until half of its time is over', async () => {
      const one = responder();
      const first = await one.answer(request, AT);
      assert.equal(await one.answer(request, shifted(HOUR / 2 - 1)), first);
      const next = await one.answer(request, shifted(HOUR / 2));
      assert.equal(readOcspResponse(next.der).producedAt, shifted(HOUR / 2).getTime());
      assert.notEqual(await one.answer(request, shifted(HOUR / 2 - 1)), next, 'nor to a clock that went back');
    });

    it('not when it has a nonce, or something is not known', async () => {
      const one = responder();
      assert.notEqual(await one.answer(withNonce, AT), await one.answer(withNonce, AT));
      const never = asking([certify({ by: ca }).certificate, ca]);
      const first = await one.answer(never, AT);
      assert.deepEqual([first.outcome, first.keepable], ['successful', undefined]);
      assert.notEqual(await one.answer(never, AT), first);
    });

    it('nor when something changed', async () => {
      let now = authorities;
      const one = responder(() => now);
      assert.deepEqual(statuses((await one.answer(request, AT)).der), ['good']);
      now = [{ ...authorities[0]!, statusOf: () => ({ status: 'revoked', at: AT, reason: 'keyCompromise' }) }];
      assert.deepEqual(statuses((await one.answer(request, AT)).der), ['revoked']);
    });

    it('repeats the nonce', async () => {
      const { der, hasNonce } = await responder().answer(withNonce, AT);
      const [nonce] = readOcspResponse(der).extensions;
      assert.deepEqual(
        [hasNonce, nonce],
        [true, { oid: OID.ocspNonce, critical: false, value: Buffer.concat([Buffer.from([4, 16]), Buffer.alloc(16, 1)]) }],
      );
    });

    it('refuses what is no request, and cannot tell what it cannot read', async () => {
      const malformed = await responder().answer(Buffer.from('no request'), AT);
      assert.deepEqual([malformed.outcome, malformed.problem?.code], ['malformedRequest', 'OCSP_REQUEST_MALFORMED']);
      const unread = await responder(() => {
        throw new MtlsError('LEDGER_CORRUPT', { path: 'x', problem: 'lost' });
      }).answer(request, AT);
      assert.deepEqual(
        [unread.outcome, unread.problem?.code, unread.der],
        ['tryLater', 'LEDGER_CORRUPT', Buffer.from('30030a0103', 'hex')],
      );
      const bug = await responder(() => {
        throw new TypeError('x is undefined');
      }).answer(request, AT);
      assert.deepEqual([bug.outcome, bug.problem?.code], ['internalError', 'INTERNAL']);
    });

    it('keeps no more than a thousand', async () => {
      const list = [{ ...authorities[0]!, statusOf: (): CertificateStatus => ({ status: 'good' }) }];
      const all = responder(() => list);
      const first = await all.answer(request, AT);
      for (let i = 0; i < 1_100; i++) await all.answer(asking([{ ...good, serial: (0x10_00_00 + i).toString(16) }, ca]), AT);
      assert.notEqual(await all.answer(request, AT), first);
    });
  });
});
