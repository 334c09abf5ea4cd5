import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryDirectory } from '../support/material.js';
import { MTLS, mtls, plainEnvironment } from '../support/session.js';

const FULL = '/dev/full';

/** Runs the program with stdout in a file; how it ended, and what it said on stderr. */
async function printingTo(path: string, args: readonly string[], cwd: string, input = '') {
  const handle = openSync(path, 'w');
  const child = spawn(process.execPath, [MTLS, ...args], { cwd, env: plainEnvironment(), stdio: ['pipe', handle, 'pipe'] });
  closeSync(handle);
  let stderr = '';
  child.stderr!.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  child.stdin!.on('error', () => {});
  child.stdin!.end(input);
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, stderr };
}

describe('standard output that takes nothing', function () {
  this.timeout(60_000);
  const directory = temporaryDirectory();
  const cwd = directory.path;
  const lost = { code: 2, stderr: 'error: no space left for standard output; what was to be printed is lost\n  → df -h\n' };
  before(async function () {
    if (!existsSync(FULL)) this.skip();
    assert.equal((await mtls(['init', '--yes'], { cwd })).code, 0);
    assert.equal((await mtls(['issue', 'api', 'web'], { cwd })).code, 0);
  });
  after(directory.remove);

  for (const args of [['list'], ['list', '--json'], ['--help'], ['list', '--help'], ['inspect', '.mtls/authority/root.crt']])
    it(`is told in one line by mtls ${args.join(' ')}`, async () => assert.deepEqual(await printingTo(FULL, args, cwd), lost));

  it('is told of a batch', async () => {
    const questions = Array.from({ length: 3_000 }, (_, id) => `{"id":"${id}"}\n`).join('');
    assert.deepEqual(await printingTo(FULL, ['verify', '--batch', '-'], cwd, questions), lost);
  });

  it('takes nothing back: what was issued is there', async () => {
    assert.deepEqual(await printingTo(FULL, ['issue', 'late', '--json'], cwd), lost);
    assert.match((await mtls(['list'], { cwd })).stdout, /^late /m);
  });

  it('leaves an error to stderr, which was to be told in JSON', async () => {
    const { code, stderr } = await printingTo(FULL, ['issue', 'No Name', '--json'], cwd);
    assert.equal(code, 2);
    assert.match(stderr, /^error: service name "No Name" is not a DNS label/);
  });

  it('stops a sidecar, whose decisions nobody would see', async () => {
    const ends = ['--listen', 'mtls://127.0.0.1:0', '--upstream', 'http://127.0.0.1:1', '--allow', 'web'];
    assert.deepEqual(await printingTo(FULL, ['proxy', '--as', 'api', '--json', ...ends], cwd), lost);
  });

  it('tells when a file took only a part', async function () {
    const disk = join(cwd, 'disk');
    mkdirSync(disk);
    if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=16k', 'tmpfs', disk]).status !== 0) this.skip();
    try {
      writeFileSync(join(disk, 'filled'), Buffer.alloc(12_000));
      const path = join(disk, 'help.txt');
      const questions = Array.from({ length: 3_000 }, (_, id) => `{"id":"${id}"}\n`).join('');
      assert.deepEqual(await printingTo(path, ['verify', '--batch', '-'], cwd, questions), lost);
      assert.equal(statSync(path).size, 4_096);
      assert.match(readFileSync(path, 'utf8'), /^\{"id":"0",/);
    } finally {
      spawnSync('umount', [disk]);
    }
  });
});
