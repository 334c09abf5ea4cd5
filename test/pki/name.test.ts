import assert from 'node:assert/strict';
import { DerReader, TAG } from '../../src/pki/der.js';
import { element, name, oid, toDer } from '../../src/pki/encode.js';
import { formatName, isSameName, isWithinName, labelOf, printable, readName, stringOf, valuesOf } from '../../src/pki/name.js';
import { OID, oidName } from '../../src/pki/oids.js';

const named = (...attributes: readonly (readonly [string, string])[]) => readName(new DerReader(toDer(name(attributes))));

describe('names', () => {
  it('are shown in one line, in the order of the encoding', () => {
    const full = named([OID.countryName, 'DE'], [OID.organizationName, 'shop, inc.'], [OID.commonName, 'api'], ['1.2.3', 'x']);
    assert.equal(formatName(full), 'C=DE, O=shop\\, inc., CN=api, 1.2.3=x');
    assert.equal(labelOf(full), 'api');
    assert.equal(formatName(named()), '(empty)');
    assert.equal(labelOf(named([OID.organizationName, 'shop'])), 'O=shop');
    assert.deepEqual(valuesOf(named([OID.commonName, 'a'], [OID.commonName, 'b']), OID.commonName), ['a', 'b']);
    assert.equal(labelOf(named([OID.commonName, 'a'], [OID.commonName, 'b'])), 'b');
  });

  it('do not steer a terminal, nor forge a line', () => {
    assert.equal(printable('a\u001b[31mb\r\nc'), 'a\\u001b[31mb\\u000d\\u000ac');
    assert.equal(printable('\u202egpj.exe\u200b\u061c\u2066\ufeff\u009b'), '\\u202egpj.exe\\u200b\\u061c\\u2066\\ufeff\\u009b');
    assert.equal(printable('a,b+c\\d'), 'a\\,b\\+c\\\\d');
    assert.equal(printable('grün 💡'), 'grün 💡');
  });

  it('are read in every string type', () => {
    const text = (tag: number, hex: string): string | undefined => stringOf(tag, Buffer.from(hex, 'hex'));
    assert.equal(text(TAG.utf8String, 'c3bc'), 'ü');
    assert.equal(text(TAG.utf8String, 'c3'), undefined);
    assert.equal(text(TAG.utf8String, 'c0af'), undefined, 'not the shortest form');
    assert.equal(text(TAG.utf8String, 'eda080'), undefined, 'a surrogate');
    assert.equal(text(TAG.printableString, '6162'), 'ab');
    assert.equal(text(TAG.printableString, 'fc'), undefined);
    assert.equal(text(TAG.ia5String, '40'), '@');
    assert.equal(text(TAG.numericString, '3132'), '12');
    assert.equal(text(TAG.visibleString, '21'), '!');
    assert.equal(text(TAG.teletexString, 'fc'), 'ü');
    assert.equal(text(TAG.bmpString, '00fc20ac'), 'ü€');
    assert.equal(text(TAG.bmpString, '00fc20'), undefined);
    assert.equal(text(TAG.universalString, '000000fc'), 'ü');
    assert.equal(text(TAG.universalString, '0001f4a1'), '💡');
    assert.equal(text(TAG.universalString, '00110000'), undefined);
    assert.equal(text(TAG.universalString, '0000d800'), undefined);
    assert.equal(text(TAG.universalString, '0000fc'), undefined);
    assert.equal(text(TAG.octetString, '61'), undefined);
  });

  it('keep what is no string as hexadecimal', () => {
    const attribute = element(TAG.sequence, [toDer(oid(OID.commonName)), element(TAG.octetString, [Buffer.from([1])])]);
    const der = element(TAG.sequence, [element(TAG.set, [attribute])]);
    assert.deepEqual(valuesOf(readName(new DerReader(der)), OID.commonName), ['#040101']);
  });

  it('of several attributes in one RDN are read in the ascending order of DER', () => {
    const attribute = (value: string): Buffer =>
      element(TAG.sequence, [toDer(oid(OID.commonName)), element(TAG.utf8String, [Buffer.from(value)])]);
    const rdn = (...values: readonly string[]): Buffer => element(TAG.sequence, [element(TAG.set, values.map(attribute))]);
    assert.deepEqual(valuesOf(readName(new DerReader(rdn('a', 'a', 'b', 'aa'))), OID.commonName), ['a', 'a', 'b', 'aa']);
    assert.throws(() => readName(new DerReader(rdn('aa', 'b'))), /set not in order/);
  });
});

describe('object identifiers', () => {
  it('have a name, or themselves', () => {
    assert.equal(oidName(OID.keyUsage), 'keyUsage');
    assert.equal(oidName('1.2.3'), '1.2.3');
    assert.equal(new Set(Object.values(OID)).size, Object.keys(OID).length, 'each once');
  });
});

describe('the same name', () => {
  const cn = (text: string) => named([OID.commonName, text]);

  it('is the same in other letters, with other blanks, in another string type', () => {
    for (const other of ['ACME', 'acme', ' Acme ', 'A\u00adcme', '\ufeffAcme', 'Acme\u200b', 'Ａcme'])
      assert.ok(isSameName(cn('Acme'), cn(other)), other);
    assert.ok(isSameName(cn('a b'), cn('A \t\u00a0 B')));
    assert.ok(isSameName(cn('É'), cn('e\u0301')));
    const printableName = element(0x30, [
      element(0x31, [element(0x30, [toDer(oid(OID.commonName)), element(TAG.printableString, [Buffer.from('ACME')])])]),
    ]);
    assert.ok(isSameName(cn('acme'), readName(new DerReader(printableName))));
  });

  it('is another one with other words, another type of attribute, or another order', () => {
    for (const other of ['Acme2', 'Ac me', 'A-cme', '']) assert.ok(!isSameName(cn('Acme'), cn(other)), other);
    assert.ok(!isSameName(cn('a'), named([OID.organizationName, 'a'])));
    const [a, b] = [
      [OID.commonName, 'a'],
      [OID.commonName, 'b'],
    ] as const;
    assert.ok(!isSameName(named(a, b), named(b, a)));
    assert.ok(!isSameName(named(a), named(a, b)));
  });

  it('cannot be forged by what is in a value', () => {
    assert.ok(!isSameName(cn('a\n2.5.4.3="b'), named([OID.commonName, 'a'], [OID.commonName, 'b'])));
    assert.ok(
      !isSameName(
        cn('#0c0161'),
        readName(
          new DerReader(element(0x30, [element(0x31, [element(0x30, [toDer(oid(OID.commonName)), Buffer.from('040161', 'hex')])])])),
        ),
      ),
    );
  });

  it('begins with what is above it', () => {
    const [o, ou] = [
      [OID.organizationName, 'Shop'],
      [OID.organizationalUnitName, 'It'],
    ] as const;
    assert.ok(isWithinName(named(o, ou), named(o)));
    assert.ok(isWithinName(named(o), named()));
    assert.ok(!isWithinName(named(o), named(o, ou)));
    assert.ok(!isWithinName(named(ou, o), named(o)));
  });
});
