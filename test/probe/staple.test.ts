import assert from 'node:assert/strict';
import { createServer } from 'node:tls';
import { OID } from '../../src/pki/oids.js';
import { type ProbeReport } from '../../src/probe/index.js';
import { DAY, HOUR, authority, certify } from '../support/chains.js';
import { certificatePem, keyPem } from '../support/material.js';
import { type OcspRecipe, ocspDer } from '../support/ocsp.js';
import { listen, probePort } from './support.js';

const hence = (milliseconds: number): Date => new Date(Date.now() + milliseconds);
const validity = { notBefore: hence(-HOUR), notAfter: hence(DAY) };
const ca = authority({ name: 'ca', ...validity });
const api = certify({ name: 'api', by: ca, names: { dns: ['localhost'] }, purposes: [OID.serverAuth], ...validity });

const answer = (more: Partial<OcspRecipe>): Buffer =>
  ocspDer({ about: api.certificate, issuer: ca, thisUpdate: hence(-HOUR), nextUpdate: hence(HOUR), ...more });

/** Probes a server that staples this to its certificate. */
async function probeStapled(staple: Buffer | null, version: 'TLSv1.2' | 'TLSv1.3'): Promise<ProbeReport> {
  const server = createServer({ cert: certificatePem(api.certificate), key: keyPem(api.key), minVersion: version, maxVersion: version });
  server.on('OCSPRequest', (_certificate, _issuer, done) => done(null, staple)).on('tlsClientError', () => {});
  const running = await listen(server);
  try {
    return await probePort(running.port, { authorities: [ca.certificate], retries: false });
  } finally {
    await running.stop();
  }
}

const detailOf = ({ stages }: ProbeReport): string => stages.find(({ name }) => name === 'server-certificate')!.detail;

for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
  describe(`a response that a server staples to its certificate, ${version}`, () => {
    it('is asked for, read and believed', async () => {
      const good = await probeStapled(answer({}), version);
      assert.equal(good.handshake.ocspStapled, true);
      assert.equal(good.stages.find(({ name }) => name === 'server-certificate')!.status, 'ok');
      const none = await probeStapled(null, version);
      assert.equal(none.handshake.ocspStapled, false);
    });

    it('says that the certificate is revoked', async () => {
      const { diagnosis } = await probeStapled(answer({ status: { revoked: hence(-HOUR), reason: 1 } }), version);
      assert.equal(diagnosis.code, 'SERVER_CERT_REVOKED');
      assert.match(diagnosis.evidence.join(), /keyCompromise.*by the OCSP response/);
    });

    it('that cannot be relied on is worth saying, and no fault', async () => {
      assert.match(detailOf(await probeStapled(answer({ nextUpdate: hence(-1000) }), version)), /stapled: api: the OCSP response ended/);
      assert.match(detailOf(await probeStapled(Buffer.from('no OCSP'), version)), /stapled OCSP response cannot be read/);
    });
  });
}
