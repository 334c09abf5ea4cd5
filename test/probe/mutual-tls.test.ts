import assert from 'node:assert/strict';
import type { Certificate } from '../../src/pki/certificate.js';
import { crlsIn } from '../../src/pki/material.js';
import { OID } from '../../src/pki/oids.js';
import type { Confidence, DiagnosisCode, ProbeOptions, ProbeReport } from '../../src/probe/index.js';
import { STAGES } from '../../src/probe/index.js';
import { testCa, testCrl, testLeaf } from '../support/material.js';
import { type Leaf, type Running, identity, probePort, serveTls, testPki } from './support.js';

const HOUR = 3_600_000;
const ago = (hours: number): Date => new Date(Date.now() - hours * HOUR);
const { ca, server, client } = testPki();
const stranger = testCa({ name: 'stranger' });
const namesake = testCa({ name: 'test root' });
const middle = testCa({ name: 'issuing', issuer: ca });
const expired = (name: string): Leaf => testLeaf(ca, { name, notBefore: ago(48), notAfter: ago(24) });
const future = (name: string): Leaf => testLeaf(ca, { name, notBefore: ago(-4), notAfter: ago(-24) });
const selfSigned = testCa({ name: 'localhost' });
const crlOf = (...serials: string[]) => crlsIn(Buffer.from(testCrl(ca, serials)), 'crl.pem');

const trusting = (leaf: Leaf, ...above: Certificate[]): Partial<ProbeOptions> => ({
  authorities: [ca.certificate],
  client: identity(leaf, ...above),
});
const brief = ({ diagnosis: { code, confidence, alternatives } }: ProbeReport): [DiagnosisCode, Confidence, readonly DiagnosisCode[]] => [
  code,
  confidence,
  alternatives,
];

/** Statuses of the stages, one letter each: o(k), f(ailed), s(kipped), w(arning). */
const shape = ({ stages }: ProbeReport): string => stages.map(({ status }) => status[0]).join('');

for (const version of ['TLSv1.3', 'TLSv1.2'] as const) {
  describe(`a probe of a server of ${version} that requires a client certificate`, () => {
    let running: Running;
    before(async () => {
      running = await serveTls({ leaf: server, clientCa: ca.certificate, maxVersion: version });
    });
    after(() => running.stop());

    it('finds all well, and proves it', async () => {
      const report = await probePort(running.port, { ...trusting(client), httpPath: '/' });
      assert.deepEqual(brief(report), ['OK', 'certain', []]);
      assert.equal(shape(report), 'ooooooo');
      assert.deepEqual(
        report.stages.map(({ name }) => name),
        [...STAGES],
      );
      assert.ok(report.stages.every(({ ms }) => Number.isInteger(ms) && ms >= 0));
      const { handshake } = report;
      assert.equal(handshake.version, version);
      assert.deepEqual(handshake.clientCertificate, { sent: true, subject: 'CN=web', issuerAccepted: true });
      assert.deepEqual(handshake.certificateRequest!.authorities, ['CN=test root']);
      assert.ok(handshake.certificateRequest!.signatureAlgorithms.includes('ecdsa_secp256r1_sha256'));
      const leaf = handshake.serverChain[0]!;
      assert.ok('subject' in leaf && leaf.subject === 'CN=api' && leaf.names.includes('localhost'));
      assert.equal(report.diagnosis.stage, 'application');
      assert.deepEqual(report.diagnosis.fixes, []);
    });

    it('is less sure without --ca, and says so', async () => {
      const { authorities: _, ...rest } = trusting(client);
      const report = await probePort(running.port, rest);
      assert.deepEqual(brief(report), ['OK', 'likely', []]);
      assert.equal(report.stages[3]!.status, 'warning');
      assert.match(report.stages[3]!.detail, /not checked/);
    });

    it('is less sure without retries', async () => {
      const report = await probePort(running.port, { ...trusting(client), retries: false });
      assert.deepEqual(brief(report), ['OK', 'likely', ['MTLS_OPTIONAL', 'MTLS_ANY_CERT_ACCEPTED']]);
    });

    it('says that a certificate is required', async () => {
      const report = await probePort(running.port, { authorities: [ca.certificate] });
      assert.deepEqual(brief(report), ['CLIENT_CERT_REQUIRED', 'certain', []]);
      assert.equal(shape(report), 'oooofss');
      const expectedAlert = version === 'TLSv1.3' ? [116, 'certificate_required'] : [40, 'handshake_failure'];
      assert.deepEqual(
        report.handshake.alerts.map(({ from, level, code, name }) => [from, level, code, name]),
        [['server', 'fatal', ...expectedAlert]],
      );
      assert.deepEqual(report.diagnosis.fixes, ['show a certificate with --as, or with --cert and --key; mtls issue makes one']);
      const labels = { services: ['web'] };
      const known = await probePort(running.port, { authorities: [ca.certificate], labels, retries: false });
      assert.match(known.diagnosis.fixes[0]!, new RegExp(`^mtls probe 127\\.0\\.0\\.1:${running.port} .*--as web`));
    });

    // Node closes without an alert whatever it minds: only our own files tell
    const refused: readonly [string, Partial<ProbeOptions>, DiagnosisCode, Confidence, RegExp][] = [
      [
        'an expired certificate',
        trusting(expired('web')),
        'CLIENT_CERT_EXPIRED',
        'likely',
        /valid \d{4}-.* to \d{4}-.*ended 1 day before now/,
      ],
      ['one whose time has not come', trusting(future('web')), 'CLIENT_CERT_NOT_YET_VALID', 'likely', /begins 3 hours after now/],
      [
        'one of another CA',
        trusting(testLeaf(stranger, { name: 'web' })),
        'CLIENT_CERT_UNTRUSTED',
        'likely',
        /issued by CN=stranger; the server accepts: CN=test root/,
      ],
      [
        'one of a CA of the same name',
        trusting(testLeaf(namesake, { name: 'web' })),
        'CLIENT_CA_KEY_MISMATCH',
        'likely',
        /key id of the CA [0-9a-f]{40}/,
      ],
      [
        'a self-signed one',
        { ...trusting(client), client: { chain: [selfSigned.certificate], key: selfSigned.key } },
        'CLIENT_CERT_SELF_SIGNED',
        'likely',
        /signed by its own key/,
      ],
      [
        'one for servers only',
        trusting(testLeaf(ca, { name: 'web', extendedKeyUsage: [OID.serverAuth] })),
        'CLIENT_CERT_WRONG_EKU',
        'likely',
        /expected clientAuth, found serverAuth/,
      ],
      ['one without its intermediate', trusting(testLeaf(middle, { name: 'web' })), 'CLIENT_CHAIN_INCOMPLETE', 'likely', /CN=issuing/],
    ];
    for (const [title, options, code, confidence, evidence] of refused) {
      it(`explains why it refuses ${title}`, async () => {
        const report = await probePort(running.port, options);
        assert.deepEqual([report.diagnosis.code, report.diagnosis.confidence], [code, confidence]);
        assert.match(report.diagnosis.evidence.join('\n'), evidence);
        assert.match(report.diagnosis.evidence.join('\n'), /without an alert/);
        assert.equal(shape(report), 'oooofss');
        assert.equal(report.diagnosis.stage, 'client-certificate');
      });
    }

    it('takes one with its intermediate', async () => {
      const report = await probePort(running.port, trusting(testLeaf(middle, { name: 'web' }), middle.certificate));
      assert.equal(report.diagnosis.code, 'OK');
    });

    it('finds a key that is not the certificate’s before the server does', async () => {
      const report = await probePort(running.port, { ...trusting(client), client: { chain: [client.certificate], key: stranger.key } });
      assert.deepEqual(brief(report), ['CLIENT_KEY_MISMATCH', 'certain', []]);
      assert.ok(report.diagnosis.fixes.includes('mtls inspect web.crt web.key'));
      assert.equal(report.handshake.clientCertificate.sent, false);
    });

    const unsound: readonly [string, Partial<ProbeOptions>, DiagnosisCode, Confidence][] = [
      ['another CA of the same name', { authorities: [namesake.certificate] }, 'SERVER_CA_KEY_MISMATCH', 'certain'],
      ['another CA', { authorities: [stranger.certificate] }, 'SERVER_CERT_UNTRUSTED', 'certain'],
      ['another name', { servername: 'shop.test' }, 'SERVER_NAME_MISMATCH', 'certain'],
      ['a CRL that has the server', { crls: crlOf(server.certificate.serial) }, 'SERVER_CERT_REVOKED', 'certain'],
      ['a CRL of somebody else', { crls: crlsIn(Buffer.from(testCrl(stranger)), 'crl.pem') }, 'CRL_MISSING', 'certain'],
      ['a CRL out of date', { crls: crlsIn(Buffer.from(testCrl(ca, [], ago(1))), 'crl.pem') }, 'CRL_EXPIRED', 'certain'],
    ];
    for (const [title, options, code, confidence] of unsound) {
      it(`minds the server when asked with ${title}`, async () => {
        const report = await probePort(running.port, { ...trusting(client), ...options });
        assert.deepEqual([report.diagnosis.code, report.diagnosis.confidence], [code, confidence]);
        assert.equal(shape(report), 'ooofsss');
      });
    }
  });
}

describe('a probe of a server that has a fault of its own', () => {
  const cases: readonly [string, Leaf, Partial<ProbeOptions>, DiagnosisCode, RegExp][] = [
    ['expired', expired('api'), {}, 'SERVER_CERT_EXPIRED', /valid \d{4}-\S+ to \d{4}-\S+; it ended 1 day before now/],
    ['not yet valid', future('api'), {}, 'SERVER_CERT_NOT_YET_VALID', /begins 3 hours after now/],
    [
      'for clients only',
      testLeaf(ca, { extendedKeyUsage: [OID.clientAuth] }),
      {},
      'SERVER_CERT_WRONG_EKU',
      /expected serverAuth, found clientAuth/,
    ],
    [
      'named in the CN only',
      testLeaf(ca, { name: 'localhost', names: { dns: [] } }),
      {},
      'SERVER_NAME_CN_ONLY',
      /the common name localhost/,
    ],
    [
      'without the address',
      testLeaf(ca, { names: { ip: ['10.0.0.1'] } }),
      { servername: '' },
      'SERVER_IP_NOT_IN_SAN',
      /asked for the address 127\.0\.0\.1.*10\.0\.0\.1/,
    ],
    ['self-signed', { certificate: selfSigned.certificate, key: selfSigned.key }, {}, 'SERVER_CERT_SELF_SIGNED', /signed by its own key/],
    ['of a CA that is not trusted', testLeaf(stranger), {}, 'SERVER_CERT_UNTRUSTED', /issued by CN=stranger; trusted: test root/],
    ['without its intermediate', testLeaf(middle), {}, 'SERVER_CHAIN_INCOMPLETE', /issued by CN=issuing/],
  ];
  for (const [title, leaf, options, code, evidence] of cases) {
    it(`says that it is ${title}`, async () => {
      const running = await serveTls({ leaf, clientCa: ca.certificate });
      try {
        const report = await probePort(running.port, { ...trusting(client), retries: false, ...options });
        assert.equal(report.diagnosis.code, code);
        assert.equal(report.diagnosis.side, 'server');
        assert.match(report.diagnosis.evidence.join('\n'), evidence);
        assert.equal(shape(report), 'ooofsss');
        assert.ok(report.diagnosis.fixes.length > 0);
      } finally {
        await running.stop();
      }
    });
  }

  it('proves a missing intermediate that the client’s own file has', async () => {
    const running = await serveTls({ leaf: testLeaf(middle), clientCa: ca.certificate });
    try {
      const report = await probePort(running.port, trusting(testLeaf(middle, { name: 'web' }), middle.certificate));
      assert.deepEqual(brief(report), ['SERVER_CHAIN_INCOMPLETE', 'certain', []]);
    } finally {
      await running.stop();
    }
  });

  it('tells the first fault on the way, and the others beside it', async () => {
    const running = await serveTls({ leaf: expired('api'), clientCa: ca.certificate });
    try {
      const report = await probePort(running.port, { ...trusting(client), servername: 'shop.test', retries: false });
      assert.deepEqual(brief(report), ['SERVER_CERT_EXPIRED', 'certain', ['SERVER_NAME_MISMATCH']]);
      assert.match(report.diagnosis.evidence.at(-1)!, /^besides, SERVER_NAME_MISMATCH: asked for shop\.test/);
    } finally {
      await running.stop();
    }
  });
});

describe('a probe of a server that does not require what it should', () => {
  const probeServer = async (serverOptions: object, options: Partial<ProbeOptions>): Promise<ProbeReport> => {
    const running = await serveTls({ leaf: server, ...serverOptions });
    try {
      return await probePort(running.port, { authorities: [ca.certificate], ...options });
    } finally {
      await running.stop();
    }
  };
  const optional = { clientCa: ca.certificate, rejectUnauthorized: false };

  it('says that no certificate is asked for', async () => {
    const report = await probeServer({}, { client: identity(client) });
    assert.deepEqual([report.diagnosis.code, report.diagnosis.confidence], ['MTLS_NOT_REQUESTED', 'certain']);
    assert.equal(shape(report), 'oooowos');
    assert.equal(report.handshake.certificateRequest, null);
  });

  it('proves that one without a certificate is let in', async () => {
    const report = await probeServer(optional, { client: identity(client) });
    assert.deepEqual(brief(report), ['MTLS_OPTIONAL', 'certain', []]);
    assert.match(report.diagnosis.evidence.join('\n'), /without one: .* HTTP 200/);
  });

  it('sees it at once when it has no certificate itself', async () => {
    const report = await probeServer(optional, { httpPath: '/' });
    assert.deepEqual(brief(report), ['MTLS_OPTIONAL', 'certain', []]);
  });

  it('says that access is denied behind a good handshake', async () => {
    const running = await serveTls({ leaf: server, clientCa: ca.certificate }, 'HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n');
    const report = await probePort(running.port, { ...trusting(client), httpPath: '/secret' });
    const better = await probePort(running.port, { ...trusting(client), crls: crlOf(), httpPath: '/secret' });
    await running.stop();
    // a proxy may answer so to whoever is revoked: without a CRL nobody can tell
    assert.deepEqual(brief(report), ['CLIENT_NOT_AUTHORIZED', 'likely', ['CLIENT_CERT_REVOKED', 'CLIENT_CERT_REJECTED']]);
    assert.equal(shape(report), 'oooooof');
    assert.deepEqual(brief(better), ['CLIENT_NOT_AUTHORIZED', 'certain', []]);
  });

  it('never says OK when it has no certificate and the application refuses', async () => {
    const running = await serveTls({ leaf: server, ...optional }, 'HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n');
    const report = await probePort(running.port, { authorities: [ca.certificate] });
    await running.stop();
    assert.equal(report.diagnosis.code, 'CLIENT_CERT_REQUIRED');
    assert.equal(report.diagnosis.confidence, 'likely');
  });

  it('knows a key that fits none of the server’s algorithms, though nothing was sent', async () => {
    const leaf = testLeaf(ca, { keyType: 'rsa-2048' });
    const report = await probeServer(
      { leaf, clientCa: ca.certificate, sigalgs: 'rsa_pss_rsae_sha256:rsa_pkcs1_sha256' },
      { client: identity(client) },
    );
    assert.deepEqual(brief(report), ['CLIENT_SIGALG_UNSUPPORTED', 'certain', []]);
    assert.equal(report.handshake.clientCertificate.sent, false);
  });

  it('names what is likely when a revoked client is turned away without a word', async () => {
    const revoking = { clientCa: ca.certificate, crl: testCrl(ca, [client.certificate.serial]) };
    const known = await probeServer(revoking, { client: identity(client), crls: crlOf(client.certificate.serial) });
    assert.deepEqual([known.diagnosis.code, known.diagnosis.confidence], ['CLIENT_CERT_REVOKED', 'likely']);
    const unknown = await probeServer(revoking, { client: identity(client) });
    assert.deepEqual([unknown.diagnosis.code, unknown.diagnosis.confidence], ['CLIENT_CERT_REJECTED', 'possible']);
    assert.ok(unknown.diagnosis.alternatives.includes('CLIENT_CERT_REVOKED'));
  });
});
