import assert from 'node:assert/strict';
import { JsonObject, parseInstant } from '../../src/base/json.js';
import { isError } from '../../src/errors.js';

const fails = (act: () => unknown, message: RegExp): void =>
  assert.throws(act, (error) => {
    assert.ok(isError(error, 'VALUE_INVALID'), String(error));
    assert.match(error.message, message);
    return true;
  });

describe('JsonObject', () => {
  const object = JsonObject.parse(
    '{"text":"a","list":["a","b"],"mixed":["a",1],"count":3,"yes":true,"none":null,"inner":{"x":1},"word":"red","at":"2026-01-31T12:00:00Z","ms":0}',
    'request',
  );

  it('gives the fields that are there', () => {
    assert.equal(object.string('text'), 'a');
    assert.deepEqual(object.strings('list'), ['a', 'b']);
    assert.equal(object.count('count'), 3);
    assert.equal(object.optionalBoolean('yes'), true);
    assert.equal(object.optionalObject('inner')?.count('x'), 1);
    assert.equal(object.word('word', ['red', 'green']), 'red');
    assert.equal(object.instant('at').getTime(), Date.UTC(2026, 0, 31, 12));
    assert.equal(object.optionalInstant('ms')?.getTime(), 0);
    assert.deepEqual([object.has('text'), object.has('none'), object.has('other')], [true, false, false]);
  });

  it('takes null for absent, and nothing from the prototype', () => {
    for (const field of ['none', 'toString', '__proto__', 'constructor']) {
      assert.equal(object.optionalString(field), undefined);
      assert.deepEqual(object.strings(field), []);
      assert.equal(object.optionalCount(field), undefined);
      assert.equal(object.optionalBoolean(field), undefined);
      assert.equal(object.optionalObject(field), undefined);
      assert.equal(object.optionalInstant(field), undefined);
      assert.equal(object.optionalWord(field, ['a']), undefined);
    }
  });

  it('names the field that is not what it should be', () => {
    fails(() => object.string('count'), /request count: expected a string, found "3"/);
    fails(() => object.string('none'), /request none: expected a string/);
    fails(() => object.strings('mixed'), /request mixed/);
    fails(() => object.strings('text'), /request text: expected a list of strings/);
    fails(() => object.count('none'), /whole number/);
    fails(() => object.optionalBoolean('count'), /true or false/);
    fails(() => object.optionalObject('list'), /request list: expected a JSON object/);
    fails(() => object.optionalWord('text', ['red', 'green']), /red or green/);
    fails(() => object.word('none', ['red']), /red/);
    fails(() => object.instant('none'), /an instant/);
    fails(() => object.instant('text'), /an instant/);
    for (const count of ['-1', '1.5', '2147483648', '"1"', '1e400'])
      fails(() => JsonObject.parse(`{"n":${count}}`, 'x').optionalCount('n'), /whole number/);
  });

  it('is one JSON object', () => {
    for (const text of ['', '{', '{} {}', 'undefined', "{'a':1}"])
      fails(() => JsonObject.parse(text, 'line'), /line: expected one JSON object/);
    for (const text of ['null', '[]', '1', '"x"', 'true']) fails(() => JsonObject.parse(text, 'line'), /line: expected a JSON object/);
  });
});

describe('parseInstant', () => {
  it('takes instants with a zone, and days', () => {
    const at = (text: string): string | undefined => parseInstant(text)?.toISOString();
    assert.equal(at('2026-01-31T12:00:00Z'), '2026-01-31T12:00:00.000Z');
    assert.equal(at('2026-01-31T23:00+02:00'), '2026-01-31T21:00:00.000Z');
    assert.equal(at('2026-01-01T00:30:00.5+01:00'), '2025-12-31T23:30:00.500Z');
    assert.equal(at('2024-02-29'), '2024-02-29T00:00:00.000Z');
  });

  it('takes what toISOString writes, to the millisecond', () => {
    const [first, last] = [Date.UTC(1000, 0, 1), Date.UTC(9999, 11, 31, 23, 59, 59, 999)];
    for (let i = 0; i <= 5_000; i++) {
      const time = Math.floor(first + ((last - first) * i) / 5_000);
      assert.equal(parseInstant(new Date(time).toISOString())?.getTime(), time);
    }
  });

  it('takes nothing of that length that is none', () => {
    const good = '2026-01-28T12:34:56.789Z';
    for (let at = 0; at < good.length; at++)
      for (const character of ['/', ':', 'x', '9']) {
        const text = `${good.slice(0, at)}${character}${good.slice(at + 1)}`;
        const expected = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(text) ? Date.parse(text) : NaN;
        assert.equal(parseInstant(text)?.getTime() ?? NaN, expected, text);
      }
  });

  it('takes nothing that Date would guess at', () => {
    for (const text of [
      '',
      'now',
      '2026',
      '2026-02-29',
      '2026-02-31T00:00:00Z',
      '2026-04-31',
      '2026-13-01',
      '2026-01-31T12:00:00',
      '31.1.2026',
      '2026-01-01T25:00:00Z',
      '2026-1-1',
    ])
      assert.equal(parseInstant(text), undefined, text);
  });
});
