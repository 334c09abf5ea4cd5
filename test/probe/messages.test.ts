import assert from 'node:assert/strict';
import fc from 'fast-check';
import { isError } from '../../src/errors.js';
import {
  TLS12,
  TLS13,
  readAlert,
  readCertificateMessage,
  readCertificateRequest,
  readClientHello,
  readEncryptedExtensions,
  readKeyExchangeGroup,
  readServerHello,
} from '../../src/probe/messages.js';
import { testCa } from '../support/material.js';

const vector = (octets: number, ...content: readonly Uint8Array[]): Buffer => {
  const body = Buffer.concat(content);
  const length = Buffer.alloc(octets);
  length.writeUIntBE(body.length, 0, octets);
  return Buffer.concat([length, body]);
};
const number = (octets: number, value: number): Buffer => {
  const bytes = Buffer.alloc(octets);
  bytes.writeUIntBE(value, 0, octets);
  return bytes;
};
const extension = (type: number, ...content: readonly Uint8Array[]): Buffer => Buffer.concat([number(2, type), vector(2, ...content)]);

const RANDOM = Buffer.alloc(32, 7);
const serverHello = (...extensions: readonly Buffer[]): Buffer =>
  Buffer.concat([number(2, 0x0303), RANDOM, vector(1), number(2, 0x1301), number(1, 0), vector(2, ...extensions)]);

/** All readers, with a body that each of them reads. */
const authority = testCa({ name: 'listed' }).certificate.subject.der;
const SPECIMENS: readonly [string, Buffer, (body: Buffer) => unknown][] = [
  [
    'ClientHello',
    Buffer.concat([
      number(2, 0x0303),
      RANDOM,
      vector(1),
      vector(2, number(2, 0x1301)),
      vector(1, number(1, 0)),
      vector(2, extension(0, vector(2, number(1, 0), vector(2, Buffer.from('api'))))),
    ]),
    readClientHello,
  ],
  ['ServerHello', serverHello(extension(43, number(2, TLS13)), extension(51, number(2, 29), vector(2, Buffer.alloc(32)))), readServerHello],
  ['EncryptedExtensions', vector(2, extension(16, vector(2, vector(1, Buffer.from('h2'))))), readEncryptedExtensions],
  [
    'Certificate 1.3',
    Buffer.concat([vector(1), vector(3, vector(3, Buffer.from('one')), vector(2), vector(3, Buffer.from('two')), vector(2))]),
    (body) => readCertificateMessage(body, TLS13),
  ],
  ['Certificate 1.2', vector(3, vector(3, Buffer.from('one'))), (body) => readCertificateMessage(body, TLS12)],
  [
    'CertificateRequest 1.3',
    Buffer.concat([vector(1), vector(2, extension(13, vector(2, number(2, 0x0403))), extension(47, vector(2, vector(2, authority))))]),
    (body) => readCertificateRequest(body, TLS13),
  ],
  [
    'CertificateRequest 1.2',
    Buffer.concat([vector(1, number(1, 64)), vector(2, number(2, 0x0403)), vector(2, vector(2, authority))]),
    (body) => readCertificateRequest(body, TLS12),
  ],
  [
    'ServerKeyExchange',
    Buffer.concat([number(1, 3), number(2, 23), vector(1, Buffer.alloc(65))]),
    (body) => readKeyExchangeGroup(body, 0xc02b),
  ],
  ['alert', Buffer.from([2, 48]), readAlert],
];

describe('handshake messages', () => {
  it('are read field by field', () => {
    const read = Object.fromEntries(SPECIMENS.map(([name, body, reader]) => [name, reader(body)])) as Record<
      string,
      Record<string, unknown>
    >;
    assert.equal(read['ClientHello']!['servername'], 'api');
    assert.deepEqual([read['ServerHello']!['version'], read['ServerHello']!['cipher'], read['ServerHello']!['group']], [TLS13, 0x1301, 29]);
    assert.equal(read['EncryptedExtensions']!['alpn'], 'h2');
    assert.deepEqual(read['Certificate 1.3'], [Buffer.from('one'), Buffer.from('two')]);
    assert.deepEqual(read['Certificate 1.2'], [Buffer.from('one')]);
    for (const name of ['CertificateRequest 1.3', 'CertificateRequest 1.2'])
      assert.deepEqual(read[name], { authorities: [{ der: authority, text: 'CN=listed' }], signatureAlgorithms: [0x0403] });
    assert.equal(read['ServerKeyExchange'], 23);
    assert.deepEqual(read['alert'], { level: 2, code: 48 });
  });

  it('know a HelloRetryRequest by its random', () => {
    const body = serverHello(extension(43, number(2, TLS13)), extension(51, number(2, 25)));
    Buffer.from('cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c', 'hex').copy(body, 2);
    assert.deepEqual([readServerHello(body).isRetry, readServerHello(body).group], [true, 25]);
  });

  it('show the name of an authority that is none as its octets', () => {
    const body = Buffer.concat([vector(1), vector(2, extension(47, vector(2, vector(2, Buffer.from('not a name')))))]);
    assert.equal(readCertificateRequest(body, TLS13).authorities[0]!.text, `#${Buffer.from('not a name').toString('hex')}`);
  });

  it('cut short at any octet give a coded error or a shorter answer, nothing else', () => {
    for (const [name, body, reader] of SPECIMENS) {
      let refused = 0;
      for (let length = 0; length < body.length; length++) if (!readsOrRefuses(reader, body.subarray(0, length))) refused++;
      assert.ok(refused > 0, `${name}: nothing was refused`);
    }
  });

  it('made of random octets give a coded error or a value, nothing else', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        for (const [, , reader] of SPECIMENS) readsOrRefuses(reader, Buffer.from(bytes));
      }),
      { numRuns: 2_000 },
    );
  });

  it('with one octet changed give a coded error or a value, nothing else', () => {
    for (const [, body, reader] of SPECIMENS) {
      for (let i = 0; i < body.length; i++) {
        for (const change of [1, 0x80, 0xff]) {
          const changed = Buffer.from(body);
          changed[i]! ^= change;
          readsOrRefuses(reader, changed);
        }
      }
    }
  });
});

/** true when it was read; any error but TLS_MALFORMED is thrown on. */
function readsOrRefuses(reader: (body: Buffer) => unknown, body: Buffer): boolean {
  try {
    reader(body);
    return true;
  } catch (error) {
    if (!isError(error, 'TLS_MALFORMED')) throw error;
    return false;
  }
}
