import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryDirectory } from '../support/material.js';
import { findProgram } from '../support/programs.js';
import { MTLS, mtls, plainEnvironment } from '../support/session.js';
import { told } from '../support/told.js';

describe('what went wrong, and what to do', function () {
  this.timeout(60_000);
  const directory = temporaryDirectory();
  const cwd = directory.path;
  const settings = join(cwd, '.mtls', 'workspace.json');
  const failure = async (...args: readonly string[]) => {
    const { code, message, hints } = await told(args, { cwd });
    return [code, message, ...hints];
  };
  before(async () => {
    assert.equal((await mtls(['init', '--yes'], { cwd })).code, 0);
    assert.equal((await mtls(['issue', 'api', 'web'], { cwd })).code, 0);
  });
  after(directory.remove);

  describe('with words that are none of ours', () => {
    for (const [args, problem, hint] of [
      [['isue', 'api'], 'unknown command isue', 'mtls issue api'],
      [['frobnicate'], 'unknown command frobnicate', 'mtls --help'],
      [['help', 'list'], 'unknown command help', 'mtls list --help'],
      [['--bogus'], 'the command comes first, found --bogus', 'mtls --help'],
      [['list', '--expring', '30d'], 'unknown flag --expring', 'mtls list --expiring 30d'],
      [['list', '--frobnicate'], 'unknown flag --frobnicate', 'mtls list --help'],
      [['proxy'], 'missing --listen; missing --upstream', 'mtls proxy --help'],
      [['probe'], 'missing: HOST:PORT, or an https:// URL', 'mtls probe --help'],
    ] as const)
      it(`mtls ${args.join(' ')}`, async () => assert.deepEqual(await failure(...args), ['USAGE', problem, hint]));

    it('mtls issue --days soon', async () =>
      assert.deepEqual(await failure('issue', 'api', '--days', 'soon'), [
        'VALUE_INVALID',
        '--days: expected a whole number from 1 to 36500, found "soon"',
        'mtls issue --help',
      ]));
  });

  describe('with what was typed, put right', () => {
    it('a name', async () => {
      const [, , hint] = await failure('issue', 'My Api', '--dns', 'api.shop.test');
      assert.equal(hint, 'mtls issue my-api --dns api.shop.test');
      assert.equal((await mtls(hint.split(' ').slice(1), { cwd })).code, 0);
    });
    it('a plain end that is not on this machine', async () => {
      const ends = ['--listen', 'http://0.0.0.0:9001', '--upstream', 'mtls://127.0.0.1:1', '--expect', 'api'];
      const [code, , hint] = await failure('proxy', '--as', 'web', ...ends);
      assert.equal(code, 'PROXY_PLAINTEXT');
      assert.equal(hint, 'mtls proxy --as web --listen http://127.0.0.1:9001 --upstream mtls://127.0.0.1:1 --expect api');
    });
    it('a peer of the other direction', async () => {
      const inbound = ['proxy', '--as', 'api', '--listen', 'mtls://127.0.0.1:0', '--upstream', 'http://127.0.0.1:1', '--allow', 'web'];
      const outbound = ['proxy', '--as', 'web', '--listen', 'http://127.0.0.1:0', '--upstream', 'mtls://127.0.0.1:1', '--expect', 'api'];
      for (const [args, flag] of [
        [[...inbound, '--expect', 'web'], /^--expect is /],
        [[...outbound, '--allow', 'web'], /^--allow is /],
        [[...outbound, '--allow-any'], /^--allow-any is /],
      ] as const) {
        const [code, message] = await failure(...args);
        assert.equal(code, 'USAGE');
        assert.match(message!, flag);
      }
    });
    it('in the workspace that was named', async () => {
      const elsewhere = join(cwd, 'else where');
      const [code, , hint] = await failure('list', '--workspace', elsewhere);
      assert.deepEqual([code, hint], ['WORKSPACE_NOT_FOUND', `mtls init --workspace '${elsewhere}'`]);
    });
  });

  describe('with files', () => {
    it('that are not there, or not what they should be', async () => {
      mkdirSync(join(cwd, 'material'));
      directory.file('material/empty.crt', '');
      directory.file('material/noise.crt', 'hello');
      directory.file('material/torn.crt', '-----BEGIN CERTIFICATE-----\nMIIB\n');
      directory.file('material/no.crt', '-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n');
      for (const [file, code, message, hint] of [
        ['none.crt', 'FILE_NOT_FOUND', /^no such file/, 'ls material'],
        ['empty.crt', 'FILE_EMPTY', /is empty, expected a certificate/, 'ls -l material/empty.crt'],
        ['noise.crt', 'FILE_UNRECOGNIZED', /text without a PEM block/, 'head -c 64 material/noise.crt | od -c'],
        ['torn.crt', 'PEM_MALFORMED', /, in material\/torn\.crt$/, 'head -c 64 material/torn.crt | od -c'],
        ['no.crt', 'CERTIFICATE_MALFORMED', /, in material\/no\.crt$/, 'openssl x509 -noout -text -in material/no.crt'],
      ] as const) {
        const [found, said, ...hints] = await failure('verify', `material/${file}`, '--ca', '.mtls/authority/root.crt');
        assert.deepEqual([found, hints], [code, [hint]]);
        assert.match(said!, message);
      }
    });

    it('of the workspace that it can make again', async () => {
      const paths = { crl: join(cwd, '.mtls/authority/root.crl'), key: join(cwd, '.mtls/services/web/tls.key') };
      const bundle = join(cwd, '.mtls/authority/bundle.pem');
      for (const [path, args] of [
        [paths.crl, ['verify', '.mtls/services/api/tls.crt']],
        [paths.key, ['probe', '127.0.0.1:1', '--as', 'web']],
        [bundle, ['verify', '.mtls/services/api/tls.crt']],
      ] as const) {
        rmSync(path);
        const [code, , hint, ...more] = await failure(...args);
        assert.deepEqual([code, more], ['FILE_NOT_FOUND', []]);
        const mended = spawnSync('bash', ['-c', hint!.replace(/^mtls /, `'${process.execPath}' '${MTLS}' `)], {
          cwd,
          env: plainEnvironment(),
        });
        assert.equal(mended.status, 0, hint);
        assert.ok(existsSync(path), hint);
      }
    });

    it('that may never end are not waited for', async function () {
      if (findProgram('mkfifo') === undefined) this.skip();
      assert.equal(spawnSync('mkfifo', [join(cwd, 'pipe')]).status, 0);
      for (const args of [
        ['inspect', 'pipe'],
        ['verify', '.mtls/services/api/tls.crt', '--ca', 'pipe'],
      ]) {
        const { status, stderr } = spawnSync(process.execPath, [MTLS, ...args], {
          cwd,
          env: plainEnvironment(),
          timeout: 10_000,
          encoding: 'utf8',
        });
        assert.deepEqual([status, stderr], [2, 'error: cannot read pipe: it is no file\n  → ls -ld pipe\n']);
      }
      const script = `'${process.execPath}' '${MTLS}' inspect <(cat .mtls/services/api/tls.crt) && cat .mtls/services/api/tls.crt | '${process.execPath}' '${MTLS}' inspect /dev/stdin`;
      const { status, stdout } = spawnSync('bash', ['-c', script], { cwd, env: plainEnvironment(), timeout: 10_000, encoding: 'utf8' });
      assert.equal(status, 0);
      assert.equal(stdout.match(/certificate of api/g)?.length, 2);
    });
  });

  describe('with a workspace that is damaged', () => {
    let whole = '';
    before(() => (whole = readFileSync(settings, 'utf8')));
    after(() => writeFileSync(settings, whole));
    const bothTell = async (): Promise<string[]> => {
      const [list, init] = [await failure('list'), await failure('init', '--yes')];
      assert.deepEqual(init, list, 'list sends to init, and init to list');
      return list;
    };

    it('of a version that there never was', async () => {
      writeFileSync(settings, whole.replace('"version": 1', '"version": 0'));
      assert.equal((await bothTell())[0], 'WORKSPACE_INVALID');
    });
    it('of a newer version', async () => {
      writeFileSync(settings, whole.replace('"version": 1', '"version": 9'));
      assert.equal((await bothTell())[0], 'WORKSPACE_TOO_NEW');
    });
    it('with settings that are no JSON', async () => {
      writeFileSync(settings, '{');
      const [code, , ...hints] = await bothTell();
      assert.deepEqual([code, hints], ['WORKSPACE_INVALID', [`cat ${settings}`, 'put it back from a backup']]);
    });
    it('without settings', async () => {
      rmSync(settings);
      assert.equal((await failure('list'))[0], 'WORKSPACE_NOT_FOUND');
      const [code, message] = await failure('init', '--yes');
      assert.deepEqual(
        [code, message],
        ['WORKSPACE_INVALID', `${join(cwd, '.mtls')}: the workspace there is damaged, without workspace.json`],
      );
    });
  });

  it('a demo without a place for its files', async () => {
    const { code, message } = await told(['demo'], { cwd, env: { TMPDIR: join(cwd, 'nowhere') } });
    assert.equal(code, 'FILE_NOT_WRITABLE');
    assert.match(message, /nowhere\/mtls-demo\S*: its directory does not exist; nothing was changed$/);
  });

  it('no hint has a place to be filled in', async () => {
    const { stdout } = await mtls(['probe', '127.0.0.1:1', '--json'], { cwd });
    const { diagnosis } = JSON.parse(stdout) as { diagnosis: { code: string; fixes: string[] } };
    assert.equal(diagnosis.code, 'TCP_REFUSED');
    assert.deepEqual(diagnosis.fixes, ["ss -ltnp 'sport = :1'", 'start the server, or find the port that it listens on']);
  });
});
