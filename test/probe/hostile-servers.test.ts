import assert from 'node:assert/strict';
import { type Socket, connect } from 'node:net';
import { DIAGNOSES, type ProbeOptions, type ProbeReport } from '../../src/probe/index.js';
import { examineServer } from '../../src/probe/examine-server.js';
import { type Running, identity, probePort, serve, serveTls, testPki } from './support.js';

const { ca, server, client } = testPki();
const ours = { authorities: [ca.certificate], client: identity(client), retries: false, timeoutMs: 700 } as const;

/** What holds of every report, whatever the server did. */
function assertWhole({ stages, handshake, diagnosis }: ProbeReport): void {
  assert.equal(stages.length, 7);
  assert.ok(diagnosis.code in DIAGNOSES);
  assert.ok(diagnosis.evidence.length > 0, diagnosis.code);
  const failed = stages.findIndex(({ status }) => status === 'failed');
  if (failed >= 0) assert.ok(stages.slice(failed + 1).every(({ status }) => status === 'skipped'));
  assert.ok(handshake.serverChain.length <= 16);
}

async function probeServer(
  onConnection: (socket: Socket) => void,
  options: Partial<ProbeOptions> = {},
): Promise<{ report: ProbeReport; ms: number }> {
  const running = await serve(onConnection);
  const began = performance.now();
  const report = await probePort(running.port, { ...ours, ...options });
  const ms = performance.now() - began;
  await running.stop();
  assertWhole(report);
  return { report, ms };
}

/** Writes for as long as anybody reads. */
function flood(socket: Socket, bytes: Buffer): void {
  const more = (): void => {
    while (!socket.destroyed && socket.write(bytes));
  };
  socket.on('drain', more);
  more();
}

describe('a probe of a server that means no good', () => {
  it('is not drowned by bytes', async () => {
    for (const bytes of [Buffer.alloc(65_536), Buffer.alloc(65_536, 'HTTP/1.1 200 OK\r\n'), Buffer.alloc(65_536, '220-x\r\n')]) {
      const { ms } = await probeServer((socket) => flood(socket, bytes), { retries: true });
      assert.ok(ms < 5_000, `${ms} ms`);
    }
  });

  it('is not drowned by records without end', async () => {
    const record = Buffer.concat([Buffer.from([22, 3, 3, 0x40, 0]), Buffer.alloc(16_384, 1)]);
    const { ms } = await probeServer((socket) => flood(socket, Buffer.concat([record, record, record])));
    assert.ok(ms < 3_000, `${ms} ms`);
  });

  it('does not wait for one octet after another', async () => {
    const { report, ms } = await probeServer((socket) => {
      socket.write(Buffer.from([22, 3, 3, 0x40, 0]));
      const timer = setInterval(() => socket.write('x'), 50);
      socket.on('close', () => clearInterval(timer));
    });
    assert.ok(ms < 2_000, `${ms} ms`);
    assert.equal(report.diagnosis.code, 'TLS_NO_ANSWER');
  });

  it('reads no more of an answer than it keeps', async () => {
    const running = await serveTls({ leaf: server, clientCa: ca.certificate }, `HTTP/1.1 200 OK\r\n${'x: y\r\n'.repeat(1_000_000)}`);
    const began = performance.now();
    const report = await probePort(running.port, { ...ours, httpPath: '/' });
    await running.stop();
    assertWhole(report);
    assert.equal(report.diagnosis.code, 'OK');
    assert.ok(performance.now() - began < 3_000);
  });

  for (const version of ['TLSv1.3', 'TLSv1.2'] as const) {
    it(`comes to a report whatever octet of ${version} is changed on the way`, async function () {
      this.timeout(30_000);
      const behind = await serveTls({ leaf: server, clientCa: ca.certificate, maxVersion: version });
      const codes = new Set<string>();
      for (let where = 0; where < 1_000; where += 13) {
        const meddler = await meddle(behind.port, where);
        const report = await probePort(meddler.port, { ...ours, timeoutMs: 300 });
        await meddler.stop();
        assertWhole(report);
        codes.add(report.diagnosis.code);
      }
      await behind.stop();
      // a meddled handshake never looks like a good one
      assert.ok(!codes.has('OK'), [...codes].join());
      assert.ok(codes.size > 1);
    });
  }
});

/** Passes everything on and changes one octet of what the server sends. */
function meddle(port: number, where: number): Promise<Running> {
  return serve((socket) => {
    const behind = connect({ host: '127.0.0.1', port });
    let passed = 0;
    behind.on('data', (bytes) => {
      const changed = Buffer.from(bytes);
      if (where >= passed && where < passed + bytes.length) changed[where - passed]! ^= 0x55;
      passed += bytes.length;
      socket.write(changed);
    });
    socket.on('data', (bytes) => behind.write(bytes));
    socket.on('end', () => behind.end()).on('close', () => behind.destroy());
    behind.on('end', () => socket.end()).on('error', () => socket.destroy());
  });
}

describe('certificates that cannot be read', () => {
  const question = { authorities: [ca.certificate], crls: [], name: { host: 'localhost' }, at: new Date(), listed: [], relatives: [] };

  it('are reported, not thrown: the leaf', () => {
    const { chain, faults, leaf } = examineServer([Buffer.from('not a certificate')], question);
    assert.equal(leaf, undefined);
    assert.ok('problem' in chain[0]!);
    assert.deepEqual(
      faults.map(({ code, confidence }) => [code, confidence]),
      [['SERVER_CERT_UNTRUSTED', 'likely']],
    );
    assert.match(faults[0]!.evidence.join(), /certificate 1 of the server's chain cannot be read: not a certificate: not DER/);
  });

  it('are reported, not thrown: one behind a good leaf', () => {
    const { faults, remarks } = examineServer([server.certificate.der, Buffer.alloc(40, 0x30)], question);
    assert.deepEqual(faults, []);
    assert.match(remarks.join(), /certificate 2 of the server's chain cannot be read/);
  });

  it('beyond any honest number are not looked at', () => {
    assert.equal(examineServer(Array<Buffer>(1_000).fill(server.certificate.der), question).chain.length, 16);
  });
});
