import assert from 'node:assert/strict';
import { describeSent } from '../../src/probe/examine.js';
import { examineClient } from '../../src/probe/examine-client.js';
import { readCrl } from '../../src/pki/crl.js';
import { readPem } from '../../src/pki/pem.js';
import { testCa, testCrl, testLeaf } from '../support/material.js';

describe('what was sent', () => {
  // DER puts an octet of zeros before a serial number that would else be negative; people and list do not
  const ca = testCa();
  let leaf = testLeaf(ca);
  while (!leaf.certificate.serial.startsWith('00')) leaf = testLeaf(ca);
  const serial = leaf.certificate.serial.slice(2);

  it('has the serial number that list and inspect tell', () => {
    const sent = describeSent({ certificate: leaf.certificate });
    assert.equal('serial' in sent && sent.serial, serial);
  });

  it('has it where it is revoked, too', () => {
    const [block] = readPem(testCrl(ca, [leaf.certificate.serial]));
    const examined = examineClient(
      { chain: [leaf.certificate], key: leaf.key },
      { authorities: [ca.certificate], crls: [readCrl(block!.der)], at: new Date(), request: undefined, version: 0x0304, serverChain: [] },
    );
    const revoked = examined?.faults.find(({ code }) => code === 'CLIENT_CERT_REVOKED');
    assert.match(revoked!.evidence[0]!, new RegExp(`^serial ${serial} was revoked `));
  });
});
