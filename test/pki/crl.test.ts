import assert from 'node:assert/strict';
import { isError } from '../../src/errors.js';
import { type Crl, REASONS, countRevoked, findRevoked, readCrl, revokedEntries } from '../../src/pki/crl.js';
import { TAG } from '../../src/pki/der.js';
import {
  type Node,
  algorithm,
  bitString,
  element,
  embed,
  enumerated,
  explicit,
  extension,
  integer,
  name,
  octetString,
  oid,
  sequence,
  time,
  toDer,
  utf8,
} from '../../src/pki/encode.js';
import { readCertificate } from '../../src/pki/certificate.js';
import { verifySignature } from '../../src/pki/algorithms.js';
import { keyIdentifier } from '../../src/pki/key.js';
import { OID } from '../../src/pki/oids.js';
import { signCrl } from '../../src/pki/sign.js';
import { testCa } from '../support/material.js';

const ca = testCa();
const AT = new Date('2026-01-01T00:00:00Z');
const NEXT = new Date('2026-02-01T00:00:00Z');

const signed = (revoked: readonly (readonly [serial: string, reason: NonNullable<(typeof REASONS)[number]>])[]): Crl =>
  signCrl(
    { number: 256n, thisUpdate: AT, nextUpdate: NEXT, revoked: revoked.map(([serial, reason]) => ({ serial, date: AT, reason })) },
    ca,
  );

interface Parts {
  readonly version?: Node | null;
  readonly next?: boolean;
  readonly revoked?: Node | null;
  readonly extensions?: readonly Node[] | null;
}

function built({ version = integer(1), next = true, revoked = null, extensions = null }: Parts): Buffer {
  const ecdsa = algorithm(OID.ecdsaWithSha256, false);
  const tbs = sequence(
    ...(version === null ? [] : [version]),
    ecdsa,
    name([[OID.commonName, 'x']]),
    time(AT),
    ...(next ? [time(NEXT)] : []),
    ...(revoked === null ? [] : [revoked]),
    ...(extensions === null ? [] : [explicit(0, sequence(...extensions))]),
  );
  return toDer(sequence(tbs, ecdsa, bitString(Buffer.alloc(8))));
}

const entry = (serial: string, ...rest: readonly Node[]): Node =>
  sequence(embed(element(TAG.integer, [Buffer.from(serial, 'hex')])), time(AT), ...rest);
const reason = (code: Node): Node => sequence(extension(OID.reasonCode, false, code));

const malformed = (read: () => unknown, problem: RegExp): void =>
  assert.throws(read, (error) => {
    assert.ok(isError(error, 'CRL_MALFORMED'), String(error));
    assert.match(error.message, problem);
    return true;
  });

describe('a CRL', () => {
  it('is read as it was signed', () => {
    const crl = signed([
      ['0a', 'keyCompromise'],
      ['00ff00', 'unspecified'],
      ['7f'.repeat(20), 'privilegeWithdrawn'],
    ]);
    assert.deepEqual([crl.version, crl.thisUpdate, crl.nextUpdate, crl.number], [2, AT.getTime(), NEXT.getTime(), '0100']);
    assert.equal(crl.authorityKeyId, ca.certificate.subjectKeyId);
    assert.ok(crl.issuer.der.equals(ca.certificate.subject.der));
    assert.equal(verifySignature(crl.signatureAlgorithm, crl.tbs, crl.signature, ca.certificate.publicKey), 'valid');
    assert.deepEqual(
      [...revokedEntries(crl)].map(({ serial, date, reason: why }) => [serial, date, why]),
      [
        ['0a', AT.getTime(), 'keyCompromise'],
        ['00ff00', AT.getTime(), undefined],
        ['7f'.repeat(20), AT.getTime(), 'privilegeWithdrawn'],
      ],
    );
    assert.equal(countRevoked(crl), 3);
    assert.equal(findRevoked(crl, '00ff00')?.serial, '00ff00');
    assert.equal(findRevoked(crl, '0a')?.reason, 'keyCompromise');
    assert.equal(findRevoked(crl, '7f'.repeat(19)), undefined);
    assert.equal(findRevoked(crl, ''), undefined);
  });

  it('says nothing when nothing is revoked', () => {
    const crl = signed([]);
    assert.equal(crl.revoked.length, 0);
    assert.deepEqual([countRevoked(crl), findRevoked(crl, '01'), [...revokedEntries(crl)]], [0, undefined, []]);
  });

  it('has the key identifier of an issuer whose certificate has none', () => {
    const bare = { ...ca.certificate, subjectKeyId: undefined };
    const crl = signCrl({ number: 1n, thisUpdate: AT, nextUpdate: NEXT, revoked: [] }, { certificate: bare, key: ca.key });
    assert.equal(crl.authorityKeyId, keyIdentifier(ca.certificate.publicKey).toString('hex'));
    assert.equal(readCertificate(ca.certificate.der).subjectKeyId, crl.authorityKeyId);
  });

  it('of version 1 has no extensions, neither its own nor of its entries', () => {
    const plain = readCrl(built({ version: null, revoked: sequence(entry('05')) }));
    assert.deepEqual([plain.version, plain.number, findRevoked(plain, '05')?.reason], [1, undefined, undefined]);
    const number = [extension(OID.crlNumber, false, integer(1))];
    malformed(() => readCrl(built({ version: null, extensions: number })), /extensions need version 2/);
    const withReason = readCrl(built({ version: null, revoked: sequence(entry('05', reason(enumerated(1)))) }));
    malformed(() => [...revokedEntries(withReason)], /extensions of an entry need version 2/);
    malformed(() => findRevoked(withReason, '05'), /extensions of an entry need version 2/);
    malformed(() => readCrl(built({ version: integer(0) })), /version 2/);
    malformed(() => readCrl(built({ version: integer(2) })), /version 2/);
  });

  it('may lack its next update, and may have a list that is empty', () => {
    assert.equal(readCrl(built({ next: false })).nextUpdate, undefined);
    assert.equal(countRevoked(readCrl(built({ revoked: sequence() }))), 0);
  });

  it('is refused for extensions that are none', () => {
    malformed(() => readCrl(built({ extensions: [] })), /an extension/);
    malformed(() => readCrl(built({ extensions: [extension(OID.crlNumber, false, utf8('1'))] })), /in the value of crlNumber/);
    const trailing = sequence(oid(OID.crlNumber), octetString(Buffer.from('02010100', 'hex')));
    malformed(() => readCrl(built({ extensions: [trailing] })), /trailing bytes.*crlNumber/);
    malformed(() => readCrl(built({ extensions: [extension(OID.authorityKeyIdentifier, false, integer(1))] })), /authorityKeyIdentifier/);
  });

  it('keeps reasons without a name by number, and refuses those that are none', () => {
    const read = (code: Node): unknown => findRevoked(readCrl(built({ revoked: sequence(entry('05', reason(code))) })), '05')?.reason;
    for (const [code, label] of REASONS.entries()) assert.equal(read(enumerated(code)), label ?? 7);
    assert.equal(read(enumerated(99)), 99);
    assert.throws(() => read(integer(1)), /unexpected tag.*reasonCode/);
    assert.throws(() => read(embed(Buffer.from('0a00', 'hex'))), /empty integer/);
  });

  it('is walked by count and look-up as strictly as by the reader, as far as they look', () => {
    const lists: readonly (readonly [Buffer, RegExp])[] = [
      ['3000', /missing element/],
      ['3002 0200', /empty integer/],
      ['3005 0203 01', /truncated/],
      ['3004 0202 0001', /integer not minimal/],
      ['3004 0202 ff80', /integer not minimal/],
      ['3003 0401 01', /unexpected tag/],
      ['3103 0201 01', /unexpected tag/],
      ['3080 0201 01 0000', /indefinite length/],
      ['3081 03 0201 01', /length not minimal/],
      ['30', /truncated/],
      ['3003 0201', /truncated/],
      ['3004 0281 0101', /length not minimal/],
      ['3005 0204 0101 01', /truncated/],
    ].map(([hex, problem]) => [Buffer.from((hex as string).replaceAll(' ', ''), 'hex'), problem as RegExp]);
    const good = toDer(entry('05'));
    for (const [bad, problem] of lists) {
      const crl = { ...signed([]), revoked: Buffer.concat([good, bad]) };
      malformed(() => countRevoked(crl), problem);
      malformed(() => findRevoked(crl, '77'), problem);
      malformed(() => [...revokedEntries(crl)], problem);
      assert.equal(findRevoked(crl, '05')?.serial, '05', 'found before what is broken');
    }
  });

  it('has entries of more than 127 octets as well', () => {
    const long = entry(
      '0102',
      sequence(extension('1.2.3.4', false, utf8('x'.repeat(300))), extension(OID.reasonCode, false, enumerated(4))),
    );
    const wide = entry('11'.repeat(140));
    const crl = readCrl(built({ revoked: sequence(entry('05'), long, wide, entry('06')) }));
    assert.equal(countRevoked(crl), 4);
    assert.equal(findRevoked(crl, '0102')?.reason, 'superseded');
    assert.equal(findRevoked(crl, '06')?.serial, '06');
    assert.equal(findRevoked(crl, '11'.repeat(140))?.serial.length, 280);
    assert.equal(findRevoked(crl, '11'.repeat(139)), undefined);
  });

  it('of 200,000 entries is searched in a few hundredths of a second', () => {
    const one = toDer(entry('00deadbeefdeadbeefdeadbeefdeadbeef', reason(enumerated(1))));
    const last = toDer(entry('0badcafe'));
    const crl = { ...signed([]), revoked: Buffer.concat([...Array<Buffer>(200_000).fill(one), last]) };
    countRevoked(crl);
    const start = performance.now();
    assert.equal(findRevoked(crl, '0badcafe')?.serial, '0badcafe');
    assert.equal(countRevoked(crl), 200_001);
    const took = performance.now() - start;
    // 25 ms where this was written; a reader that makes objects takes twenty times as long
    assert.ok(took < 250, `${took} ms`);
  });

  it('of 150,000 entries can be signed', () => {
    const revoked = Array.from({ length: 150_000 }, (_, i) => [(i + 0x10000).toString(16).padStart(6, '0'), 'superseded'] as const);
    const crl = signed(revoked);
    assert.equal(countRevoked(crl), revoked.length);
    assert.equal(findRevoked(crl, revoked.at(-1)![0])?.reason, 'superseded');
  });
});
