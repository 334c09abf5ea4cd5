import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { temporaryDirectory } from '../support/material.js';
import { plainEnvironment } from '../support/session.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const BUNDLE = 'mtls.cjs';

describe('what V8 compiled is kept beside the bundle', function () {
  this.timeout(60_000);
  const { path: root, remove } = temporaryDirectory();
  after(remove);
  const dist = join(root, 'dist');
  const CACHE = `${BUNDLE}.${process.version}-${process.arch}.lint.cache`;
  const cache = join(dist, CACHE);
  const mtls = (...words: readonly string[]) =>
    spawnSync(process.execPath, [join(root, 'bin', 'run.js'), ...words], { cwd: root, env: plainEnvironment(), encoding: 'utf8' });
  const lint = () => {
    const { status, stdout, stderr } = mtls('lint', '--rules', '--json');
    assert.deepEqual({ status, stderr }, { status: 0, stderr: '' });
    assert.ok((JSON.parse(stdout) as { rules: object[] }).rules.length > 60);
  };
  const kept = () => readdirSync(dist).filter((name) => name !== BUNDLE);

  before(() => {
    for (const name of ['bin', join('dist', BUNDLE), 'package.json']) cpSync(join(ROOT, name), join(root, name), { recursive: true });
    symlinkSync(join(ROOT, 'node_modules'), join(root, 'node_modules'));
  });
  beforeEach(() => kept().forEach((name) => rmSync(join(dist, name), { recursive: true })));

  it('by the first run of a command, for the next ones', () => {
    lint();
    assert.deepEqual(kept(), [CACHE]);
    const first = readFileSync(cache);
    lint();
    assert.deepEqual(readFileSync(cache), first);
  });

  it('not when it is that of another Node, or nothing', () => {
    for (const left of [Buffer.alloc(0), Buffer.from('not what V8 wrote'), Buffer.alloc(4096, 0xff)]) {
      writeFileSync(cache, left);
      lint();
      assert.ok(readFileSync(cache).length > 100_000, 'written again');
    }
  });

  it('not by a run that took long: what it compiled at its start may be thrown away by then', () => {
    const late = join(root, 'late.cjs');
    writeFileSync(late, 'process.uptime = () => 10;');
    const { status } = spawnSync(process.execPath, ['-r', late, join(root, 'bin', 'run.js'), 'lint', '--rules'], {
      cwd: root,
      env: plainEnvironment(),
    });
    assert.equal(status, 0);
    assert.deepEqual(kept(), []);
  });

  it('not for what could not be done', () => {
    assert.equal(mtls('frobnicate').status, 2);
    assert.equal(mtls('../lint').status, 2);
    assert.deepEqual(kept(), []);
  });

  it('nowhere when nothing can be written there', () => {
    // what root may write to as well: a name that is taken by a directory
    mkdirSync(join(cache, 'taken'), { recursive: true });
    lint();
    assert.deepEqual(kept(), [CACHE]);
    rmSync(cache, { recursive: true });
    if (process.getuid?.() === 0) return;
    chmodSync(dist, 0o555);
    lint();
    chmodSync(dist, 0o755);
  });
});
