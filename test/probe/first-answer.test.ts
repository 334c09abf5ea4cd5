import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { Socket } from 'node:net';
import { isError } from '../../src/errors.js';
import type { DiagnosisCode, ProbeOptions } from '../../src/probe/index.js';
import { type Running, freePort, identity, listen, probePort, serve, serveTls, testPki } from './support.js';

const { ca, server, client } = testPki();

interface Case {
  readonly title: string;
  readonly start: () => Promise<Running>;
  readonly options?: Partial<ProbeOptions>;
  readonly code: DiagnosisCode;
  readonly confidence?: 'certain' | 'likely' | 'possible';
  readonly evidence?: RegExp;
  readonly fix?: RegExp;
}

const onData = (answer: (bytes: Buffer, socket: Socket) => void) => () =>
  serve((socket) => void socket.once('data', (bytes) => answer(bytes, socket)));
const banner = (text: string) => () => serve((socket) => void socket.write(text));
const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT:@SECLEVEL=0' } as const;

const CASES: readonly Case[] = [
  { title: 'an HTTP server', start: () => listen(createServer()), code: 'PLAINTEXT_HTTP', evidence: /HTTP\/1\.1 400/, fix: /^curl http:/ },
  {
    title: 'an HTTP server that hangs up on what is no HTTP',
    start: onData((bytes, socket) =>
      bytes.toString('latin1').startsWith('GET ') ? socket.end('HTTP/1.1 200 OK\r\n\r\nhi') : socket.destroy(),
    ),
    code: 'PLAINTEXT_HTTP',
    evidence: /answers a clear-text GET: HTTP 200/,
  },
  { title: 'an SMTP server', start: banner('220 mail.test ESMTP Postfix\r\n'), code: 'STARTTLS_REQUIRED', fix: /--starttls smtp/ },
  { title: 'an IMAP server', start: banner('* OK IMAP4rev1 ready\r\n'), code: 'STARTTLS_REQUIRED', fix: /--starttls imap/ },
  { title: 'a POP3 server', start: banner('+OK ready\r\n'), code: 'STARTTLS_REQUIRED', fix: /--starttls pop3/ },
  {
    title: 'a PostgreSQL server',
    start: onData((bytes, socket) => (bytes[0] === 0 ? socket.write('S') : socket.destroy())),
    code: 'STARTTLS_REQUIRED',
    fix: /--starttls postgres/,
  },
  { title: 'an SSH server', start: banner('SSH-2.0-OpenSSH_9.6\r\n'), code: 'NOT_TLS', evidence: /SSH-2\.0-OpenSSH/ },
  {
    title: 'bytes that are nothing',
    start: banner('\x00\x01\x02\x03\x04\x05\x06\x07'),
    code: 'NOT_TLS',
    evidence: /no TLS record: 0001020304050607 \(hex\)$/,
  },
  {
    title: 'many bytes that are nothing',
    start: banner('\x01\xff'.repeat(500)),
    code: 'NOT_TLS',
    evidence: /no TLS record: (?:01c3bf){5}01 \(hex\)$/,
  },
  { title: 'words with quotes', start: banner('say "hello\\"\r\n'), code: 'NOT_TLS', evidence: /no TLS record: "say "hello\\""$/ },
  {
    title: 'words that would steer a terminal',
    start: banner('\u001b[2J\u001b]0;x\u0007\r\n'),
    code: 'NOT_TLS',
    evidence: /^[^\u001b\u0007]*$/,
  },
  { title: 'a server that never answers', start: () => serve(() => {}), code: 'TLS_NO_ANSWER', options: { timeoutMs: 400 } },
  { title: 'a server that hangs up at once', start: () => serve((socket) => socket.destroy()), code: 'TCP_CLOSED' },
  { title: 'a server that hangs up on the hello', start: onData((_, socket) => socket.destroy()), code: 'TLS_CLOSED_ON_HELLO' },
  {
    title: 'a server that resets on the hello',
    start: onData((_, socket) => socket.resetAndDestroy()),
    code: 'TLS_CLOSED_ON_HELLO',
    evidence: /reset/,
  },
  {
    title: 'a server that hangs up, without retries',
    start: onData((_, socket) => socket.destroy()),
    options: { retries: false },
    code: 'TLS_CLOSED_ON_HELLO',
    confidence: 'likely',
  },
  {
    title: 'a server of TLS 1.1',
    start: () => serveTls({ leaf: server, ...old }),
    code: 'TLS_VERSION_MISMATCH',
    evidence: /70 protocol_version\n.*takes TLSv1\.1/,
  },
  {
    title: 'a server of TLS 1.2 asked for TLS 1.3',
    start: () => serveTls({ leaf: server, maxVersion: 'TLSv1.2' }),
    options: { minVersion: 'TLSv1.3' },
    code: 'TLS_VERSION_MISMATCH',
    evidence: /takes TLSv1\.2/,
  },
  {
    title: 'a server of another protocol',
    start: () => serveTls({ leaf: server, ALPNProtocols: ['h2'] }),
    options: { alpn: ['postgresql'] },
    code: 'ALPN_MISMATCH',
    evidence: /120 no_application_protocol/,
  },
  {
    title: 'a server of another group',
    start: () => serveTls({ leaf: server, ecdhCurve: 'P-521' }),
    options: { groups: 'X25519' },
    code: 'TLS_NO_SHARED_GROUP',
    evidence: /takes secp521r1/,
  },
  {
    title: 'an alert that says too little',
    start: onData((_, socket) => socket.end(Buffer.from([21, 3, 3, 0, 2, 2, 40]))),
    code: 'TLS_NO_SHARED_CIPHER',
    confidence: 'possible',
  },
  {
    title: 'an unknown alert',
    start: onData((_, socket) => socket.end(Buffer.from([21, 3, 3, 0, 2, 2, 222]))),
    code: 'TLS_HANDSHAKE_FAILED',
    confidence: 'possible',
    evidence: /alert 222/,
  },
  {
    title: 'a server that does not know the name',
    start: onData((_, socket) => socket.end(Buffer.from([21, 3, 3, 0, 2, 2, 112]))),
    code: 'SNI_UNRECOGNIZED',
    evidence: /server name sent: localhost/,
  },
  {
    title: 'a server that wants a name',
    start: onData((_, socket) => socket.end(Buffer.from([21, 3, 3, 0, 2, 2, 112]))),
    options: { servername: '' },
    code: 'SNI_REQUIRED',
  },
];

describe('a probe that gets no ServerHello', () => {
  for (const { title, start, options = {}, code, confidence = 'certain', evidence = /./, fix = /./ } of CASES) {
    it(`tells ${title}`, async () => {
      const running = await start();
      try {
        const { diagnosis, stages, handshake } = await probePort(running.port, {
          timeoutMs: 1_500,
          authorities: [ca.certificate],
          client: identity(client),
          ...options,
        });
        assert.deepEqual([diagnosis.code, diagnosis.confidence], [code, confidence]);
        assert.match(diagnosis.evidence.join('\n'), evidence);
        assert.ok(
          diagnosis.fixes.some((line) => fix.test(line)),
          diagnosis.fixes.join('\n'),
        );
        assert.equal(stages.find(({ status }) => status === 'failed')!.name, diagnosis.stage);
        assert.ok(stages.slice(3).every(({ status }) => status === 'skipped'));
        assert.deepEqual([handshake.version, handshake.serverChain, handshake.certificateRequest], [null, [], null]);
      } finally {
        await running.stop();
      }
    });
  }
});

describe('a probe that gets no connection', () => {
  it('tells a closed port', async () => {
    const { diagnosis, stages } = await probePort(await freePort());
    assert.deepEqual([diagnosis.code, diagnosis.side, diagnosis.stage, diagnosis.confidence], ['TCP_REFUSED', 'network', 'tcp', 'certain']);
    assert.deepEqual(
      stages.map(({ status }) => status),
      ['ok', 'failed', 'skipped', 'skipped', 'skipped', 'skipped', 'skipped'],
    );
  });

  it('tells a name that does not resolve', async () => {
    const { diagnosis, stages } = await probePort(443, { host: 'nowhere.invalid', servername: 'nowhere.invalid', timeoutMs: 8_000 });
    assert.deepEqual([diagnosis.code, diagnosis.stage], ['DNS_FAILED', 'dns']);
    assert.equal(stages[0]!.status, 'failed');
  });

  it('finds the address of a name that answers, and shows an IPv6 endpoint in brackets', async () => {
    const running = await serveTls({ leaf: server });
    const { stages, endpoint } = await probePort(running.port, { host: 'localhost' });
    assert.equal(endpoint, `localhost:${running.port}`);
    assert.deepEqual([stages[1]!.status, stages[2]!.status], ['ok', 'ok'], stages[1]!.detail);
    await running.stop();
    assert.equal((await probePort(running.port, { host: '::1' })).endpoint, `[::1]:${running.port}`);
  });

  it('ends when it is told to', async () => {
    const running = await serve(() => {});
    const abort = new AbortController();
    setTimeout(() => abort.abort(), 50);
    await assert.rejects(probePort(running.port, { signal: abort.signal, timeoutMs: 10_000 }), (error) => isError(error, 'INTERRUPTED'));
    await running.stop();
  });

  it('refuses an offer that cannot be made before it connects', async () => {
    const offers: readonly Partial<ProbeOptions>[] = [
      { groups: 'no-such-group' },
      { minVersion: 'TLSv9' as 'TLSv1.3' },
      { minVersion: 'TLSv1.3', maxVersion: 'TLSv1.2' },
      { servername: 'x'.repeat(300) },
      { servername: 'a\r\nb' },
      { alpn: [''] },
      { httpPath: '/ HTTP/1.1\r\nX-Forged: yes' },
      { httpPath: 'no-slash' },
      { port: 70_000 },
      { client: { chain: [], key: client.key } },
    ];
    for (const options of offers) await assert.rejects(probePort(1, options), (error) => isError(error, 'VALUE_INVALID'));
  });
});
