import assert from 'node:assert/strict';
import { releaseCertificates, revokeCertificates } from '../../../src/authority/revocation/revoke.js';
import { findRevoked } from '../../../src/pki/crl.js';
import { clock, failure, issueOne, newWorkspace, revoke, rootCrl } from '../support.js';

describe('a hold', () => {
  let made: ReturnType<typeof newWorkspace>;
  beforeEach(() => {
    made = newWorkspace();
  });
  afterEach(() => made.remove());
  const release = (what: string) => releaseCertificates(made.workspace, { what }, clock);
  const isInCrl = (serial: string): boolean => findRevoked(rootCrl(made.workspace.paths), serial) !== undefined;

  it('is lifted: the certificate is in no CRL any more, and may be revoked again', async () => {
    const { entry } = await issueOne(made.workspace, 'api');
    await revoke(made.workspace, 'api', 'certificateHold', clock);
    assert.equal(isInCrl(entry.serial), true);
    const { released, crls } = await release('api');
    assert.deepEqual([released, crls[0]?.crl.number, isInCrl(entry.serial)], [[entry], '03', false]);
    await failure('NOT_ON_HOLD', () => release('api'));
    assert.deepEqual((await revoke(made.workspace, 'api', 'keyCompromise', clock)).revoked, [entry]);
    assert.equal(isInCrl(entry.serial), true);
  });

  it('is the only thing that is lifted', async () => {
    await issueOne(made.workspace, 'api');
    await revoke(made.workspace, 'api', 'superseded', clock);
    await failure('NOT_ON_HOLD', () => release('api'), /only certificateHold can be lifted/);
    await failure('SERIAL_NOT_FOUND', () => release('web'));
  });
});

describe('a certificate that is to be revoked', () => {
  it('is named by its fingerprint too, or is all that a service ever had', async () => {
    const made = newWorkspace();
    try {
      const first = (await issueOne(made.workspace, { name: 'api', validity: 60_000 })).entry;
      const second = (await issueOne(made.workspace, 'api')).entry;
      const late = () => new Date(clock().getTime() + 3_600_000);
      const colons = second.sha256.toUpperCase().match(/../g)!.join(':');
      assert.deepEqual((await revoke(made.workspace, colons, 'superseded', late)).revoked, [second]);
      const rest = await revokeCertificates(made.workspace, { what: 'api', all: true }, 'superseded', late);
      assert.deepEqual(rest.revoked, [first]);
    } finally {
      made.remove();
    }
  });
});
