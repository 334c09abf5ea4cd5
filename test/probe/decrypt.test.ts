import assert from 'node:assert/strict';
import { expandLabel, openerFromSecret } from '../../src/probe/decrypt.js';

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(/\s/g, ''), 'hex');
const record = (text: string): { type: number; header: Buffer; fragment: Buffer } => {
  const bytes = hex(text);
  return { type: bytes[0]!, header: bytes.subarray(0, 5), fragment: bytes.subarray(5) };
};

/** RFC 8448 §3, "Simple 1-RTT Handshake". */
const CLIENT_APPLICATION_SECRET = hex('9e40646ce79a7f9dc05af8889bce6552875afa0b06df0087f792ebb7c17504a5');
const CLIENT_DATA = record(`17 03 03 00 43 a2 3f 70 54 b6 2c 94 d0 af fa fe 82 28 ba 55 cb ef ac ea 42 f9 14 aa 66 bc ab 3f 2b
  98 19 a8 a5 b4 6b 39 5b d5 4a 9a 20 44 1e 2b 62 97 4e 1f 5a 62 92 a2 97 70 14 bd 1e 3d ea e6 3a ee bb 21 69 49 15 e4`);
const CLIENT_ALERT = record('17 03 03 00 13 c9 87 27 60 65 56 66 b7 4d 7f f1 15 3e fd 6d b6 d0 b0 e3');
const AES_128_GCM = 0x1301;

describe('the key schedule of TLS 1.3', () => {
  it('expands the traffic secret of RFC 8448 §3 to its key and IV', () => {
    assert.equal(expandLabel('sha256', CLIENT_APPLICATION_SECRET, 'key', 16).toString('hex'), '17422dda596ed5d9acd890e3c63f5051');
    assert.equal(expandLabel('sha256', CLIENT_APPLICATION_SECRET, 'iv', 12).toString('hex'), '5b78923dee08579033e523d9');
  });

  it('opens the records of RFC 8448 §3 in order', () => {
    const opener = openerFromSecret(AES_128_GCM, CLIENT_APPLICATION_SECRET)!;
    const data = opener.open(CLIENT_DATA)!;
    assert.deepEqual([...data], [...Array.from({ length: 50 }, (_, i) => i), 23]);
    // close_notify, warning, then the content type
    assert.deepEqual([...opener.open(CLIENT_ALERT)!], [1, 0, 21]);
  });

  it('opens nothing out of order, changed, or by another key', () => {
    assert.equal(openerFromSecret(AES_128_GCM, CLIENT_APPLICATION_SECRET)!.open(CLIENT_ALERT), undefined);
    const changed = { ...CLIENT_DATA, fragment: Buffer.from(CLIENT_DATA.fragment) };
    changed.fragment[0]! ^= 1;
    assert.equal(openerFromSecret(AES_128_GCM, CLIENT_APPLICATION_SECRET)!.open(changed), undefined);
    assert.equal(openerFromSecret(AES_128_GCM, Buffer.alloc(32))!.open(CLIENT_DATA), undefined);
    assert.equal(openerFromSecret(AES_128_GCM, CLIENT_APPLICATION_SECRET)!.open({ ...CLIENT_DATA, fragment: Buffer.alloc(3) }), undefined);
  });

  it('has no opener for a suite that it does not know', () => {
    assert.equal(openerFromSecret(0x1304, CLIENT_APPLICATION_SECRET), undefined);
    assert.equal(openerFromSecret(0xfafa, CLIENT_APPLICATION_SECRET), undefined);
  });
});
