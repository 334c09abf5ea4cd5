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
  const { path: root } = temporaryDirectory();
  const dist = join(root, 'dist');
  const inspect = () => {
    const args = [join(root, 'bin', 'run.js'), 'inspect', '--json', 'none.crt'];
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: root, env: plainEnvironment(), encoding: 'utf8' });
    assert.deepEqual({ status, stderr }, { status: 2, stderr: '' });
    return (JSON.parse(stdout) as { error: { code: string } }).error.code;
  };
  const kept = () => readdirSync(dist).filter((name) => name !== BUNDLE);

  before(() => {
    for (const name of ['bin', join('dist', BUNDLE), 'package.json']) cpSync(join(ROOT, name), join(root, name), { recursive: true });
    symlinkSync(join(ROOT, 'node_modules'), join(root, 'node_modules'));
  });
  beforeEach(() => kept().forEach((name) => rmSync(join(dist, name), { recursive: true })));

  it('by the first run, for the next ones', () => {
    assert.equal(inspect(), 'FILE_NOT_FOUND');
    const [name = '', ...others] = kept();
    assert.deepEqual([name, others], [`${BUNDLE}.${process.version}-${process.arch}.cache`, []]);
    const first = readFileSync(join(dist, name));
    assert.equal(inspect(), 'FILE_NOT_FOUND');
    assert.deepEqual(readFileSync(join(dist, name)), first);
  });

  it('not when it is that of another Node, or nothing', () => {
    const cache = join(dist, `${BUNDLE}.${process.version}-${process.arch}.cache`);
    for (const left of [Buffer.alloc(0), Buffer.from('not what V8 wrote'), Buffer.alloc(4096, 0xff)]) {
      writeFileSync(cache, left);
      assert.equal(inspect(), 'FILE_NOT_FOUND');
      assert.ok(readFileSync(cache).length > 100_000, 'written again');
    }
  });

  it('nowhere when nothing can be written there', () => {
    // what root may write to as well: a name that is taken by a directory
    const cache = join(dist, `${BUNDLE}.${process.version}-${process.arch}.cache`);
    mkdirSync(join(cache, 'taken'), { recursive: true });
    assert.equal(inspect(), 'FILE_NOT_FOUND');
    assert.deepEqual(kept(), [`${BUNDLE}.${process.version}-${process.arch}.cache`]);
    rmSync(cache, { recursive: true });
    if (process.getuid?.() === 0) return;
    chmodSync(dist, 0o555);
    assert.equal(inspect(), 'FILE_NOT_FOUND');
    chmodSync(dist, 0o755);
  });
});
