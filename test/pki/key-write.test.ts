import assert from 'node:assert/strict';
import { createPrivateKey } from 'node:crypto';
import { KEY_TYPES, isKeyOf, publicKeyInfo } from '../../src/pki/key.js';
import { isPkcs8Of, keyPairOf, newKeyPair } from '../../src/pki/key-write.js';

const opened = (pkcs8: Buffer) => createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' });

describe('key pairs that are written', () => {
  for (const type of KEY_TYPES) {
    it(`of ${type} are octet for octet what OpenSSL writes of the same key`, () => {
      const { pkcs8, publicKey } = newKeyPair(type);
      const key = opened(pkcs8);
      assert.deepEqual(pkcs8, key.export({ format: 'der', type: 'pkcs8' }));
      assert.deepEqual(publicKey, publicKeyInfo(key));
      assert.deepEqual(keyPairOf(key), { pkcs8, publicKey });
      assert.ok(isKeyOf(key, publicKey));
      assert.ok(isPkcs8Of(pkcs8, publicKey));
      assert.ok(!isPkcs8Of(pkcs8, newKeyPair(type).publicKey));
    }).timeout(30_000);
  }

  it('have all octets of a scalar that begins with zeros', () => {
    // one in 256 does: of a thousand all but one in fifty runs has one, and each is looked at
    for (let i = 0; i < 1000; i++) assert.equal(newKeyPair('ecdsa-p256').pkcs8.length, 138);
  });

  it('are asked of their private half, not of the public one that stands beside it', () => {
    const [one, other] = [newKeyPair('ecdsa-p256'), newKeyPair('ecdsa-p256')];
    const point = one.publicKey.key.length;
    const forged = Buffer.concat([one.pkcs8.subarray(0, -point), other.publicKey.key]);
    assert.ok(!isPkcs8Of(forged, other.publicKey));
    assert.ok(isPkcs8Of(forged, one.publicKey));
  });
});
