import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { createServer as createHttpServer, get } from 'node:http';
import { type AddressInfo, type Server, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { temporaryDirectory } from '../support/material.js';
import { MTLS, mtls, plainEnvironment } from '../support/session.js';

interface Line {
  readonly event: string;
  readonly url?: string;
  readonly code?: string;
  readonly decision?: string;
}

/** A sidecar as a process, by its JSON lines. */
async function startSidecar(cwd: string, args: readonly string[]) {
  const child = spawn(process.execPath, [MTLS, 'proxy', '--json', ...args], { cwd, env: plainEnvironment() });
  const lines: Line[] = [];
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const reader = createInterface(child.stdout);
  reader.on('line', (line) => lines.push(JSON.parse(line) as Line));
  await Promise.race([once(reader, 'line'), once(child, 'close').then(() => Promise.reject(new Error(`it ended: ${stderr}`)))]);
  return { child, lines, url: lines[0]!.url!, stderr: () => stderr };
}

const ended = async (child: ChildProcess): Promise<number | null> =>
  child.exitCode === null ? ((await once(child, 'close')) as [number | null])[0] : child.exitCode;

const fetchText = (url: string): Promise<{ status: number; text: string }> =>
  new Promise((resolve, reject) => {
    get(url, { agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => (text += part));
      response.on('end', () => resolve({ status: response.statusCode!, text })).on('error', reject);
    }).on('error', reject);
  });

const listen = async (server: Server): Promise<string> => {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
};

describe('processes', function () {
  this.timeout(60_000);
  const directory = temporaryDirectory();
  const cwd = directory.path;
  const children: ChildProcess[] = [];
  const servers: Server[] = [];
  before(async () => {
    assert.equal((await mtls(['init', '--yes'], { cwd })).code, 0);
    assert.equal((await mtls(['issue', 'api', 'web', 'billing'], { cwd })).code, 0);
  });
  afterEach(() => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
    for (const server of servers.splice(0)) server.close();
  });
  const sidecar = async (...args: string[]) => {
    const running = await startSidecar(cwd, args);
    children.push(running.child);
    return running;
  };
  const serve = (server: Server): Promise<string> => {
    servers.push(server);
    return listen(server);
  };

  describe('two sidecars', () => {
    it('carry a request, tell each decision, drain at SIGTERM and exit 0', async () => {
      const service = await serve(
        createHttpServer((request, response) => response.end(String(request.headers['x-forwarded-client-cert']))),
      );
      const far = await sidecar('--as', 'api', '--listen', 'mtls://127.0.0.1:0', '--upstream', `http://${service}`, '--allow', 'web');
      const near = await sidecar('--as', 'web', '--listen', 'http://127.0.0.1:0', '--upstream', far.url, '--expect', 'api');
      const { status, text } = await fetchText(near.url);
      assert.equal(status, 200);
      assert.match(text, /URI=spiffe:\/\/cluster\.local\/ns\/default\/sa\/web/);
      for (const { child, lines } of [near, far]) {
        child.kill('SIGTERM');
        assert.equal(await ended(child), 0);
        assert.deepEqual(
          lines.map(({ event }) => event),
          ['listening', 'decision', 'draining'],
        );
      }
    });

    it('refuse whoever is not allowed, and an upstream that is away: text for people', async () => {
      const far = spawn(
        process.execPath,
        [MTLS, 'proxy', '--as', 'api', '--listen', 'mtls://127.0.0.1:0', '--upstream', 'http://127.0.0.1:1', '--allow', 'web'],
        { cwd, env: plainEnvironment() },
      );
      children.push(far);
      let [out, talk] = ['', ''];
      far.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
      far.stderr.setEncoding('utf8').on('data', (text: string) => (talk += text));
      while (!talk.includes('listening on')) await once(far.stderr, 'data');
      const url = /mtls:\/\/\S+(?=,)/.exec(talk)![0];
      const [stranger, friend] = [
        await sidecar('--as', 'billing', '--listen', 'http://127.0.0.1:0', '--upstream', url, '--expect', 'api'),
        await sidecar('--as', 'web', '--listen', 'http://127.0.0.1:0', '--upstream', url, '--expect', 'api'),
      ];
      assert.equal((await fetchText(stranger.url)).status, 403);
      const away = await fetchText(friend.url);
      assert.deepEqual([away.status, Object.keys((JSON.parse(away.text) as { error: object }).error)], [502, ['code', 'id']]);
      far.kill('SIGTERM');
      assert.equal(await ended(far), 0);
      assert.match(
        out,
        /✗ spiffe:\/\/\S+\/billing: spiffe:\/\/\S+ is not allowed; expected spiffe:\/\/\S+\/web NOT_ALLOWED [0-9a-f]{16}\n/,
      );
      assert.match(out, /nothing listens there \(ECONNREFUSED\) UPSTREAM_UNAVAILABLE [0-9a-f]{16}\n/);
      assert.doesNotMatch(out + talk, /\n\s+at /);
    });

    it('see a revocation by themselves', async () => {
      const service = await serve(createHttpServer((_request, response) => response.end('ok')));
      assert.equal((await mtls(['issue', 'thief'], { cwd })).code, 0);
      const far = await sidecar('--as', 'api', '--listen', 'mtls://127.0.0.1:0', '--upstream', `http://${service}`, '--allow', 'thief');
      const near = await sidecar('--as', 'thief', '--listen', 'http://127.0.0.1:0', '--upstream', far.url, '--expect', 'api');
      assert.equal((await fetchText(near.url)).status, 200);
      assert.equal((await mtls(['revoke', 'thief', '--reason', 'keyCompromise'], { cwd })).code, 0);
      for (let status = 200; status === 200;) ({ status } = await fetchText(near.url));
      assert.ok(far.lines.some(({ code, event }) => code === 'CERTIFICATE_REVOKED' && event !== 'allow'));
    });

    for (const [what, args, code] of [
      ['no policy', ['--as', 'api', '--listen', 'mtls://127.0.0.1:0', '--upstream', 'http://127.0.0.1:1'], 'PROXY_OPEN_POLICY'],
      ['no expectation', ['--as', 'web', '--listen', 'http://127.0.0.1:0', '--upstream', 'mtls://127.0.0.1:1'], 'PROXY_OPEN_UPSTREAM'],
      [
        'clear text from outside',
        ['--as', 'web', '--listen', 'http://0.0.0.0:0', '--upstream', 'mtls://127.0.0.1:1', '--expect', 'api'],
        'PROXY_PLAINTEXT',
      ],
      [
        'a service that is not there',
        ['--as', 'nobody', '--listen', 'mtls://127.0.0.1:0', '--upstream', 'http://127.0.0.1:1', '--allow', 'web'],
        'SERVICE_NOT_FOUND',
      ],
      ['a port that is taken', ['--as', 'api', '--listen', 'PORT', '--upstream', 'http://127.0.0.1:1', '--allow', 'web'], 'LISTEN_FAILED'],
    ] as const) {
      it(`do not start with ${what}: ${code}`, async () => {
        const taken = `mtls://${await serve(createServer())}`;
        const words = args.map((word) => (word === 'PORT' ? taken : word));
        const { code: exit, stdout, stderr } = await mtls(['proxy', ...words, '--json'], { cwd });
        assert.equal(exit, 2);
        assert.equal((JSON.parse(stdout) as { error: { code: string } }).error.code, code);
        assert.equal(stderr, '');
        const text = await mtls(['proxy', ...words], { cwd });
        assert.deepEqual([text.code, text.stdout], [2, '']);
        assert.match(text.stderr, /^error: [^\n]+\n(?: {2}→ [^\n]+\n)*$/);
      });
    }
  });

  describe('a probe', () => {
    const probed = async (endpoint: string, ...more: string[]) => {
      const json = await mtls(['probe', endpoint, '--as', 'web', '--timeout', '1s', '--json', ...more], { cwd });
      const text = await mtls(['probe', endpoint, '--as', 'web', '--timeout', '1s', ...more], { cwd });
      assert.equal(text.code, json.code);
      assert.equal(text.stderr + json.stderr, '');
      assert.doesNotMatch(text.stdout, /\n\s+at /);
      const report = JSON.parse(json.stdout) as { stages: { name: string }[]; diagnosis: { code: string; side: string } };
      assert.deepEqual(
        report.stages.map(({ name }) => name),
        ['dns', 'tcp', 'hello', 'server-certificate', 'client-certificate', 'finished', 'application'],
      );
      assert.match(text.stdout, new RegExp(`${report.diagnosis.code}  `));
      return { exit: json.code, code: report.diagnosis.code };
    };

    it('of a host that does not resolve', async () =>
      assert.deepEqual(await probed('nowhere.invalid:443'), { exit: 1, code: 'DNS_FAILED' }));
    it('of a closed port', async () => assert.deepEqual(await probed('127.0.0.1:1'), { exit: 1, code: 'TCP_REFUSED' }));
    it('of a port that never answers', async () => {
      assert.deepEqual(await probed(await serve(createServer(() => {}))), { exit: 1, code: 'TLS_NO_ANSWER' });
    });
    it('of a plain HTTP port', async () => {
      assert.deepEqual(await probed(await serve(createHttpServer((_request, response) => response.end()))), {
        exit: 1,
        code: 'PLAINTEXT_HTTP',
      });
    });
    it('of a sidecar: good for who is allowed, not for others', async () => {
      const service = await serve(createHttpServer((_request, response) => response.end('ok')));
      const far = await sidecar('--as', 'api', '--listen', 'mtls://127.0.0.1:0', '--upstream', `http://${service}`, '--allow', 'web');
      const endpoint = far.url.replace('mtls://', '');
      assert.deepEqual(await probed(endpoint, '--http', '/'), { exit: 0, code: 'OK' });
      const refused = await mtls(['probe', endpoint, '--as', 'billing', '--http', '/', '--json'], { cwd });
      assert.deepEqual(
        [refused.code, (JSON.parse(refused.stdout) as { diagnosis: { code: string } }).diagnosis.code],
        [1, 'CLIENT_NOT_AUTHORIZED'],
      );
    });
    it('ends at Ctrl-C with 130', async () => {
      const silent = await serve(createServer(() => {}));
      const child = spawn(process.execPath, [MTLS, 'probe', silent, '--timeout', '30s'], { cwd, env: plainEnvironment() });
      children.push(child);
      let talk = '';
      child.stderr.setEncoding('utf8').on('data', (text: string) => (talk += text));
      await once(servers.at(-1)!, 'connection');
      child.kill('SIGINT');
      assert.equal(await ended(child), 130);
      assert.equal(talk, 'error: interrupted\n');
    });
  });

  describe('two issues at once', () => {
    it('wait for each other, and lose nothing', async () => {
      const names = Array.from({ length: 6 }, (_, i) => `twin${i}`);
      const results = await Promise.all(names.map((name) => mtls(['issue', name, '--json'], { cwd })));
      assert.deepEqual(
        results.map(({ code }) => code),
        names.map(() => 0),
      );
      const { stdout } = await mtls(['list', '--json'], { cwd });
      const listed = (JSON.parse(stdout) as { certificates: { name: string; serial: string }[] }).certificates;
      const issued = results.map((result) => (JSON.parse(result.stdout) as { issued: [{ serial: string }] }).issued[0].serial);
      assert.deepEqual(
        listed.filter(({ name }) => name.startsWith('twin')).map(({ serial }) => serial),
        issued,
      );
      assert.equal(existsSync(join(cwd, '.mtls', 'authority', 'lock')), false);
    });
  });

  describe('the demo', () => {
    const left = (): string[] => readdirSync(tmpdir()).filter((name) => name.startsWith('mtls-demo-'));

    it('goes as it must, and leaves nothing', async () => {
      const before = left();
      const { code, stdout, stderr } = await mtls(['demo', '--json'], { cwd: tmpdir() });
      assert.equal(code, 0, stdout + stderr);
      const { ok, passage, refusals } = JSON.parse(stdout) as {
        ok: boolean;
        passage: { status: number; caller: string; service: string };
        refusals: { ok: boolean; title: string; refusedBy: string; stage: string; decision: { code: string } }[];
      };
      assert.deepEqual(
        [ok, passage.status, passage.caller, passage.service],
        [true, 200, 'spiffe://cluster.local/ns/default/sa/web', 'spiffe://cluster.local/ns/default/sa/api'],
      );
      assert.deepEqual(
        refusals.map((refusal) => [refusal.ok, refusal.decision.code, refusal.refusedBy, refusal.stage]),
        [
          [true, 'NO_CERTIFICATE', 'server', 'client-certificate'],
          [true, 'CERTIFICATE_UNTRUSTED', 'server', 'client-certificate'],
          [true, 'CERTIFICATE_EXPIRED', 'server', 'client-certificate'],
          [true, 'CERTIFICATE_REVOKED', 'server', 'client-certificate'],
          [true, 'NOT_ALLOWED', 'server', 'application'],
        ],
      );
      assert.deepEqual(left(), before);
    });

    it('keeps what it wrote when asked', async () => {
      const { stdout } = await mtls(['demo', '--keep', '--json'], { cwd: tmpdir() });
      const { workspace } = JSON.parse(stdout) as { workspace: string };
      assert.match(readFileSync(join(workspace, 'services', 'api', 'tls.crt'), 'utf8'), /BEGIN CERTIFICATE/);
      const { rmSync } = await import('node:fs');
      rmSync(join(workspace, '..'), { recursive: true });
    });

    it('removes it at Ctrl-C, and exits 130', async () => {
      const before = left();
      const child = spawn(process.execPath, [MTLS, 'demo'], { cwd, env: plainEnvironment(), stdio: 'ignore' });
      children.push(child);
      while (left().length === before.length) await new Promise((resolve) => setTimeout(resolve, 10));
      child.kill('SIGINT');
      assert.equal(await ended(child), 130);
      assert.deepEqual(left(), before);
    });
  });

  it('a reader that goes away (| head) is no error', async () => {
    const child = spawn('/bin/sh', ['-c', `"${process.execPath}" "${MTLS}" list --json | head -c 1`], { cwd, env: plainEnvironment() });
    let talk = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (talk += text));
    await ended(child);
    assert.equal(talk, '');
  });
});
