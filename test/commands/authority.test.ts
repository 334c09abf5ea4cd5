import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { stripVTControlCharacters } from 'node:util';
import { isEncryptedKey, readPrivateKey } from '../../src/pki/key.js';
import { readCertificates } from '../../src/pki/material.js';
import { labelOf } from '../../src/pki/name.js';
import { company } from '../authority/company.js';
import { temporaryDirectory } from '../support/material.js';
import { needs } from '../support/programs.js';
import { MTLS, mtls, plainEnvironment } from '../support/session.js';
import { told } from '../support/told.js';

describe('mtls authority', function () {
  this.timeout(60_000);
  const directory = temporaryDirectory();
  after(directory.remove);

  let made = 0;
  /** A directory of its own, with a workspace if one is wanted. */
  async function place(...init: readonly string[]): Promise<string> {
    const cwd = join(directory.path, String(made++));
    mkdirSync(cwd);
    if (init.length > 0) assert.equal((await mtls(['init', '--trust-domain', 'shop.test', ...init], { cwd })).code, 0);
    return cwd;
  }
  const inAuthority = (cwd: string, name: string): string => join(cwd, '.mtls', 'authority', name);
  const opens = (path: string, passphrase: string) => readPrivateKey(readFileSync(path), path, passphrase);
  const env = { OLD_PASS: 'open sesame', NEW_PASS: 'open barley' };

  it('alone, or with --help, says what there is', async () => {
    const cwd = await place();
    const { code, stdout } = await mtls(['authority', '--help'], { cwd });
    assert.equal(code, 0);
    for (const name of ['install', 'passphrase', 'seal', 'unseal']) assert.match(stdout, new RegExp(`authority ${name} {2,}\\S+`));
  });

  describe('seal and unseal', () => {
    it('move the key of the root out and back, and services are issued and verified meanwhile', async () => {
      const cwd = await place('--issuing-ca');
      const sealed = await mtls(['authority', 'seal', '--out', 'root.key', '--new-passphrase-env', 'OLD_PASS', '--json'], { cwd, env });
      const { key, crl } = JSON.parse(sealed.stdout) as { key: string; crl: { number: number; thisUpdate: string; nextUpdate: string } };
      assert.deepEqual([sealed.code, crl.number, existsSync(inAuthority(cwd, 'root.key'))], [0, 2, false]);
      assert.match(key, /\/root\.key$/);
      assert.equal(Date.parse(crl.nextUpdate) - Date.parse(crl.thisUpdate), 365 * 86_400_000);
      opens(join(cwd, 'root.key'), 'open sesame');
      assert.equal((await mtls(['issue', 'api'], { cwd })).code, 0);
      assert.equal((await mtls(['verify', '.mtls/services/api/tls.crt'], { cwd })).code, 0);
      assert.equal((await mtls(['crl'], { cwd })).code, 0);
      const { stdout, code } = await mtls(['authority', 'unseal', 'root.key', '--passphrase-env', 'OLD_PASS'], { cwd, env });
      assert.equal(code, 0);
      assert.match(stdout, /^✓ the key of mtls root CA [0-9a-f]{8} is back: /);
      assert.deepEqual(readFileSync(inAuthority(cwd, 'root.key')), readFileSync(join(cwd, 'root.key')));
      const said = sealed.stdout + sealed.stderr + stdout + readFileSync(inAuthority(cwd, 'ledger.jsonl'), 'utf8');
      assert.doesNotMatch(said, /sesame/);
    });

    it('ask for a passphrase in a way that can be pasted', async () => {
      const cwd = await place('--issuing-ca');
      const missing = await told(['authority', 'seal', '--out', 'root.key'], { cwd });
      assert.equal(missing.code, 'PASSPHRASE_MISSING');
      assert.match(missing.hints[0]!, /mtls authority seal --out root\.key --new-passphrase-env MTLS_PASSPHRASE$/);
      const pasted = missing.hints[0]!.replace('-rs', '-r').replace(' mtls ', ` '${process.execPath}' '${MTLS}' `);
      const shell = spawn('bash', ['-c', pasted], { cwd, env: plainEnvironment(), stdio: ['pipe', 'ignore', 'inherit'] });
      shell.stdin.end('open sesame\n');
      assert.deepEqual(await once(shell, 'close'), [0, null]);
      opens(join(cwd, 'root.key'), 'open sesame');
      const closed = await told(['authority', 'unseal', 'root.key'], { cwd });
      assert.equal(closed.code, 'KEY_ENCRYPTED');
      assert.match(closed.hints[0]!, /mtls authority unseal root\.key --passphrase-env MTLS_PASSPHRASE$/);
    });

    it('want to know where to, and an issuing CA', async () => {
      const cwd = await place('--issuing-ca');
      assert.equal((await told(['authority', 'seal'], { cwd })).code, 'USAGE');
      assert.equal((await told(['authority', 'seal', '--out', 'x', '--burn-root'], { cwd })).code, 'USAGE');
      assert.equal((await told(['authority', 'seal', '--out', 'x', '--yes-burn-root'], { cwd })).code, 'USAGE');
      const alone = await place('--yes');
      const { code, hints } = await told(['authority', 'seal', '--out', 'x', '--new-passphrase-file', 'none'], { cwd: alone });
      assert.equal(code, 'NO_ISSUING_CA');
      assert.match(hints.join(), /mtls init --issuing-ca$/);
    });

    it('--burn-root removes the key for good, when it is said twice', async () => {
      const cwd = await place('--issuing-ca');
      const { code, hints } = await told(['authority', 'seal', '--burn-root'], { cwd });
      assert.equal(code, 'USAGE');
      assert.match(hints.join(), /--burn-root --yes-burn-root/);
      assert.equal(existsSync(inAuthority(cwd, 'root.key')), true);
      const copy = readFileSync(inAuthority(cwd, 'root.key'));
      assert.equal((await mtls(['authority', 'seal', '--burn-root', '--yes-burn-root'], { cwd })).code, 0);
      assert.equal(existsSync(inAuthority(cwd, 'root.key')), false);
      directory.file('copy.key', copy);
      assert.equal((await told(['authority', 'unseal', join(directory.path, 'copy.key')], { cwd })).code, 'ROOT_KEY_BURNT');
      assert.equal((await mtls(['issue', 'api'], { cwd })).code, 0);
    });

    describe('at a terminal', () => {
      before(needs('script'));
      it('--burn-root wants the name of the root', async () => {
        const cwd = await place('--issuing-ca');
        const name = labelOf(readCertificates(inAuthority(cwd, 'root.crt'))[0]!.subject);
        const burn = `'${process.execPath}' '${MTLS}' authority seal --burn-root`;
        const { CI: _ci, NO_COLOR: _colour, ...rest } = plainEnvironment();
        const child = spawn('script', ['-qec', burn, '/dev/null'], { cwd, env: { ...rest, TERM: 'xterm' } });
        const end = once(child, 'close');
        let screen = '';
        child.stdout.setEncoding('utf8').on('data', (text: string) => (screen += text));
        const shows = async (text: string): Promise<void> => {
          while (!stripVTControlCharacters(screen).includes(text)) await sleep(20);
        };
        await shows('type its name');
        child.stdin.write('yes\r');
        await shows('Ctrl-C to leave everything as it is');
        assert.equal(existsSync(inAuthority(cwd, 'root.key')), true);
        child.stdin.write(`\u0015${name}\r`);
        assert.deepEqual((await end)[0], 0, screen);
        assert.equal(existsSync(inAuthority(cwd, 'root.key')), false);
      });
    });
  });

  describe('passphrase', () => {
    it('takes the old one and the new one from wherever they are, never from the command line', async () => {
      const cwd = await place('--issuing-ca');
      const [root, issuing] = [inAuthority(cwd, 'root.key'), inAuthority(cwd, 'issuing.key')];
      directory.file('one', 'first\n');
      const file = join(directory.path, 'one');
      for (const [flags, now, input] of [
        [['--new-passphrase-file', file], 'first'],
        [['--passphrase-file', file, '--new-passphrase-env', 'OLD_PASS'], 'open sesame'],
        [['--passphrase-env', 'OLD_PASS', '--new-passphrase-command', 'echo third'], 'third'],
        [['--passphrase-fd', '0', '--new-passphrase-fd', '0'], 'fourth', 'third\nfourth\n'],
      ] as const) {
        const { code, stdout, stderr } = await mtls(['authority', 'passphrase', ...flags], { cwd, env, ...(input ? { input } : {}) });
        assert.equal(code, 0, stderr);
        assert.match(stdout, /root\.key is under the new passphrase\n.*issuing\.key is under the new passphrase/);
        for (const key of [root, issuing]) opens(key, now);
        assert.doesNotMatch(stdout + stderr, new RegExp(now));
      }
      const { stdout } = await mtls(['authority', 'passphrase', '--passphrase-fd', '0', '--remove', '--json'], { cwd, input: 'fourth\n' });
      assert.deepEqual(JSON.parse(stdout), { changed: [root, issuing], unchanged: [], removed: true });
      for (const key of [root, issuing]) assert.equal(isEncryptedKey(readFileSync(key)), false);
    });

    it('that is wrong is one clear error, and nothing is changed', async () => {
      const cwd = await place('--issuing-ca', '--passphrase-env', 'OLD_PASS').catch(() => undefined);
      assert.equal(cwd, undefined, 'the variable is not set there');
      const other = await place();
      const init = ['init', '--issuing-ca', '--passphrase-env', 'OLD_PASS'];
      assert.equal((await mtls(init, { cwd: other, env })).code, 0);
      const before = readFileSync(inAuthority(other, 'root.key'));
      const wrong = ['authority', 'passphrase', '--passphrase-env', 'NEW_PASS', '--new-passphrase-command', 'echo x'];
      const { code, message } = await told(wrong, { cwd: other, env });
      assert.equal(code, 'PASSPHRASE_WRONG');
      assert.match(message, /^the passphrase does not open .*\/root\.key$/);
      assert.deepEqual(readFileSync(inAuthority(other, 'root.key')), before);
      assert.equal(
        (await told(['authority', 'passphrase', '--new-passphrase-env', 'NEW_PASS'], { cwd: other, env })).code,
        'KEY_ENCRYPTED',
      );
      const none = await told(['authority', 'passphrase', '--passphrase-env', 'OLD_PASS'], { cwd: other, env });
      assert.equal(none.code, 'PASSPHRASE_MISSING');
      assert.match(none.hints[0]!, /--passphrase-env OLD_PASS --new-passphrase-env MTLS_PASSPHRASE$/);
    });
  });

  describe('install', () => {
    before(needs('openssl'));
    let firm: ReturnType<typeof company>;
    before(() => void (firm = company()));
    after(() => firm?.remove());

    it('brings a CA of a company from its request to a verified service', async () => {
      const cwd = await place();
      const { stdout } = await mtls(['init', '--request', '--trust-domain', 'shop.test', '--json'], { cwd });
      const { request } = JSON.parse(stdout) as { request: string };
      const waiting = await told(['issue', 'api', '--workspace', cwd], { cwd: directory.path });
      assert.equal(waiting.code, 'CA_NOT_SIGNED');
      assert.match(waiting.hints[0]!, new RegExp(`^mtls authority install CERT --chain ROOT --crl CRL --workspace ${cwd}$`));
      for (const args of [
        ['list'],
        ['crl'],
        ['revoke', 'api'],
        ['crl', 'serve'],
        ['ocsp', 'serve'],
        ['export', 'pem', '--trust'],
        ['verify', firm.chain],
      ])
        assert.equal((await told(args, { cwd })).code, 'CA_NOT_SIGNED', args.join(' '));
      assert.equal((await told(['init', '--yes'], { cwd })).code, 'WORKSPACE_EXISTS');
      const signed = firm.sign(request);
      const unfit = await mtls(['authority', 'install', signed], { cwd });
      assert.equal(unfit.code, 1);
      assert.match(unfit.stderr, /its root is not among what was given/);
      const crls = ['--crl', firm.at('root.crl'), '--crl', firm.at('below.crl')];
      const installed = await mtls(['authority', 'install', signed, '--chain', firm.chain, ...crls], { cwd });
      assert.equal(installed.code, 0, installed.stderr);
      assert.match(installed.stdout, /^✓ mtls issuing CA [0-9a-f]{8}, below Company below, below Company Root, until /);
      assert.equal((await mtls(['issue', 'api'], { cwd })).code, 0);
      const verified = await mtls(['verify', '.mtls/services/api/tls.crt'], { cwd });
      assert.equal(verified.code, 0, verified.stdout);
      assert.deepEqual(readdirSync(join(cwd, '.mtls', 'authority')).sort(), [
        ...['bundle.pem', 'chain.crl', 'chain.pem', 'issuing.crl', 'issuing.crt', 'issuing.csr', 'issuing.key', 'ledger.jsonl'],
        ...['root.crl', 'root.crt'],
      ]);
    });

    it('says which CRLs are missing', async () => {
      const cwd = await place('--request');
      const signed = firm.sign(inAuthority(cwd, 'issuing.csr'));
      const { stdout } = await mtls(['authority', 'install', signed, '--chain', firm.chain], { cwd });
      assert.match(stdout, /no CRL of Company Root is here[^]*no CRL of Company below is here/);
      const { code, hints } = await told(['verify', signed, '--workspace', cwd], { cwd });
      assert.equal(code, 'FILE_NOT_FOUND');
      assert.match(hints[0]!, /^mtls authority install \S+issuing\.crt --crl FILE/);
    });
  });
});
