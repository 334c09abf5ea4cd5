import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fingerprint } from '../../src/pki/certificate.js';
import { findRevoked } from '../../src/pki/crl.js';
import { crlsIn, readCertificates } from '../../src/pki/material.js';
import { temporaryDirectory } from '../support/material.js';
import { mtls } from '../support/session.js';
import { told } from '../support/told.js';

describe('mtls revoke', function () {
  this.timeout(60_000);
  const directory = temporaryDirectory();
  const cwd = directory.path;
  before(async () => {
    assert.equal((await mtls(['init', '--yes'], { cwd })).code, 0);
    assert.equal((await mtls(['issue', 'api', 'web'], { cwd })).code, 0);
  });
  after(directory.remove);
  const fileOf = (name: string): string => join('.mtls', 'services', name, 'tls.crt');
  const leafOf = (name: string) => readCertificates(join(cwd, fileOf(name)))[0]!;
  const crlPath = join(cwd, '.mtls', 'authority', 'root.crl');
  const reasonOf = (name: string) => findRevoked(crlsIn(readFileSync(crlPath), crlPath)[0]!, leafOf(name).serial)?.reason;
  const revoke = async (...args: readonly string[]): Promise<void> => {
    const { code, stderr } = await mtls(['revoke', ...args], { cwd });
    assert.equal(code, 0, stderr);
  };

  it('takes the certificate in a file, and lifts its hold by its fingerprint', async () => {
    await revoke(fileOf('api'), '--reason', 'certificateHold');
    assert.deepEqual([reasonOf('api'), reasonOf('web')], ['certificateHold', undefined]);
    await revoke(fingerprint(leafOf('api')), '--lift-hold');
    assert.equal(reasonOf('api'), undefined);
  });

  it('lifts nothing but a hold', async () => {
    await revoke(fileOf('web'), '--reason', 'keyCompromise');
    assert.equal((await told(['revoke', 'web', '--lift-hold'], { cwd })).code, 'NOT_ON_HOLD');
    assert.equal(reasonOf('web'), 'keyCompromise');
  });

  it('of a file of somebody else revokes nothing', async () => {
    const root = join('.mtls', 'authority', 'root.crt');
    assert.equal((await told(['revoke', root], { cwd })).code, 'SERIAL_NOT_FOUND');
  });
});
