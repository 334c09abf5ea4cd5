import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ConnectionOptions, type TlsOptions, connect } from 'node:tls';
import fc from 'fast-check';
import { CIPHER_SUITES, GROUPS, VERSIONS, nameOf } from '../../src/probe/codepoints.js';
import { connectTo } from '../../src/probe/connect.js';
import { type Chunk, Tap, Tape } from '../../src/probe/tap.js';
import { transcribe } from '../../src/probe/transcript.js';
import { certificatePem, keyPem } from '../support/material.js';
import { serveTls, testPki } from './support.js';

const { ca, server, client } = testPki();
const OURS = { cert: certificatePem(client.certificate), key: keyPem(client.key) };

interface Recording {
  readonly tape: Tape;
  readonly keylog: readonly string[];
  readonly node: { readonly protocol: string | null; readonly cipher: string; readonly leaf: Buffer | undefined };
}

/** One real handshake, with what Node itself says of it. */
async function recordHandshake(serverOptions: TlsOptions, clientOptions: ConnectionOptions): Promise<Recording> {
  const running = await serveTls({ leaf: server, clientCa: ca.certificate, ...serverOptions });
  const connection = await connectTo('127.0.0.1', running.port, { timeoutMs: 2_000 });
  assert.ok('socket' in connection);
  const [tape, keylog] = [new Tape(), [] as string[]];
  const secure = connect({ socket: new Tap(connection.socket, tape), rejectUnauthorized: false, ...clientOptions });
  secure.on('keylog', (line: Buffer) => keylog.push(line.toString())).on('error', () => {});
  await new Promise((resolve) => secure.once('secureConnect', resolve).once('close', resolve));
  const node = { protocol: secure.getProtocol(), cipher: secure.getCipher()?.standardName, leaf: secure.getPeerCertificate()?.raw };
  await sleep(50);
  secure.destroy();
  await running.stop();
  return { tape, keylog, node };
}

describe('the transcript of a real handshake', () => {
  const suites: readonly [string, TlsOptions, string][] = [
    ['TLS 1.3, AES-128-GCM', { ciphers: 'TLS_AES_128_GCM_SHA256' }, 'x25519'],
    ['TLS 1.3, AES-256-GCM', { ciphers: 'TLS_AES_256_GCM_SHA384' }, 'x25519'],
    ['TLS 1.3, ChaCha20', { ciphers: 'TLS_CHACHA20_POLY1305_SHA256' }, 'x25519'],
    ['TLS 1.3 after a HelloRetryRequest', { ecdhCurve: 'P-384' }, 'secp384r1'],
    ['TLS 1.2, AES-GCM', { maxVersion: 'TLSv1.2', ecdhCurve: 'P-256' }, 'secp256r1'],
    ['TLS 1.2, ChaCha20', { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-CHACHA20-POLY1305' }, 'x25519'],
    ['TLS 1.2, CBC', { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-SHA' }, 'x25519'],
  ];
  for (const [title, options, group] of suites) {
    it(`says what Node says: ${title}`, async () => {
      const { tape, keylog, node } = await recordHandshake(options, OURS);
      const transcript = transcribe(tape, keylog);
      assert.deepEqual(transcript.faults, []);
      assert.equal(nameOf(VERSIONS, transcript.serverHello!.version), node.protocol);
      assert.equal(nameOf(CIPHER_SUITES, transcript.serverHello!.cipher), node.cipher);
      assert.equal(nameOf(GROUPS, transcript.group!), group);
      assert.deepEqual(transcript.serverCertificates![0], node.leaf);
      assert.deepEqual(transcript.clientCertificates, [client.certificate.der]);
      assert.deepEqual(
        transcript.certificateRequest!.authorities.map(({ text }) => text),
        ['CN=test root'],
      );
      assert.ok(transcript.milestones.serverFinished !== undefined && transcript.milestones.clientFinished !== undefined);
      assert.deepEqual(transcript.alerts, []);
    });
  }

  for (const [version, code] of [
    ['TLSv1.3', 116],
    ['TLSv1.2', 40],
  ] as const) {
    it(`holds the alert of a server that got no certificate: ${version}`, async () => {
      const { tape, keylog } = await recordHandshake({ maxVersion: version }, {});
      const transcript = transcribe(tape, keylog);
      assert.deepEqual(transcript.clientCertificates, []);
      const [alert] = transcript.alerts;
      assert.deepEqual({ from: alert!.from, level: alert!.level, code: alert!.code }, { from: 'server', level: 2, code });
      assert.ok(alert!.at >= transcript.milestones.clientCertificate!);
    });
  }

  it('without secrets tells what is in the clear and nothing more', async () => {
    const { tape } = await recordHandshake({}, OURS);
    const transcript = transcribe(tape, []);
    assert.equal(transcript.serverHello!.version, 0x0304);
    assert.equal(transcript.serverCertificates, undefined);
    assert.equal(transcript.certificateRequest, undefined);
  });

  it('never throws, however a tape was changed', async function () {
    this.timeout(15_000);
    for (const options of [{}, { maxVersion: 'TLSv1.2' }] as const) {
      const { tape, keylog } = await recordHandshake(options, OURS);
      const chunks = tape.chunks;
      fc.assert(
        fc.property(
          fc.nat(chunks.length - 1),
          fc.nat(5_000),
          fc.integer({ min: 1, max: 255 }),
          fc.boolean(),
          (which, where, change, cut) => {
            const changed = chunks.map((chunk, i): Chunk => {
              if (i !== which) return chunk;
              const bytes = Buffer.from(chunk.bytes);
              bytes[where % bytes.length]! ^= change;
              return { ...chunk, bytes: cut ? bytes.subarray(0, where % bytes.length) : bytes };
            });
            transcribe({ chunks: changed }, keylog);
          },
        ),
        { numRuns: 1_500 },
      );
    }
  });

  it('of random bytes is a transcript with a fault, or an empty one', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.constantFrom('client' as const, 'server' as const), fc.uint8Array({ maxLength: 100 })), { maxLength: 6 }),
        (parts) => {
          const chunks = parts.map(([from, bytes], at): Chunk => ({ from, bytes: Buffer.from(bytes), at }));
          assert.equal(transcribe({ chunks }, []).serverHello, undefined);
        },
      ),
      { numRuns: 1_000 },
    );
  });
});
