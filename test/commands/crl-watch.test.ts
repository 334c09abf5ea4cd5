import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { needs } from '../support/programs.js';
import { runningInWorkspace } from '../support/running.js';
import { mtls } from '../support/session.js';
import { told } from '../support/told.js';

interface Line {
  readonly time: string;
  readonly event: string;
  readonly name?: string;
  readonly code?: string;
  readonly issuer?: string;
  readonly nextUpdate?: string;
  readonly crls?: readonly { readonly path: string; readonly number: number; readonly nextUpdate: string }[];
}

async function until<T>(find: () => T | undefined | false): Promise<T> {
  for (let i = 0; i < 600; i++) {
    const found = find();
    if (found !== undefined && found !== false) return found;
    await sleep(50);
  }
  throw new Error('waited in vain');
}

const linesOf = (heard: { readonly stdout: string }): Line[] =>
  heard.stdout
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Line);

describe('mtls crl --watch', function () {
  this.timeout(60_000);
  const { directory, cwd, start } = runningInWorkspace();
  const crl = join(cwd, '.mtls', 'authority', 'root.crl');
  const sign = async (valid: string, ...flags: readonly string[]) =>
    assert.equal((await mtls(['crl', '--valid', valid, ...flags], { cwd })).code, 0);

  describe('and openssl', () => {
    before(needs('openssl'));
    const openssl = (): string =>
      spawnSync('openssl', ['crl', '-in', crl, '-noout', '-crlnumber', '-verify', '-CAfile', ca], { encoding: 'utf8' }).stdout;
    const ca = join(cwd, '.mtls', 'authority', 'root.crt');
    const number = (): number => Number(/crlNumber=(\S+)/.exec(openssl())![1]);

    it('signs the next one under a higher number, in time, and stops at SIGTERM', async () => {
      await sign('3s');
      const before = number();
      const { child, heard, ended } = start('crl', '--watch', '--valid', '4s', '--json');
      const signed = await until(() => linesOf(heard)[1]?.crls?.[0]);
      assert.deepEqual(
        linesOf(heard).flatMap(({ event, crls }) => [event, ...crls!.map((each) => each.number)]),
        ['crls', before + 1, 'crls', before + 2],
      );
      assert.equal(number(), signed.number);
      assert.equal(signed.path, crl);
      const [first, second] = linesOf(heard);
      assert.ok(Date.parse(second!.time) < Date.parse(first!.crls![0]!.nextUpdate), 'the one before is in force still');
      child.kill('SIGTERM');
      assert.equal(await ended, 0);
      assert.equal(heard.stderr, '');
      assert.ok(!existsSync(join(cwd, '.mtls', 'authority', 'lock')));
    });
  });

  it('signs at once where one is missing, in words for people', async () => {
    await sign('30d');
    const { child, heard, ended } = start('crl', '--watch');
    await sleep(1_000);
    assert.equal(heard.stdout, '', 'nothing is due');
    child.kill('SIGTERM');
    assert.equal(await ended, 0);
    writeFileSync(crl, '');
    const again = start('crl', '--watch');
    await until(() => /^✓ CRL \d+ of mtls root CA \S+\n$/.test(again.heard.stdout));
    again.child.kill('SIGINT');
    assert.equal(await again.ended, 130);
  });

  it('goes on where the passphrase is wrong, and signs when it is right', async () => {
    const pass = directory.file('ca.pass', 'right\n');
    const args = ['authority', 'passphrase', '--new-passphrase-file', pass];
    assert.equal((await mtls(args, { cwd })).code, 0);
    await sign('3s', '--passphrase-file', pass);
    assert.equal((await told(['crl', '--watch'], { cwd })).code, 'KEY_ENCRYPTED', 'there is nobody to ask: better told now');
    directory.file('ca.pass', 'wrong\n');
    const { child, heard, ended } = start('crl', '--watch', '--passphrase-file', pass, '--json');
    await until(() => linesOf(heard).filter(({ code }) => code === 'PASSPHRASE_WRONG').length === 2);
    directory.file('ca.pass', 'right\n');
    await until(() => linesOf(heard).some(({ event }) => event === 'crls'));
    child.kill('SIGTERM');
    assert.equal(await ended, 0);
    assert.doesNotMatch(heard.stdout + heard.stderr, /wrong\b(?! )|right/);
    const bare = ['authority', 'passphrase', '--passphrase-file', pass, '--remove'];
    assert.equal((await mtls(bare, { cwd })).code, 0);
  });

  it('goes on where the workspace is locked', async () => {
    await sign('3s');
    const lock = join(cwd, '.mtls', 'authority', 'lock');
    writeFileSync(lock, JSON.stringify({ pid: 1, host: 'elsewhere' }));
    const { child, heard, ended } = start('crl', '--watch', '--json');
    await until(() => linesOf(heard).some(({ code }) => code === 'WORKSPACE_LOCKED') || undefined);
    rmSync(lock);
    await until(() => linesOf(heard).some(({ event }) => event === 'crls'));
    child.kill('SIGTERM');
    assert.equal(await ended, 0);
  });

  it('warns once that a CRL ends whose CA has its key elsewhere, and keeps that of the issuing CA', async () => {
    const at = ['--workspace', 'sealed'];
    const seal = ['authority', 'seal', '--out', 'root.key', '--crl-valid', '8s', '--new-passphrase-command', 'echo x'];
    assert.equal((await mtls(['init', '--issuing-ca', ...at], { cwd })).code, 0);
    assert.equal((await mtls([...seal, ...at], { cwd })).code, 0);
    rmSync(join(cwd, 'sealed', '.mtls', 'authority', 'issuing.crl'));
    const { child, heard, ended } = start('crl', '--watch', '--valid', '3s', '--json', ...at);
    await until(() => linesOf(heard).findIndex(({ event }) => event === 'ending') > 0);
    const so = linesOf(heard).length;
    await until(() => linesOf(heard).length > so + 1);
    child.kill('SIGTERM');
    assert.equal(await ended, 0);
    const lines = linesOf(heard);
    const [ending, ...others] = lines.filter(({ event }) => event === 'ending');
    assert.equal(others.length, 0);
    assert.match(ending!.issuer!, /^mtls root CA/);
    assert.ok(Date.parse(ending!.time) < Date.parse(ending!.nextUpdate!));
    assert.ok(lines.every(({ event }) => event === 'ending' || event === 'crls'));
  });
});
