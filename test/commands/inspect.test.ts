import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { readCertificates } from '../../src/pki/material.js';
import { temporaryDirectory } from '../support/material.js';
import { findProgram } from '../support/programs.js';
import { MTLS, mtls, plainEnvironment } from '../support/session.js';

interface Inspected {
  readonly items: readonly { readonly subject: string }[];
  readonly endpoints: readonly { readonly client: { readonly sent: string | null; readonly problem: string | null } }[];
}

describe('mtls inspect HOST:PORT', function () {
  this.timeout(60_000);
  const directory = temporaryDirectory();
  const cwd = directory.path;
  const inWorkspace = (path: string): string => join(cwd, '.mtls', path);
  let server: ReturnType<typeof createServer>;
  let endpoint: string;

  before(async () => {
    assert.equal((await mtls(['init', '--yes'], { cwd })).code, 0);
    assert.equal((await mtls(['issue', 'api', 'web'], { cwd })).code, 0);
    const service = (name: string): Buffer => readFileSync(inWorkspace(`services/api/${name}`));
    const options = { cert: service('tls.crt'), key: service('tls.key'), ca: service('ca.crt') };
    server = createServer({ ...options, requestCert: true, rejectUnauthorized: true });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    endpoint = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  after(() => {
    server.close();
    directory.remove();
  });

  async function inspect(...words: readonly string[]): Promise<Inspected> {
    const { code, stdout, stderr } = await mtls(['inspect', endpoint, '--json', ...words], { cwd });
    assert.deepEqual([code, stderr], [0, '']);
    return JSON.parse(stdout) as Inspected;
  }

  it('shows the chain to whoever comes, as a service of the workspace or with files', async () => {
    const stranger = await inspect();
    assert.deepEqual([stranger.items[0]?.subject, stranger.endpoints[0]?.client.sent], ['CN=api', null]);
    assert.notEqual(stranger.endpoints[0]?.client.problem, null);
    const files = ['--cert', inWorkspace('services/web/tls.crt'), '--key', inWorkspace('services/web/tls.key')];
    for (const words of [['--as', 'web'], files]) {
      const { items, endpoints } = await inspect(...words, '--servername', 'localhost');
      assert.deepEqual([items[0]?.subject, endpoints[0]?.client], ['CN=api', { sent: 'CN=web', problem: null }]);
    }
  });

  it('tells what it shows beside files, and what cannot be read beside what can', async () => {
    writeFileSync(join(cwd, 'empty.crt'), '');
    const root = inWorkspace('authority/root.crt');
    const { code, stdout } = await mtls(['inspect', endpoint, root, 'empty.crt', '--as', 'web'], { cwd });
    assert.equal(code, 2);
    // the root that the server sends is the one in the file, and stands once in the chain
    const [, sources] = /\nchain\n {2}mtls root CA .* {2}(\S+, \S+)\n {2}└─ api, .* {2}127\.0\.0\.1:\d+\n/.exec(stdout) ?? [];
    assert.equal(sources, `${endpoint}, ${root}`);
    assert.match(stdout, /empty\.crt is empty/);
  });

  it('is PEM too', async () => {
    const { code, stdout } = await mtls(['inspect', endpoint, '--pem'], { cwd });
    assert.equal(code, 0);
    // OpenSSL sends the root that it is given to trust along with it
    assert.ok(stdout.startsWith(readFileSync(inWorkspace('services/api/tls.crt'), 'utf8')), stdout);
  });

  it('writes DER to a file or a pipe, and not to a terminal', async function () {
    const root = inWorkspace('authority/root.crt');
    const words = [MTLS, 'inspect', root, '--der'];
    const der = execFileSync(process.execPath, words, { cwd, env: plainEnvironment() });
    assert.ok(der.equals(readCertificates(root)[0]!.der));
    const file = openSync(join(cwd, 'root.der'), 'w');
    spawnSync(process.execPath, words, { cwd, env: plainEnvironment(), stdio: ['ignore', file, 'inherit'] });
    closeSync(file);
    assert.ok(readFileSync(join(cwd, 'root.der')).equals(der));
    if (findProgram('script') === undefined) return this.skip();
    const line = [process.execPath, ...words].join(' ');
    const { status, stdout } = spawnSync('script', ['-qec', line, '/dev/null'], { cwd, env: plainEnvironment(), encoding: 'utf8' });
    assert.deepEqual([status, /DER is bytes, and stdout is a terminal/.test(stdout)], [2, true], stdout);
  });

  it('refuses what cannot be meant', async () => {
    const refused = async (message: RegExp, ...words: readonly string[]): Promise<void> => {
      const { code, stderr } = await mtls(['inspect', ...words], { cwd });
      assert.deepEqual([code, message.test(stderr)], [2, true], stderr);
    };
    await refused(/expected smtp, imap, pop3, postgres, found "ftp"/, endpoint, '--starttls', 'ftp');
    await refused(/--cert needs --key/, endpoint, '--cert', inWorkspace('services/web/tls.crt'));
    await refused(/no service nobody/, endpoint, '--as', 'nobody');
    await refused(/--servername is for HOST:PORT/, inWorkspace('authority/root.crt'), '--servername', 'x');
  });
});
