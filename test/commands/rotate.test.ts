import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, get } from 'node:http';
import { type AddressInfo, connect, createServer as createTcp } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { findProgram, needs } from '../support/programs.js';
import { runningInWorkspace } from '../support/running.js';
import { mtls } from '../support/session.js';

interface Step {
  readonly done: boolean;
  readonly state: string;
  readonly blockers: readonly { readonly code: string; readonly service: string }[];
}

describe('mtls authority rotate', function () {
  this.timeout(120_000);

  describe('step by step', () => {
    const { cwd } = runningInWorkspace();
    const rotate = async (...words: readonly string[]) => mtls(['authority', 'rotate', ...words], { cwd });

    it('says where it stands, and what comes next', async () => {
      assert.match((await rotate()).stdout, /signs\n[^]*mtls authority rotate prepare/);
      assert.equal((await rotate('prepare')).code, 0);
      assert.match((await rotate()).stdout, /is trusted too: it signs next[^]*mtls authority rotate activate/);
    });

    it('plans what is left, and exits with 1 where something would break', async () => {
      assert.equal((await rotate('--plan')).code, 0);
      mkdirSync(join(cwd, 'elsewhere', 'api'), { recursive: true });
      for (const file of ['tls.crt', 'tls.key', 'ca.crt'])
        cpSync(join(cwd, '.mtls', 'services', 'api', file), join(cwd, 'elsewhere', 'api', file), { dereference: true });
      writeFileSync(join(cwd, 'elsewhere', 'api', 'ca.crt'), readFileSync(join(cwd, '.mtls', 'authority', 'root.crt')));
      const plan = await rotate('--plan', '--deployed', 'elsewhere', '--deployed', '.mtls/services');
      assert.equal(plan.code, 1);
      assert.match(plan.stdout, /✗ retire breaks \d+[^]*elsewhere\/api\/ca\.crt needs the new root before/);
    });

    it('refuses, exits with 1 and changes nothing while somebody does not trust the new root', async () => {
      const { code, stdout } = await rotate('activate', '--deployed', 'elsewhere', '--json');
      const { done, state, blockers } = JSON.parse(stdout) as Step;
      assert.deepEqual([code, done, state], [1, false, 'prepared']);
      assert.deepEqual(
        blockers.map(({ code: why, service }) => [why, service]),
        [['ROOT_NOT_TRUSTED', 'api']],
      );
      assert.match((await rotate('activate', '--deployed', 'elsewhere')).stdout, /nothing was changed\n[^]*it does not trust the new root/);
    });

    it('takes no flag that a step has no use for', async () => {
      for (const words of [
        ['activate', '--key-type', 'ed25519'],
        ['prepare', '--deployed', 'elsewhere'],
        ['activate', '--live', 'localhost:1'],
        ['retire', '--plan'],
        ['prepare', '--links', 'x'],
        ['elevate'],
      ]) {
        const { code, stderr } = await rotate(...words);
        assert.equal(code, 2, `${words.join(' ')}: ${stderr}`);
      }
    });

    it('lists the CAs of both generations', async () => {
      const { stdout } = await mtls(['list', '--profile', 'ca', '--json'], { cwd });
      assert.equal((JSON.parse(stdout) as { certificates: object[] }).certificates.length, 2);
    });
  });

  for (const shape of [[], ['--issuing-ca']])
    describe(`while services talk, after init ${shape.join('')}`, () => {
      const { cwd, start } = runningInWorkspace(...shape);
      const command = async (...words: readonly string[]) => {
        const { code, stdout, stderr } = await mtls(words, { cwd });
        assert.equal(code, 0, `${words.join(' ')}: ${stdout}${stderr}`);
      };
      const sidecar = async (...words: readonly string[]) => {
        const { child, heard } = start('proxy', '--json', ...words);
        const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
        return { url: (JSON.parse(line) as { url: string }).url, heard };
      };

      it('not one request fails, from the first step to the last', async () => {
        const service = createServer((_, response) => response.end('hello')).listen(0, '127.0.0.1');
        await once(service, 'listening');
        const upstream = `http://127.0.0.1:${(service.address() as AddressInfo).port}`;
        const inbound = await sidecar('--as', 'api', '--listen', 'mtls://127.0.0.1:0', '--upstream', upstream, '--allow', 'web');
        const outbound = await sidecar('--as', 'web', '--listen', 'http://127.0.0.1:0', '--upstream', inbound.url, '--expect', 'api');
        const answers: string[] = [];
        let isOver = false;
        const talking = (async () => {
          while (!isOver) answers.push(await ask(outbound.url));
        })();
        const settled = () => sleep(1_500);
        await settled();
        await command('issue', 'thief');
        const root = readFileSync(join(cwd, '.mtls', 'authority', 'root.crt'), 'latin1');
        for (const words of [
          ['authority', 'rotate', 'prepare'],
          ['authority', 'rotate', 'activate'],
          ['renew', 'web', '--revoke-old'],
          ['renew', 'api', '--revoke-old'],
          ['authority', 'rotate', 'retire'],
          ['renew', 'web', 'api'],
        ]) {
          await command(...words);
          await settled();
          if (words.includes('prepare')) await command('revoke', 'thief', '--reason', 'keyCompromise');
        }
        isOver = true;
        await talking;
        service.close();
        assert.ok(answers.length > 20, `${answers.length} answers`);
        assert.deepEqual([...new Set(answers)], ['200 hello'], inbound.heard.stdout + outbound.heard.stdout);
        assert.doesNotMatch(inbound.heard.stdout + outbound.heard.stdout, /reload failed/);
        assert.equal(existsSync(join(cwd, '.mtls', 'authority', 'root.key')), false);
        assert.ok(!readFileSync(join(cwd, '.mtls', 'authority', 'bundle.pem'), 'latin1').includes(root));
      });
    });

  describe('looking at what runs', () => {
    const { cwd } = runningInWorkspace();
    const servers: ReturnType<typeof spawn>[] = [];
    before(needs('nginx'));
    afterEach(() => servers.splice(0).forEach((server) => server.kill('SIGKILL')));

    /** An nginx that is api and trusts what is in `ca`. */
    async function nginx(ca: string): Promise<string> {
      const server = createTcp().listen(0, '127.0.0.1');
      await once(server, 'listening');
      const { port } = server.address() as AddressInfo;
      await new Promise((resolve) => server.close(resolve));
      const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((each) => `${each}_temp_path ${cwd}/${each};`).join(' ');
      const files = join(cwd, '.mtls', 'services', 'api');
      const tls = `ssl_certificate ${files}/tls.crt; ssl_certificate_key ${files}/tls.key; ssl_client_certificate ${ca}; ssl_verify_client on;`;
      writeFileSync(
        join(cwd, 'nginx.conf'),
        `daemon off; master_process off; pid ${cwd}/nginx.pid; error_log stderr; events {} http { ${temporary} access_log off;
         server { listen 127.0.0.1:${port} ssl; ${tls} location / { return 200; } } }`,
      );
      servers.push(spawn(findProgram('nginx')!, ['-c', join(cwd, 'nginx.conf'), '-p', cwd], { stdio: 'ignore' }));
      for (let i = 0; i < 100 && !(await isOpen(port)); i++) await sleep(50);
      return `localhost:${port}`;
    }

    it('sees who does not trust the new root, and who shows a certificate of the old one', async () => {
      assert.equal((await mtls(['authority', 'rotate', 'prepare'], { cwd })).code, 0);
      const authority = join(cwd, '.mtls', 'authority');
      const step = async (name: string, endpoint: string) => {
        const { stdout } = await mtls(['authority', 'rotate', name, '--live', endpoint, '--as', 'web', '--json'], { cwd });
        const { done, blockers } = JSON.parse(stdout) as Step;
        return { done, codes: blockers.map(({ code }) => code).filter((code) => code !== 'CERTIFICATE_ALIVE') };
      };
      assert.deepEqual(await step('activate', await nginx(join(authority, 'root.crt'))), { done: false, codes: ['ROOT_NOT_TRUSTED'] });
      const trusting = await nginx(join(authority, 'bundle.pem'));
      assert.deepEqual(await step('activate', trusting), { done: true, codes: [] });
      assert.equal((await mtls(['renew', '--all', '--revoke-old'], { cwd })).code, 0);
      // it was not told to read its certificate again
      assert.deepEqual((await step('retire', trusting)).codes, ['CERTIFICATE_IN_USE']);
      assert.deepEqual(await step('retire', await nginx(join(authority, 'bundle.pem'))), { done: true, codes: [] });
    });

    it('cannot tell of who is not there', async () => {
      assert.equal((await mtls(['authority', 'rotate', 'prepare'], { cwd })).code, 0);
      const { stdout } = await mtls(['authority', 'rotate', 'activate', '--live', '127.0.0.1:1', '--as', 'web', '--json'], { cwd });
      assert.deepEqual(
        (JSON.parse(stdout) as Step).blockers.map(({ code }) => code),
        ['NOT_TOLD'],
      );
    });
  });
});

const ask = (url: string): Promise<string> =>
  new Promise((resolve) => {
    get(url, { agent: false }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (part: string) => (body += part));
      response.on('end', () => resolve(`${response.statusCode} ${body}`));
    }).on('error', (error) => resolve(String(error)));
  });

function isOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('connect', () => resolve(true)).on('error', () => resolve(false));
    socket.on('connect', () => socket.destroy());
  });
}
