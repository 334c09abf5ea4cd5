import assert from 'node:assert/strict';
import { isError } from '../../src/errors.js';
import { definite, isIndefinite } from '../../src/pki/ber.js';
import { DerReader, TAG } from '../../src/pki/der.js';
import { element } from '../../src/pki/encode.js';
import { itemsIn } from '../../src/pki/material.js';
import { writePkcs12 } from '../../src/pki/pkcs12-write.js';
import { readPkcs12 } from '../../src/pki/pkcs12.js';
import { testCa } from '../support/material.js';

const END = Buffer.alloc(2);
const indefinite = (tag: number, ...contents: readonly Buffer[]): Buffer => Buffer.concat([Buffer.of(tag, 0x80), ...contents, END]);
const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');

/** A string in pieces of `size`. */
function inPieces(content: Buffer, size: number): Buffer[] {
  const pieces: Buffer[] = [];
  for (let at = 0; at < content.length; at += size) pieces.push(element(TAG.octetString, [content.subarray(at, at + size)]));
  return pieces;
}

/** DER as NSS would write it: no length is definite that need not be, strings come in pieces. */
function asBer(der: Buffer): Buffer {
  const reader = new DerReader(der);
  const parts: Buffer[] = [];
  while (!reader.atEnd) {
    const { tag, content, whole } = reader.element();
    if ((tag & 0x20) !== 0) parts.push(indefinite(tag, asBer(content)));
    else if (tag === TAG.octetString && content.length > 20) parts.push(indefinite(0x24, ...inPieces(content, 17)));
    else parts.push(tag === 0x80 ? indefinite(0xa0, ...inPieces(content, 16)) : whole);
  }
  return Buffer.concat(parts);
}

const refused = (bytes: Buffer): void =>
  assert.throws(
    () => definite(bytes),
    (error) => isError(error, 'DER_MALFORMED'),
    bytes.toString('hex'),
  );

describe('BER of indefinite length', () => {
  const root = testCa();
  const file = { certificates: [root.certificate], key: root.key, friendlyName: 'api', passphrase: 'x', iterations: 1 };

  it('becomes DER, strings in pieces whole', () => {
    assert.deepEqual(definite(hex('3080 020101 0000')), hex('3003 020101'));
    assert.deepEqual(definite(hex('3080 2480 0401aa 2480 0402bbcc 0000 0000 0000')), hex('3005 0403aabbcc'));
    assert.deepEqual(definite(hex('3080 3007 a080 020101 0000 0000')), hex('3007 3005 a003 020101'));
  });

  it('reads as the PKCS#12 that it is, at every depth', () => {
    const der = writePkcs12(file);
    const ber = asBer(der);
    assert.ok(isIndefinite(ber));
    assert.deepEqual(definite(ber), der);
    const [item] = itemsIn(ber, 'api.p12');
    assert.equal(item!.kind, 'pkcs12');
    const { certificates, keys } = readPkcs12(ber, 'x', 'api.p12');
    assert.deepEqual(certificates[0]!.der, root.certificate.der);
    assert.ok(keys[0]!.equals(root.key));
    assert.throws(() => readPkcs12(ber, 'y', 'api.p12'), { code: 'PASSPHRASE_WRONG' });
  });

  it('leaves everything else as it is, and for the strict reader to refuse', () => {
    for (const bytes of [hex('3003 020101'), hex('0401aa'), hex(''), hex('3180 0000'), hex('308103 020101')])
      assert.equal(definite(bytes), bytes);
    assert.throws(() => itemsIn(hex('3080 0000'), 'x'), /BER of indefinite length/);
  });

  it('is refused when it is torn, goes on behind its end, or is no BER', () => {
    const whole = asBer(writePkcs12(file));
    for (let length = 2; length < whole.length; length += 7) refused(whole.subarray(0, length));
    refused(Buffer.concat([whole, Buffer.of(0)]));
    for (const text of ['3080 0480 0000 0000', '3080 1f0101 0000', '3080 2480 020101 0000 0000', '3080 0485 0000000001 00 0000'])
      refused(hex(text));
  });

  it('takes no more time than its size, however deep it is and whatever number of pieces it has', () => {
    refused(Buffer.alloc(1_000_000, Buffer.of(0x30, 0x80)));
    const many = indefinite(0x30, indefinite(0x24, Buffer.alloc(300_000, hex('0401aa'))));
    const start = performance.now();
    refused(many);
    assert.ok(performance.now() - start < 1_000);
    assert.equal(definite(indefinite(0x30, indefinite(0x24, Buffer.alloc(150_000, hex('0401aa'))))).length, 50_008);
  });
});
