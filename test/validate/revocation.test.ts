import assert from 'node:assert/strict';
import { type Crl, readCrl } from '../../src/pki/crl.js';
import {
  type Node,
  element,
  embed,
  enumerated,
  extension,
  integer,
  octetString,
  oid,
  sequence,
  time,
  toDer,
  utf8,
} from '../../src/pki/encode.js';
import { generateKey } from '../../src/pki/key.js';
import { OID } from '../../src/pki/oids.js';
import type { Signer } from '../../src/pki/sign.js';
import { DAY, HOUR, SCHEMES, authority, certify, crlOf, rsaKey, shifted } from '../support/chains.js';
import { distributionPoints, issuingDistributionPoint } from '../support/extensions.js';
import { ask, isBad, isGood } from './support.js';

const root = authority({ name: 'root' });
const middle = authority({ name: 'middle', by: root });
const leaf = certify({ name: 'leaf', by: middle });
const rootCrl = crlOf({ by: root });

const judge = (...crls: readonly Crl[]): ReturnType<typeof ask> => ask(leaf, [middle], [root], { crls: [rootCrl, ...crls] });

describe('revocation by CRLs', () => {
  it('needs a CRL of each CA above a certificate, and none of others', () => {
    isGood(judge(crlOf({ by: middle })));
    isBad(ask(leaf, [middle], [root], { crls: [crlOf({ by: middle })] }), 'CRL_NOT_FOUND');
    isBad(judge(), 'CRL_NOT_FOUND');
    isBad(judge(crlOf({ by: authority({ name: 'other' }) })), 'CRL_NOT_FOUND');
  });

  it('finds what is revoked, wherever it is in the path, with its date and reason', () => {
    const verdict = judge(crlOf({ by: middle, revoked: [{ certificate: leaf.certificate, reason: 'keyCompromise' }] }));
    isBad(verdict, 'CERT_REVOKED');
    assert.equal(verdict.errors[0]!.message, 'leaf: revoked 2026-06-01T10:00:00Z (keyCompromise), by the CRL of 2026-06-01T11:00:00Z');
    const above = crlOf({ by: root, revoked: [{ certificate: middle.certificate }] });
    isBad(ask(leaf, [middle], [root], { crls: [above, crlOf({ by: middle })] }), 'CERT_REVOKED');
    isGood(judge(crlOf({ by: middle, revoked: [{ certificate: middle.certificate }] })));
  });

  it('relies on no CRL that is not in force, not rightly signed, or not allowed', () => {
    const other = generateKey('ecdsa-p256');
    const cases: readonly [string, Crl][] = [
      ['CRL_EXPIRED', crlOf({ by: middle, thisUpdate: shifted(-2 * DAY), nextUpdate: shifted(-1000) })],
      ['CRL_NOT_YET_VALID', crlOf({ by: middle, thisUpdate: shifted(1000) })],
      ['CRL_SIGNATURE_INVALID', crlOf({ by: middle, signedBy: other })],
      ['CRL_SIGNATURE_INVALID', crlOf({ by: middle, scheme: SCHEMES.ecdsaSha256, innerScheme: SCHEMES.ecdsaSha384 })],
      ['CRL_SIGNATURE_INVALID', crlOf({ by: middle, scheme: SCHEMES.ecdsaSha1 })],
      ['CRL_UNSUPPORTED', crlOf({ by: middle, nextUpdate: null })],
      ['CRL_UNSUPPORTED', crlOf({ by: middle, more: [extension('1.2.3', true, integer(1))] })],
      ['CRL_UNSUPPORTED', crlOf({ by: middle, more: [extension(OID.deltaCrlIndicator, true, integer(1))] })],
      ['CRL_UNSUPPORTED', crlOf({ by: middle, more: [issuingDistributionPoint({ flags: [4] })] })],
      ['CRL_MALFORMED', crlOf({ by: middle, more: [extension(OID.issuingDistributionPoint, true, integer(1))] })],
      ['CRL_MALFORMED', crlOf({ by: middle, list: toDer(sequence(integer(1))) })],
    ];
    for (const [code, crl] of cases) {
      isBad(judge(crl), code);
      isGood(judge(crl, crlOf({ by: middle })));
      isGood(judge(crlOf({ by: middle }), crl));
    }
    isGood(judge(crlOf({ by: middle, nextUpdate: shifted(0) })));
    isGood(judge(crlOf({ by: middle, thisUpdate: shifted(0) })));
    isGood(judge(crlOf({ by: middle, more: [extension('1.2.3', false, integer(1))] })));
  });

  it('needs cRLSign of a CA that names its key usages', () => {
    const mute = authority({ name: 'mute', by: root, keyUsage: ['keyCertSign'] });
    const below = certify({ by: mute });
    isBad(ask(below, [mute], [root], { crls: [rootCrl, crlOf({ by: mute })] }), 'CRL_SIGN_MISSING');
    const silent = authority({ name: 'silent', by: root, keyUsage: null });
    isGood(ask(certify({ by: silent }), [silent], [root], { crls: [rootCrl, crlOf({ by: silent })] }));
  });

  it('takes SHA-1 where it was allowed', () => {
    const crls = [rootCrl, crlOf({ by: middle, scheme: SCHEMES.ecdsaSha1 })];
    isGood(ask(leaf, [middle], [root], { crls, allowSha1: true }));
  });

  it('believes no list with an entry whose critical extension it does not know', () => {
    const entry = (...extensions: readonly Node[]): Buffer =>
      toDer(sequence(sequence(integer(77), time(shifted(-HOUR)), sequence(...extensions))));
    isBad(judge(crlOf({ by: middle, list: entry(extension('1.2.3', true, integer(1))) })), 'CRL_UNSUPPORTED');
    isGood(judge(crlOf({ by: middle, list: entry(extension('1.2.3', false, integer(1))) })));
    isGood(judge(crlOf({ by: middle, list: entry(extension('1.2.3', false, octetString(Buffer.from([1, 1, 0xff])))) })));
  });

  it('finds a hold, until a later CRL is silent about it', () => {
    const held = (hours: number): Crl =>
      crlOf({ by: middle, thisUpdate: shifted(-hours * HOUR), revoked: [{ certificate: leaf.certificate, reason: 'certificateHold' }] });
    isBad(judge(held(1)), 'CERT_REVOKED');
    isBad(judge(held(1), crlOf({ by: middle, thisUpdate: shifted(-3 * HOUR) })), 'CERT_REVOKED');
    isGood(judge(held(3), crlOf({ by: middle, thisUpdate: shifted(-HOUR) })));
    isBad(judge(held(3), crlOf({ by: middle, thisUpdate: shifted(-2 * HOUR) }), held(1)), 'CERT_REVOKED');
    const compromised = crlOf({
      by: middle,
      thisUpdate: shifted(-3 * HOUR),
      revoked: [{ certificate: leaf.certificate, reason: 'keyCompromise' }],
    });
    isBad(judge(compromised, crlOf({ by: middle })), 'CERT_REVOKED');
  });

  it('lets a delta CRL say that something is revoked, and nothing else', () => {
    const delta = (reason: number): Crl =>
      crlOf({
        by: middle,
        more: [extension(OID.deltaCrlIndicator, true, integer(1))],
        list: toDer(
          sequence(
            sequence(
              integer(Buffer.from(leaf.certificate.serial, 'hex')),
              time(shifted(-HOUR)),
              sequence(extension(OID.reasonCode, false, enumerated(reason))),
            ),
          ),
        ),
      });
    isBad(judge(crlOf({ by: middle }), delta(1)), 'CERT_REVOKED');
    // taking something off the list is not supported: refused
    isBad(judge(crlOf({ by: middle }), delta(8)), 'CERT_REVOKED');
  });

  it('is signed by another key of the CA, where that leads to the same anchor', () => {
    const signer = authority({ name: 'middle', by: root, keyUsage: ['cRLSign'] });
    const certSigner = authority({ name: 'middle', by: root, keyUsage: ['keyCertSign'] });
    const below = certify({ by: certSigner });
    const crls = [rootCrl, crlOf({ by: signer })];
    isGood(ask(below, [certSigner, signer], [root], { crls }));
    isBad(ask(below, [certSigner], [root], { crls }), 'CRL_SIGN_MISSING');
    const stranger = authority({ name: 'middle', by: authority({ name: 'root' }), keyUsage: ['cRLSign'] });
    isBad(ask(below, [certSigner, stranger], [root], { crls: [rootCrl, crlOf({ by: stranger })] }), 'CRL_SIGN_MISSING');
    const revoked = crlOf({ by: root, revoked: [{ certificate: signer.certificate }] });
    isBad(ask(below, [certSigner, signer], [root], { crls: [revoked, crlOf({ by: signer })] }), 'CRL_SIGN_MISSING');
    // nobody vouches for himself
    const self = authority({ name: 'middle', by: certSigner, keyUsage: ['cRLSign'] });
    isBad(ask(below, [certSigner, self], [root], { crls: [rootCrl, crlOf({ by: self })] }), 'CRL_SIGN_MISSING');
  });

  it('is signed by the old key or the new one where a CA changed its key', () => {
    const old = authority({ name: 'ca', by: root });
    const young = authority({ name: 'ca', by: root });
    const oldByNew = authority({ name: 'ca', key: old.key, by: young });
    const below = certify({ by: oldByNew });
    isGood(ask(below, [young, oldByNew], [root], { crls: [rootCrl, crlOf({ by: young })] }), below, oldByNew, young, root);
    const bad = crlOf({ by: young, revoked: [{ certificate: below.certificate }] });
    isBad(ask(below, [young, oldByNew], [root], { crls: [rootCrl, bad] }), 'CERT_REVOKED');
  });

  it('that is a warning where it cannot be told and that is allowed, and revoked all the same', () => {
    const soft = (...crls: readonly Crl[]): ReturnType<typeof ask> => ask(leaf, [middle], [root], { crls, softRevocation: true });
    const verdict = soft(rootCrl);
    isGood(verdict);
    assert.deepEqual(
      verdict.warnings.map(({ code }) => code),
      ['CRL_NOT_FOUND'],
    );
    isBad(soft(rootCrl, crlOf({ by: middle, revoked: [{ certificate: leaf.certificate }] })), 'CERT_REVOKED');
  });

  it('is asked for where CRLs were meant and none could be read', () => {
    isBad(ask(leaf, [middle], [root], { revocation: 'required' }), 'CRL_NOT_FOUND', 'CRL_NOT_FOUND');
  });

  it('reads a CRL signed with RSA', () => {
    const rsa = authority({ name: 'rsa', by: root, key: rsaKey(2048) });
    isGood(ask(certify({ by: rsa }), [rsa], [root], { crls: [rootCrl, readCrl(crlOf({ by: rsa }).der)] }));
  });
});

describe('the scope of a CRL', () => {
  const CA_CRL = 'http://crl.test/ca';
  const named = (uri: string, reasons?: readonly number[]): Signer =>
    certify({
      name: 'named',
      by: middle,
      more: [distributionPoints({ names: { uri: [uri] }, ...(reasons === undefined ? {} : { reasons }) })],
    });
  const scoped = (scope: Parameters<typeof issuingDistributionPoint>[0]): Crl =>
    crlOf({ by: middle, more: [issuingDistributionPoint(scope)] });
  const of = (who: Signer, ...crls: readonly Crl[]): ReturnType<typeof ask> => ask(who, [middle], [root], { crls: [rootCrl, ...crls] });

  it('may be users, CAs or attribute certificates only', () => {
    const sub = authority({ name: 'sub', by: middle });
    isGood(of(leaf, scoped({ flags: [1] })));
    isBad(of(leaf, scoped({ flags: [2] })), 'CRL_NOT_FOUND');
    isBad(of(leaf, scoped({ flags: [5] })), 'CRL_NOT_FOUND');
    isGood(of(sub, scoped({ flags: [2] })));
    isBad(of(sub, scoped({ flags: [1] })), 'CRL_NOT_FOUND');
  });

  it('may be a distribution point, which the certificate names too', () => {
    isGood(of(named(CA_CRL), scoped({ names: { uri: [CA_CRL] } })));
    isGood(of(named(CA_CRL), scoped({ names: { uri: ['ldap://x', CA_CRL] } })));
    isGood(of(named(CA_CRL), crlOf({ by: middle })));
    isBad(of(named(CA_CRL), scoped({ names: { uri: ['http://crl.test/other'] } })), 'CRL_NOT_FOUND');
    isBad(of(leaf, scoped({ names: { uri: [CA_CRL] } })), 'CRL_NOT_FOUND');
    // without points of its own a certificate belongs to the CRL with the name of its issuer
    isGood(of(leaf, scoped({ names: { directory: [[[OID.commonName, 'middle']]] } })));
    const pointed = certify({ by: middle, more: [distributionPoints({ names: { directory: [[[OID.commonName, 'Point']]] } })] });
    isGood(of(pointed, scoped({ names: { directory: [[[OID.commonName, 'POINT']]] } })));
  });

  it('may be a name behind that of the issuer', () => {
    const rdn = element(0xa1, [toDer(sequence(oid(OID.organizationalUnitName), utf8('part 1')))]);
    const point = embed(element(0x30, [element(0xa0, [rdn])]));
    const who = certify({ by: middle, more: [extension(OID.crlDistributionPoints, false, sequence(point))] });
    const whole = [
      [OID.commonName, 'middle'],
      [OID.organizationalUnitName, 'part 1'],
    ] as const;
    isGood(of(who, scoped({ names: { directory: [whole] } })));
    isBad(of(who, scoped({ names: { directory: [[[OID.commonName, 'middle']]] } })), 'CRL_NOT_FOUND');
  });

  it('of another issuer is an indirect CRL, which is not asked', () => {
    const who = certify({
      by: middle,
      more: [distributionPoints({ names: { uri: [CA_CRL] }, issuer: { directory: [[[OID.commonName, 'somebody']]] } })],
    });
    isBad(of(who, scoped({ names: { uri: [CA_CRL] } })), 'CRL_NOT_FOUND');
    isGood(of(who, crlOf({ by: middle })));
  });

  it('may be some reasons, and all of them are needed', () => {
    const few = scoped({ reasons: [1, 2] });
    const rest = scoped({ reasons: [3, 4, 5, 6, 7, 8] });
    isBad(of(leaf, few), 'CRL_NOT_FOUND');
    isGood(of(leaf, few, rest));
    isGood(of(leaf, few, crlOf({ by: middle })));
    isBad(of(named(CA_CRL, [1, 2]), scoped({ names: { uri: [CA_CRL] } })), 'CRL_NOT_FOUND');
    const revoked = crlOf({ by: middle, revoked: [{ certificate: leaf.certificate }], more: [issuingDistributionPoint({ reasons: [1] })] });
    isBad(of(leaf, revoked), 'CERT_REVOKED');
  });

  it('says nothing of what is not in it', () => {
    const elsewhere = crlOf({ by: middle, revoked: [leaf], more: [issuingDistributionPoint({ flags: [5] })] });
    isBad(of(leaf, elsewhere), 'CRL_NOT_FOUND');
    isGood(of(leaf, elsewhere, crlOf({ by: middle })));
  });
});
