import assert from 'node:assert/strict';
import { isError } from '../../src/errors.js';
import { type Certificate, readCertificate } from '../../src/pki/certificate.js';
import { generateKey } from '../../src/pki/key.js';
import { verify } from '../../src/validate/verify.js';
import { AT, authority, certify } from '../support/chains.js';

describe('one flipped bit', function () {
  this.timeout(60_000);
  for (const keyType of ['ecdsa-p256', 'ed25519', 'rsa-2048'] as const) {
    it(`anywhere in a certificate signed with ${keyType}, in any role, never verifies`, () => {
      const root = authority({ name: 'root', key: generateKey(keyType) });
      const middle = authority({ name: 'middle', key: generateKey(keyType), by: root });
      const leaf = certify({ by: middle, names: { dns: ['api.test'] } });
      const isValid = (below: Certificate, above: Certificate): boolean =>
        verify({ leaf: below, intermediates: [above], roots: [root.certificate], crls: [], at: AT }).valid;
      assert.ok(isValid(leaf.certificate, middle.certificate));
      const readable = [
        flips(leaf.certificate.der, (flipped) => isValid(flipped, middle.certificate)),
        flips(middle.certificate.der, (flipped) => isValid(leaf.certificate, flipped)),
      ];
      for (const count of readable) assert.ok(count > 1_000, `only ${count} could be read at all`);
    });
  }

  /** Every bit in turn; how many of these still read as certificates. */
  function flips(der: Buffer, isValid: (flipped: Certificate) => boolean): number {
    let read = 0;
    for (let bit = 0; bit < der.length * 8; bit++) {
      const bytes = Buffer.from(der);
      bytes[bit >> 3]! ^= 0x80 >> (bit & 7);
      let flipped: Certificate;
      try {
        flipped = readCertificate(bytes);
      } catch (error) {
        assert.ok(isError(error, 'CERTIFICATE_MALFORMED'), String(error));
        continue;
      }
      read++;
      assert.ok(!isValid(flipped), `bit ${bit}`);
    }
    return read;
  }
});
