import assert from 'node:assert/strict';
import type { Certificate } from '../../src/pki/certificate.js';
import { chainUpTo } from '../../src/pki/chain.js';
import { publicKeyInfo } from '../../src/pki/key.js';
import { labelOf } from '../../src/pki/name.js';
import { OID } from '../../src/pki/oids.js';
import { type Signer, signCertificate } from '../../src/pki/sign.js';
import { testCa, testLeaf } from '../support/material.js';

describe('a chain up to its root', () => {
  const [root, stranger] = [testCa(), testCa()];
  const issuing = testCa({ name: 'issuing', issuer: root });
  const leaf = testLeaf(issuing).certificate;

  it('is what is there, and above it who issued whom', () => {
    const chain = [leaf, issuing.certificate, root.certificate];
    assert.deepEqual(chainUpTo([root.certificate], [leaf, issuing.certificate]), chain);
    assert.deepEqual(chainUpTo([root.certificate, issuing.certificate], [leaf]), chain);
    assert.deepEqual(chainUpTo([root.certificate], chain), chain, 'it ends at the root');
  });

  it('leaves out who issued nobody in it, of the same name too', () => {
    const cas = [stranger.certificate, root.certificate, testCa({ name: 'other' }).certificate];
    assert.deepEqual(chainUpTo(cas, [leaf, issuing.certificate]), [leaf, issuing.certificate, root.certificate]);
    assert.deepEqual(chainUpTo([stranger.certificate], [leaf, issuing.certificate]), [leaf, issuing.certificate]);
    assert.deepEqual(chainUpTo([], [leaf]), [leaf]);
  });

  it('does not go in a circle where two CAs signed each other', () => {
    const [one, two] = [testCa({ name: 'one' }), testCa({ name: 'two' })];
    const [oneByTwo, twoByOne] = [crossSigned(one, two), crossSigned(two, one)];
    const below = testLeaf(one).certificate;
    assert.deepEqual(chainUpTo([oneByTwo, twoByOne], [below]), [below, oneByTwo, twoByOne]);
  });
});

/** A certificate of another CA for the same key. */
const crossSigned = ({ certificate, key }: Signer, by: Signer): Certificate =>
  signCertificate(
    {
      subject: [[OID.commonName, labelOf(certificate.subject)]],
      publicKey: publicKeyInfo(key),
      notBefore: new Date(certificate.notBefore),
      notAfter: new Date(certificate.notAfter),
      ca: {},
      keyUsage: ['keyCertSign'],
    },
    by,
  );
