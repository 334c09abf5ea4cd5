import assert from 'node:assert/strict';
import { isError } from '../../src/errors.js';
import { type DerFault, DerReader } from '../../src/pki/der.js';
import { readGeneralNames } from '../../src/pki/general-name.js';
import { readName } from '../../src/pki/name.js';

const reader = (hex: string): DerReader => new DerReader(Buffer.from(hex.replaceAll(' ', ''), 'hex'));

type Case = readonly [bytes: string, read: (reader: DerReader) => unknown, offset: number];

/** Each fault on the least input that has it, behind one good element where that says more about the offset. */
const FAULTS: Readonly<Record<DerFault, readonly Case[]>> = {
  truncated: [
    ['', (r) => r.element(), 0],
    ['30', (r) => r.element(), 0],
    ['0500 3001', (r) => (r.null(), r.element()), 2],
    ['3081', (r) => r.element(), 0],
    ['308201', (r) => r.element(), 0],
    ['3003 020200', (r) => r.enter().integer(), 2],
  ],
  'indefinite length': [['3080 0000', (r) => r.enter(), 0]],
  'length not minimal': [
    ['048101ff', (r) => r.octetString(), 0],
    ['04820001ff', (r) => r.octetString(), 0],
    [`0482007f${'00'.repeat(127)}`, (r) => r.octetString(), 0],
  ],
  'length too large': [['04850000000001ff', (r) => r.octetString(), 0]],
  'tag number above 30': [['0500 1f2000', (r) => (r.null(), r.element()), 2]],
  'unexpected tag': [
    ['0500 0101ff', (r) => (r.null(), r.integer()), 2],
    ['2403040100', (r) => r.octetString(), 0],
    ['0500', (r) => r.time(), 0],
  ],
  'missing element': [
    ['3000', (r) => r.enter().integer(), 2],
    ['0500', (r) => (r.null(), r.oid()), 2],
  ],
  'trailing bytes': [
    ['0500 00', (r) => (r.null(), r.end()), 2],
    ['3003 0500 00', (r) => inside(r.enter(), (inner) => inner.null()), 4],
  ],
  'empty integer': [['0500 0200', (r) => (r.null(), r.integer()), 2]],
  'integer not minimal': [
    ['0202007f', (r) => r.integer(), 0],
    ['0202ff80', (r) => r.integer(), 0],
  ],
  'negative integer': [['0500 0201ff', (r) => (r.null(), r.smallInteger()), 2]],
  'integer too large': [
    ['02050080000000', (r) => r.smallInteger(), 0],
    ['0206010000000000', (r) => r.smallInteger(), 0],
  ],
  'boolean neither 00 nor FF': [
    ['010101', (r) => r.boolean(), 0],
    ['0100', (r) => r.boolean(), 0],
    ['0500 0102ffff', (r) => (r.null(), r.boolean()), 2],
  ],
  'bad unused bits': [
    ['0300', (r) => r.bitStringOctets(), 0],
    ['030201fe', (r) => r.bitStringOctets(), 0],
    ['0300', (r) => r.namedBits(), 0],
    ['030107', (r) => r.namedBits(), 0],
    ['03020880', (r) => r.namedBits(), 0],
    ['030207c0', (r) => r.namedBits(), 0],
    ['0500 030201a1', (r) => (r.null(), r.namedBits()), 2],
  ],
  'malformed object identifier': [
    ['0600', (r) => r.oid(), 0],
    ['060180', (r) => r.oid(), 0],
    ['06032a8001', (r) => r.oid(), 0],
    ['06022a81', (r) => r.oid(), 0],
    [`060b 2a ${'ff'.repeat(8)} 7f 80`, (r) => r.oid(), 0],
    [`060c 2a ${'ff'.repeat(8)} 7f 8001`, (r) => r.oid(), 0],
    [`0641${'01'.repeat(65)}`, (r) => r.oid(), 0],
  ],
  'malformed null': [['0500 050100', (r) => (r.null(), r.null()), 2]],
  'malformed time': (
    [
      '240229000000', // no zone
      '2402290000Z', // no seconds, which BER allows
      '240229000000+0000',
      '230229000000Z',
      '241301000000Z',
      '240001000000Z',
      '240100000000Z',
      '240431000000Z',
      '240101240000Z',
      '240101006000Z',
      '240101000060Z',
      '2401010000 0Z',
      '24010100000aZ',
    ] as const
  ).map((text): Case => [`17${hexLength(text)}${Buffer.from(text).toString('hex')}`, (r) => r.time(), 0]),
  'malformed string': [
    ['820180', (r) => readGeneralNames(r), 0],
    ['8703010203', (r) => readGeneralNames(r), 0],
    ['82016187050102030405', (r) => readGeneralNames(r), 3],
  ],
  'default value encoded': [['0500 010100', (r) => (r.null(), r.booleanDefaultFalse()), 2]],
  'set not in order': [['3014 3112 3007 06022a03 0c0162 3007 06022a03 0c0161', (r) => readName(r), 13]],
};

function hexLength(text: string): string {
  return text.length.toString(16).padStart(2, '0');
}

function inside(inner: DerReader, read: (inner: DerReader) => void): void {
  read(inner);
  inner.end();
}

describe('DerReader', () => {
  for (const [fault, cases] of Object.entries(FAULTS)) {
    for (const [bytes, read, offset] of cases) {
      it(`says "${fault}" at byte ${offset} of ${bytes.slice(0, 48) || 'nothing'}`, () => {
        assert.throws(
          () => read(reader(bytes)),
          (error) => {
            assert.ok(isError(error, 'DER_MALFORMED'), String(error));
            assert.deepEqual([error.facts.fault, error.facts.offset], [fault, offset]);
            return true;
          },
        );
      });
    }
  }

  it('says malformed GeneralizedTimes as well', () => {
    for (const text of ['20240229000000', '202402290000Z', '20240229000000.5Z', '20230229000000Z', '21000229000000Z', '2024022900000Z'])
      assert.throws(
        () => reader(`18${hexLength(text)}${Buffer.from(text).toString('hex')}`).time(),
        (error) => isError(error, 'DER_MALFORMED') && error.facts.fault === 'malformed time',
        text,
      );
  });

  it('reads times at the edges of what they can say', () => {
    const time = (tag: string, text: string): string =>
      new Date(reader(`${tag}${hexLength(text)}${Buffer.from(text).toString('hex')}`).time()).toISOString();
    assert.equal(time('17', '491231235959Z'), '2049-12-31T23:59:59.000Z');
    assert.equal(time('17', '500101000000Z'), '1950-01-01T00:00:00.000Z');
    assert.equal(time('17', '000229120000Z'), '2000-02-29T12:00:00.000Z');
    assert.equal(time('18', '20500101000000Z'), '2050-01-01T00:00:00.000Z');
    assert.equal(time('18', '99991231235959Z'), '9999-12-31T23:59:59.000Z');
    assert.equal(time('18', '00000101000000Z'), '0000-01-01T00:00:00.000Z');
    assert.equal(time('18', '00991231000000Z'), '0099-12-31T00:00:00.000Z');
  });

  it('reads the longest small integers and integers of any size', () => {
    assert.equal(reader('02047fffffff').smallInteger(), 0x7fffffff);
    assert.equal(reader('020100').smallInteger(), 0);
    assert.equal(reader('02020080').smallInteger(), 128);
    assert.equal(reader('0201ff').integer().toString('hex'), 'ff');
    assert.equal(reader(`028180${'7f'.repeat(128)}`).integer().length, 128);
  });

  it('reads object identifiers with large arcs exactly', () => {
    assert.equal(reader('06032a0304').oid(), '1.2.3.4');
    assert.equal(reader('0603883703').oid(), '2.999.3');
    assert.equal(reader('060127').oid(), '0.39');
    assert.equal(reader('060128').oid(), '1.0');
    assert.equal(reader('060150').oid(), '2.0');
    // 2.25.UUID: X.667 §6.3
    assert.equal(reader('0609698fffffffffffff7f').oid(), `2.25.${(0xfn << 49n) | ((1n << 49n) - 1n)}`);
    assert.equal(reader('060b6983ffffffffffffffff7f').oid(), `2.25.${(3n << 63n) | ((1n << 63n) - 1n)}`);
  });

  it('takes trailing zero bits in a named bit list, as roots in use have them', () => {
    assert.deepEqual(new DerReader(Buffer.from('0303070600', 'hex')).namedBits(), [5, 6]);
    assert.deepEqual(new DerReader(Buffer.from('03020700', 'hex')).namedBits(), []);
  });
  it('reads an empty named bit list as no bits', () => assert.deepEqual(reader('030100').namedBits(), []));

  it('does not see past the end of the value that it is in', () => {
    const outer = reader('3002 0203 0500');
    const inner = outer.enter();
    assert.throws(
      () => inner.integer(),
      (error) => isError(error, 'DER_MALFORMED') && error.facts.fault === 'truncated' && error.facts.offset === 2,
    );
    outer.null();
    outer.end();
  });

  it('counts offsets from the outermost buffer, however deep it is, and reads a view as it reads a Buffer', () => {
    const bytes = Uint8Array.from([0xff, 0x30, 0x06, 0x30, 0x04, 0x30, 0x02, 0x02, 0x00, 0xff]).subarray(1, 9);
    assert.throws(
      () => DerReader.within(bytes).enter().enter().integer(),
      (error) => isError(error, 'DER_MALFORMED') && error.facts.offset === 6,
    );
  });

  it('wants exactly one element where there should be one', () => {
    assert.throws(
      () => DerReader.within(Buffer.from('300000', 'hex')),
      (error) => isError(error, 'DER_MALFORMED') && error.facts.fault === 'trailing bytes' && error.facts.offset === 2,
    );
  });
});
