import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryDirectory } from '../support/material.js';
import { mtls } from '../support/session.js';
import { told } from '../support/told.js';

describe('disks', function () {
  this.timeout(60_000);
  const directory = temporaryDirectory();
  let mounted: string | undefined;
  /** A small file system of its own, which only root can have. */
  const mount = (name: string, size: string): string | undefined => {
    const path = join(directory.path, name);
    mkdirSync(path);
    if (spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', path]).status !== 0) return undefined;
    return (mounted = path);
  };
  afterEach(() => {
    if (mounted !== undefined) spawnSync('umount', [mounted]);
    mounted = undefined;
  });
  after(directory.remove);

  const fill = (disk: string): void => {
    try {
      for (let i = 0; ; i++) writeFileSync(join(disk, `filled${i}`), Buffer.alloc(4_096));
    } catch {
      // full
    }
  };

  it('that are full: nothing is lost, and nothing left', async function () {
    const disk = mount('full', '256k');
    if (disk === undefined) this.skip();
    assert.equal((await mtls(['init', '--yes'], { cwd: disk })).code, 0);
    assert.equal((await mtls(['issue', 'api'], { cwd: disk })).code, 0);
    const before = (await mtls(['list', '--json'], { cwd: disk })).stdout;
    fill(disk);
    for (const args of [['issue', 'web'], ['issue', 'api'], ['revoke', 'api'], ['crl']]) {
      const { code, message, hints } = await told(args, { cwd: disk });
      assert.equal(code, 'DISK_FULL', args.join(' '));
      assert.match(message, /^no space left for \S+; nothing was changed$/);
      assert.doesNotMatch(message + hints.join(), /\.tmp|\/\.\.[0-9a-f]/, 'a name that nobody knows');
      assert.match(hints[0]!, /^df -h \//);
      assert.equal(spawnSync('bash', ['-c', hints[0]!]).status, 0, hints[0]);
    }
    assert.equal((await mtls(['list', '--json'], { cwd: disk })).stdout, before);
    assert.deepEqual(readdirSync(join(disk, '.mtls', 'services')), ['api']);
  });

  it('that are full when there is to be a workspace', async function () {
    const disk = mount('new', '64k');
    if (disk === undefined) this.skip();
    fill(disk);
    const { code, message } = await told(['init', '--yes'], { cwd: disk });
    assert.equal(code, 'DISK_FULL');
    assert.doesNotMatch(message, /\.tmp/);
    assert.deepEqual(
      readdirSync(disk).filter((name) => !name.startsWith('filled')),
      [],
    );
  });

  it('that are read-only', async function () {
    const disk = mount('read-only', '256k');
    if (disk === undefined) this.skip();
    assert.equal((await mtls(['init', '--yes'], { cwd: disk })).code, 0);
    assert.equal(spawnSync('mount', ['-o', 'remount,ro', disk]).status, 0);
    for (const args of [
      ['issue', 'api'],
      ['init', '--yes', '--workspace', join(disk, 'a', 'b')],
    ]) {
      const { code, message, hints } = await told(args, { cwd: disk });
      assert.equal(code, 'FILE_NOT_WRITABLE');
      assert.match(message, /: the file system is read-only; nothing was changed$/);
      assert.match(hints[0]!, /^ls -ld /);
    }
  });

  it('that do not let us', async function () {
    if (process.getuid?.() === 0 || process.platform === 'win32') this.skip();
    const cwd = join(directory.path, 'not-ours');
    mkdirSync(cwd);
    chmodSync(cwd, 0o500);
    const { code, message } = await told(['init', '--yes'], { cwd });
    assert.equal(code, 'FILE_NOT_WRITABLE');
    assert.match(message, /: permission denied; nothing was changed$/);
  });
});
