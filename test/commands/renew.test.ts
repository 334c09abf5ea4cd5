import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { findProgram, needs } from '../support/programs.js';
import { runningInWorkspace } from '../support/running.js';
import { mtls } from '../support/session.js';

interface Event {
  readonly event: string;
  readonly name?: string;
  readonly serial?: string;
  readonly code?: string;
}

async function until<T>(find: () => T | undefined | false): Promise<T> {
  for (let i = 0; i < 200; i++) {
    const found = find();
    if (found !== undefined && found !== false) return found;
    await sleep(50);
  }
  throw new Error('waited in vain');
}

describe('mtls renew', function () {
  this.timeout(60_000);
  const { directory, cwd, start } = runningInWorkspace();
  const service = (name: string, file: string) => join(cwd, '.mtls', 'services', name, file);

  it('says that nothing is due', async () => {
    const { code, stdout } = await mtls(['renew'], { cwd });
    assert.equal(code, 0);
    assert.match(stdout, /nothing is due/);
  });

  it('renews who is named, and exits with 1 where one could not be', async () => {
    const { code, stdout } = await mtls(['renew', 'api', 'nobody', '--json'], { cwd });
    assert.equal(code, 1);
    const { events } = JSON.parse(stdout) as { events: Event[] };
    assert.deepEqual(
      events.map(({ event, name, code: why }) => [event, name, why]),
      [
        ['renewed', 'api', undefined],
        ['failed', 'nobody', 'SERVICE_NOT_FOUND'],
      ],
    );
  });

  it('takes names or a set, not both', async () => {
    for (const flag of ['--all', '--due', '--watch']) assert.equal((await mtls(['renew', 'api', flag], { cwd })).code, 2, flag);
    assert.equal((await mtls(['renew', '--all', '--watch'], { cwd })).code, 2);
    assert.equal((await mtls(['renew', '--signal', 'HUP'], { cwd })).code, 2);
  });

  it('--watch renews what comes due, tells it in lines, tries a hook again, and stops at SIGTERM', async () => {
    assert.equal((await mtls(['issue', 'short', '--valid', '6s'], { cwd })).code, 0);
    const tried = join(cwd, 'tried');
    const exec = `test -e ${tried} || { touch ${tried}; exit 1; }`;
    // 304 of 306 seconds are left of what is backdated by five minutes
    const { child, heard, ended } = start('renew', '--watch', '--json', '--before', '4s', '--exec', exec);
    const events = () =>
      heard.stdout
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line) as Event & { readonly time: string });
    await until(() => events().find(({ event }) => event === 'hooked'));
    child.kill('SIGTERM');
    assert.equal(await ended, 0);
    assert.deepEqual(
      events()
        .slice(0, 3)
        .map(({ event, name, code: why }) => [event, name, why]),
      [
        ['renewed', 'short', undefined],
        ['failed', 'short', 'HOOK_FAILED'],
        ['hooked', 'short', undefined],
      ],
    );
    assert.ok(!existsSync(join(cwd, '.mtls', 'authority', 'lock')));
    rmSync(join(cwd, '.mtls', 'services', 'short'), { recursive: true });
  });

  describe('with nginx', () => {
    before(needs('nginx', 'openssl'));
    it('nginx serves the new certificate after --signal HUP', async () => {
      const port = await freePort();
      const pidFile = join(cwd, 'nginx.pid');
      const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((each) => `${each}_temp_path ${cwd}/${each};`);
      const config = directory.file(
        'nginx.conf',
        `daemon off; pid ${pidFile}; error_log stderr; events {}
        http { ${temporary.join(' ')} access_log off; server { listen 127.0.0.1:${port} ssl;
        ssl_certificate ${service('api', 'tls.crt')}; ssl_certificate_key ${service('api', 'tls.key')}; location / { return 200; } } }`,
      );
      const nginx = spawn(findProgram('nginx')!, ['-c', config, '-p', cwd], { stdio: 'ignore' });
      const served = () => {
        const said = spawnSync('openssl', ['s_client', '-connect', `127.0.0.1:${port}`, '-showcerts'], {
          input: '',
          encoding: 'utf8',
        }).stdout;
        return /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/.exec(said)?.[0];
      };
      const shown = () =>
        /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/.exec(readFileSync(service('api', 'tls.crt'), 'utf8'))![0];
      try {
        const old = await until(() => existsSync(pidFile) && served());
        assert.equal(old, shown());
        const { code, stderr } = await mtls(['renew', 'api', '--signal', 'HUP', '--pid-file', pidFile], { cwd });
        assert.equal(code, 0, stderr);
        assert.notEqual(shown(), old);
        await until(() => served() === shown());
      } finally {
        nginx.kill('SIGTERM');
        await once(nginx, 'close');
      }
    });
  });
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}
