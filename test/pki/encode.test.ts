import assert from 'node:assert/strict';
import fc from 'fast-check';
import { isError } from '../../src/errors.js';
import { ipToBytes, ipToText } from '../../src/base/bytes.js';
import { readAlgorithm } from '../../src/pki/algorithms.js';
import { DerReader, TAG, contextConstructed } from '../../src/pki/der.js';
import * as encode from '../../src/pki/encode.js';
import { readExtensions } from '../../src/pki/extensions.js';
import { readGeneralNames } from '../../src/pki/general-name.js';
import { readName } from '../../src/pki/name.js';
import { OID } from '../../src/pki/oids.js';

const read = (node: encode.Node): DerReader => new DerReader(encode.toDer(node));

/** Reads with `take` what `node` was encoded to, and nothing may be left over. */
function back<T>(node: encode.Node, take: (reader: DerReader) => T): T {
  const reader = read(node);
  const value = take(reader);
  reader.end();
  return value;
}

const octets = (constraints: { minLength?: number; maxLength: number }): fc.Arbitrary<Buffer> =>
  fc.uint8Array(constraints).map((bytes) => Buffer.from(bytes));

const oidText = fc
  .tuple(
    fc.oneof(fc.tuple(fc.constantFrom(0n, 1n), fc.bigInt(0n, 39n)), fc.tuple(fc.constant(2n), fc.bigInt(0n, 1n << 70n))),
    fc.array(fc.oneof(fc.bigInt(0n, 300n), fc.bigInt(0n, 1n << 128n)), { maxLength: 2 }),
  )
  .map(([[root, second], rest]) => [root, second, ...rest].join('.'));

const label = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?$/);

describe('what encode writes, DerReader reads', () => {
  it('integers of any size, without a sign', () => {
    fc.assert(
      fc.property(octets({ maxLength: 300 }), (bytes) => {
        const found = back(encode.integer(bytes), (reader) => reader.integer());
        assert.equal(BigInt(`0x0${found.toString('hex')}`), BigInt(`0x0${bytes.toString('hex')}`));
        assert.ok(found[0]! < 0x80, 'positive');
      }),
    );
  });

  it('small integers', () => {
    fc.assert(
      fc.property(fc.nat(), (value) =>
        assert.equal(
          back(encode.integer(value), (reader) => reader.smallInteger()),
          value,
        ),
      ),
    );
    for (const value of [0, 127, 128, 255, 256, 0x7fffffff])
      assert.equal(
        back(encode.integer(value), (reader) => reader.smallInteger()),
        value,
      );
  });

  it('object identifiers', () => {
    fc.assert(
      fc.property(oidText, (dotted) =>
        assert.equal(
          back(encode.oid(dotted), (reader) => reader.oid()),
          dotted,
        ),
      ),
    );
  });

  it('times between 1950 and 9999, to the second', () => {
    const [min, max] = [new Date('1950-01-01T00:00:00Z'), new Date('9999-12-31T23:59:59Z')];
    fc.assert(
      fc.property(fc.date({ min, max, noInvalidDate: true }), (date) => {
        const der = encode.toDer(encode.time(date));
        assert.equal(new DerReader(der).time(), Math.floor(date.getTime() / 1000) * 1000);
        // RFC 5280 §4.1.2.5: UTCTime through 2049
        assert.equal(der[0], date.getUTCFullYear() < 2050 ? TAG.utcTime : TAG.generalizedTime);
      }),
      { numRuns: 500 },
    );
  });

  it('times before 1950 as GeneralizedTime, and none after 9999', () => {
    const before = new Date('1949-12-31T23:59:59Z');
    assert.equal(
      back(encode.time(before), (reader) => reader.time()),
      before.getTime(),
    );
    for (const date of [new Date('+010000-01-01T00:00:00Z'), new Date(Number.NaN)])
      assert.throws(
        () => encode.time(date),
        (error) => isError(error, 'VALUE_INVALID'),
      );
  });

  it('named bits', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(40), { maxLength: 12 }), (bits) => {
        const found = back(encode.namedBits(bits), (reader) => reader.namedBits());
        assert.deepEqual(
          found,
          bits.toSorted((a, b) => a - b),
        );
      }),
    );
  });

  it('octet strings, bit strings, booleans, enumerations and NULL', () => {
    fc.assert(
      fc.property(octets({ maxLength: 70_000 }), fc.boolean(), fc.nat(127), (bytes, flag, code) => {
        const node = encode.sequence(
          encode.octetString(bytes),
          encode.bitString(bytes),
          encode.boolean(flag),
          encode.enumerated(code),
          encode.nothing(),
        );
        const reader = DerReader.within(encode.toDer(node));
        assert.ok(reader.octetString().equals(bytes));
        assert.ok(reader.bitStringOctets().equals(bytes));
        assert.equal(reader.boolean(), flag);
        assert.equal(reader.smallInteger(TAG.enumerated), code);
        reader.null();
        reader.end();
      }),
      { numRuns: 50 },
    );
  });

  it('elements of every length form', () => {
    for (const length of [0, 1, 127, 128, 255, 256, 65_535, 65_536, 0xffffff, 0x1000000]) {
      const whole = encode.element(TAG.octetString, [Buffer.alloc(length >> 1, 1), Buffer.alloc(length - (length >> 1), 2)]);
      const reader = new DerReader(whole);
      assert.equal(reader.octetString().length, length);
      reader.end();
    }
  });

  it('distinguished names, with the string type that each attribute has', () => {
    const attribute = fc.tuple(fc.constantFrom(OID.commonName, OID.organizationName, OID.title), fc.string({ unit: 'grapheme' }));
    fc.assert(
      fc.property(fc.array(attribute, { maxLength: 6 }), (attributes) => {
        const name = back(encode.name(attributes), readName);
        assert.deepEqual(
          name.attributes.map(({ type, value }) => ({ type, value })),
          attributes.map(([type, value]) => ({ type, value })),
        );
      }),
    );
    const tags = [OID.countryName, OID.domainComponent, OID.commonName].map((type) => {
      const [set] = [
        DerReader.within(encode.toDer(encode.name([[type, 'DE']])))
          .enter(TAG.set)
          .enter(),
      ];
      set.oid();
      return set.element().tag;
    });
    assert.deepEqual(tags, [TAG.printableString, TAG.ia5String, TAG.utf8String]);
  });

  it('general names', () => {
    const names = fc.record({
      dns: fc.array(
        fc.array(label, { minLength: 1, maxLength: 4 }).map((labels) => labels.join('.')),
        { maxLength: 4 },
      ),
      ip: fc.array(fc.oneof(fc.ipV4(), fc.ipV6()), { maxLength: 4 }),
      uri: fc.array(fc.webUrl(), { minLength: 1, maxLength: 3 }),
    });
    fc.assert(
      fc.property(names, ({ dns, ip, uri }) => {
        const found = readGeneralNames(DerReader.within(encode.toDer(encode.generalNames({ dns, ip, uri }))));
        const canonical = ip.map((address) => ipToText(ipToBytes(address)!));
        assert.deepEqual(found, { dns, ip: canonical, uri, email: [], directory: [], otherName: [], other: [] });
      }),
    );
  });

  it('extensions, and algorithms with parameters or without', () => {
    const node = encode.sequence(
      encode.extension(OID.keyUsage, true, encode.namedBits([0])),
      encode.extension(OID.subjectKeyIdentifier, false, encode.octetString(Buffer.from([1]))),
    );
    assert.deepEqual(
      back(node, readExtensions).map(({ oid, critical, value }) => [oid, critical, value.toString('hex')]),
      [
        [OID.keyUsage, true, '03020780'],
        [OID.subjectKeyIdentifier, false, '040101'],
      ],
    );
    assert.equal(back(encode.algorithm(OID.sha256WithRsa, true), readAlgorithm).parameters?.toString('hex'), '0500');
    assert.equal(back(encode.algorithm(OID.ed25519, false), readAlgorithm).parameters, undefined);
  });

  it('what is embedded, octet for octet', () => {
    const odd = [
      '1e0400410042', // a BMPString
      '020200ff', // an INTEGER with its leading zero
      '0303000500', // a BIT STRING that holds what could be a value
      'a003020102', // [0]
      '30060c04f09f9880', // a SEQUENCE of a UTF8String
    ];
    for (const hex of odd)
      assert.equal(
        encode
          .toDer(encode.explicit(1, encode.embed(Buffer.from(hex, 'hex'))))
          .toString('hex')
          .slice(4),
        hex,
      );
    assert.equal(read(encode.explicit(1, encode.nothing())).peek(), contextConstructed(1));
    assert.throws(
      () => encode.embed(Buffer.from('050000', 'hex')),
      (error) => isError(error, 'DER_MALFORMED') && error.facts.fault === 'trailing bytes',
    );
  });
});
