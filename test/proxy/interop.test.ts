import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { certificatePem, keyPem, testCa, testLeaf } from '../support/material.js';
import { findProgram, needs } from '../support/programs.js';
import { Closing, ask, echo, layFiles, sidecar, spiffe } from './support.js';

/** Runs a program of somebody else to its end; what it printed on both streams. */
async function run(program: string, args: readonly string[], input = ''): Promise<{ code: number | null; text: string }> {
  const child = spawn(findProgram(program)!, args);
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (part: string) => (text += part));
  child.stdin.on('error', () => {});
  child.stdin.write(input);
  const [code] = (await Promise.race([once(child, 'close'), sleep(10_000).then(() => (child.kill(), [null]))])) as [number | null];
  return { code, text };
}

describe('a sidecar and the programs of others', () => {
  const open = new Closing();
  afterEach(() => open.all());
  const ca = testCa();
  const { files, directory } = layFiles(ca);
  const web = testLeaf(ca, { name: 'web' });
  const [cert, key, root] = [
    directory.file('web.crt', certificatePem(web.certificate)),
    directory.file('web.key', keyPem(web.key)),
    files.ca,
  ];
  after(directory.remove);
  const inbound = async () =>
    open.add(await sidecar({ listen: 'mtls://127.0.0.1:0', upstream: open.add(await echo()).url, files, allow: [spiffe('web')] }));

  describe('curl', () => {
    before(needs('curl'));
    it('gets through with its certificate, and 403 without', async () => {
      const { address } = await inbound();
      const url = `https://localhost:${address.port}/`;
      const common = ['-sS', '--cacert', root, '--resolve', `localhost:${address.port}:127.0.0.1`, '-w', '\n%{http_code}'];
      const allowed = await run('curl', [...common, '--cert', cert, '--key', key, '-d', 'x=1', url]);
      assert.match(allowed.text, /"body":"x=1"[^]*\n200$/);
      const refused = await run('curl', [...common, url]);
      assert.match(refused.text, /"code":"refused"[^]*\n403$/);
    });
  });

  describe('openssl s_client', () => {
    before(needs('openssl'));
    for (const version of ['-tls1_2', '-tls1_3']) {
      it(`gets through with ${version}`, async () => {
        const { address } = await inbound();
        const args = [
          's_client',
          '-connect',
          `127.0.0.1:${address.port}`,
          '-servername',
          'localhost',
          '-CAfile',
          root,
          '-cert',
          cert,
          '-key',
          key,
          '-verify_return_error',
          '-ign_eof',
          '-quiet',
          version,
        ];
        const { text } = await run('openssl', args, 'GET /s HTTP/1.0\r\n\r\n');
        assert.match(text, /200 OK[^]*"url":"\/s"/);
      });
    }
  });

  describe('gnutls-cli', () => {
    before(needs('gnutls-cli'));
    it('gets through', async () => {
      const { address } = await inbound();
      const args = [
        '--x509cafile',
        root,
        '--x509certfile',
        cert,
        '--x509keyfile',
        key,
        '--sni-hostname',
        'localhost',
        '--verify-hostname',
        'localhost',
        '-p',
        String(address.port),
        '127.0.0.1',
      ];
      const { text } = await run('gnutls-cli', args, 'GET /g HTTP/1.0\r\n\r\n');
      assert.match(text, /200 OK[^]*"url":"\/g"/);
    });
  });

  describe('openssl s_server as the upstream', () => {
    before(needs('openssl'));
    it('is reached by who is allowed, and sees its certificate', async () => {
      const api = testLeaf(ca, { name: 'api' });
      const [apiCert, apiKey] = [directory.file('up.crt', certificatePem(api.certificate)), directory.file('up.key', keyPem(api.key))];
      const port = await freePort();
      const server = spawn(
        findProgram('openssl')!,
        [
          's_server',
          '-accept',
          `127.0.0.1:${port}`,
          '-cert',
          apiCert,
          '-key',
          apiKey,
          '-CAfile',
          root,
          '-Verify',
          '1',
          '-verify_return_error',
          '-www',
          '-quiet',
        ],
        { stdio: 'ignore' },
      );
      open.later(() => stop(server));
      await reachable(port);
      const webFiles = { certificate: cert, key, ca: root };
      const near = open.add(
        await sidecar({ listen: 'http://127.0.0.1:0', upstream: `mtls://127.0.0.1:${port}`, files: webFiles, expect: [spiffe('api')] }),
      );
      const { status, body } = await ask(near.url);
      assert.equal(status, 200);
      assert.match(body, /CN = web|CN=web/);
    });
  });

  describe('nginx as the upstream', () => {
    before(needs('nginx'));
    it('is reached with a client certificate, over a connection that is kept', async () => {
      const api = testLeaf(ca, { name: 'api' });
      const [apiCert, apiKey] = [directory.file('ng.crt', certificatePem(api.certificate)), directory.file('ng.key', keyPem(api.key))];
      const port = await freePort();
      const temp = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
        .map((name) => `${name}_temp_path ${directory.path}/${name};`)
        .join(' ');
      const config = directory.file(
        'nginx.conf',
        `daemon off; master_process off; pid ${directory.path}/nginx.pid; error_log stderr; events {} http { ${temp} access_log off; server { listen 127.0.0.1:${port} ssl; ssl_certificate ${apiCert}; ssl_certificate_key ${apiKey}; ssl_client_certificate ${root}; ssl_verify_client on; location / { return 200 "$ssl_client_s_dn $connection_requests"; } } }`,
      );
      const server = spawn(findProgram('nginx')!, ['-c', config, '-p', directory.path], { stdio: 'ignore' });
      open.later(() => stop(server));
      await reachable(port);
      const near = open.add(
        await sidecar({
          listen: 'http://127.0.0.1:0',
          upstream: `mtls://127.0.0.1:${port}`,
          files: { certificate: cert, key, ca: root },
          expect: ['dns:api'],
        }),
      );
      assert.equal((await ask(near.url)).body, 'CN=web 1');
      assert.equal((await ask(near.url)).body, 'CN=web 2');
    });
  });
});

async function freePort(): Promise<number> {
  const { createServer } = await import('node:net');
  const server = createServer();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function reachable(port: number): Promise<void> {
  for (;;) {
    const socket = connect(port, '127.0.0.1');
    const isOpen = await Promise.race([once(socket, 'connect').then(() => true), once(socket, 'close').then(() => false)]).catch(
      () => false,
    );
    socket.destroy();
    if (isOpen) return;
    await sleep(50);
  }
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'close');
}
