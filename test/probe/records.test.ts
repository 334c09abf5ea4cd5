import assert from 'node:assert/strict';
import fc from 'fast-check';
import { isError } from '../../src/errors.js';
import { MessageJoiner, RecordCutter, looksLikeTls } from '../../src/probe/records.js';

const record = (type: number, fragment: Uint8Array): Buffer =>
  Buffer.concat([Buffer.from([type, 3, 3, fragment.length >> 8, fragment.length & 255]), fragment]);

const message = (type: number, body: Uint8Array): Buffer =>
  Buffer.concat([Buffer.from([type, body.length >> 16, (body.length >> 8) & 255, body.length & 255]), body]);

/** `bytes` in pieces that end at the given places. */
function pieces(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const places = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b);
  return [0, ...places].map((start, i) => bytes.subarray(start, places[i] ?? bytes.length));
}

describe('the record layer', () => {
  it('finds the same records however the network cuts them', () => {
    const fragments = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 8 });
    fc.assert(
      fc.property(fragments, fc.array(fc.nat(), { maxLength: 20 }), (contents, cuts) => {
        const wire = Buffer.concat(contents.map((content) => record(23, content)));
        const cutter = new RecordCutter();
        const found = pieces(wire, cuts).flatMap((piece) => [...cutter.feed(piece)]);
        assert.deepEqual(
          found.map(({ fragment }) => fragment.toString('hex')),
          contents.map((content) => Buffer.from(content).toString('hex')),
        );
      }),
    );
  });

  it('joins the same messages however they are spread over fragments', () => {
    const bodies = fc.array(fc.uint8Array({ maxLength: 400 }), { maxLength: 6 });
    fc.assert(
      fc.property(bodies, fc.array(fc.nat(), { maxLength: 30 }), (contents, cuts) => {
        const joiner = new MessageJoiner();
        const found = pieces(Buffer.concat(contents.map((content, i) => message(i, content))), cuts).flatMap((piece) => [
          ...joiner.feed(piece),
        ]);
        assert.deepEqual(
          found.map(({ type, body }) => [type, body.toString('hex')]),
          contents.map((content, i) => [i, Buffer.from(content).toString('hex')]),
        );
      }),
    );
  });

  it('refuses what is no record header, with one code', () => {
    for (const hostile of [
      'HTTP/1.1 400 Bad Request\r\n',
      'SSH-2.0-x\r\n',
      '\x16\x02\x00\x00\x05hello',
      '\x19\x03\x03\x00\x01x',
      '\x16\x03\x03\xff\xff',
    ]) {
      assert.throws(
        () => [...new RecordCutter().feed(Buffer.from(hostile, 'latin1'))],
        (error) => isError(error, 'TLS_MALFORMED'),
        JSON.stringify(hostile),
      );
    }
  });

  it('refuses a message that announces more than any has, before the bytes come', () => {
    assert.throws(
      () => [...new MessageJoiner().feed(Buffer.from([11, 0xff, 0xff, 0xff]))],
      (error) => isError(error, 'TLS_MALFORMED'),
    );
  });

  it('does not take time that grows with the square of the pieces', function () {
    this.timeout(5_000);
    const joiner = new MessageJoiner();
    const whole = message(11, Buffer.alloc(200_000));
    let found = 0;
    for (let i = 0; i < whole.length; i++) found += [...joiner.feed(whole.subarray(i, i + 1))].length;
    assert.equal(found, 1);
  });

  it('tells the start of TLS from anything else', () => {
    const cases: readonly [string, boolean][] = [
      ['\x16\x03\x01\x00\x05', true],
      ['\x15\x03\x03\x00\x02\x02\x28', true],
      ['HTTP/1.1', false],
      ['220 smtp', false],
      ['', false],
      ['\x00\x00\x00\x01', false],
    ];
    for (const [bytes, expected] of cases) assert.equal(looksLikeTls(Buffer.from(bytes, 'latin1')), expected, JSON.stringify(bytes));
  });
});
