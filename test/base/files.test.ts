import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, readdirSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  TEMPORARY,
  assertPrivate,
  makeDirectory,
  readFileBounded,
  sweepTemporary,
  syncDirectory,
  writeFileAtomic,
  writeNew,
} from '../../src/base/files.js';
import { type ErrorCode, isError } from '../../src/errors.js';
import { temporaryDirectory } from '../support/material.js';

const root = process.getuid?.() === 0;
const modes = process.platform === 'win32' ? it.skip : it;
const FILES = fileURLToPath(new URL('../../src/base/files.ts', import.meta.url));

const fails = (code: ErrorCode, act: () => unknown, message = /./): void =>
  assert.throws(act, (error) => {
    assert.ok(isError(error, code), String(error));
    assert.match(error.message, message);
    return true;
  });

describe('files', () => {
  let directory: ReturnType<typeof temporaryDirectory>;
  let path: (name: string) => string;
  beforeEach(() => {
    directory = temporaryDirectory();
    path = (name) => join(directory.path, name);
  });
  afterEach(() => directory.remove());

  describe('are read', () => {
    it('whole, up to a limit and not beyond', () => {
      const file = directory.file('a', Buffer.alloc(100_000, 7));
      assert.equal(readFileBounded(file, 100_000).length, 100_000);
      fails('FILE_TOO_LARGE', () => readFileBounded(file, 99_999), /100000 bytes, expected at most 99999/);
    });

    it('or the error says why not', () => {
      fails('FILE_NOT_FOUND', () => readFileBounded(path('none')), /no such file/);
      fails('FILE_NOT_FOUND', () => readFileBounded(join(directory.file('a', 'x'), 'b')));
      fails('FILE_NOT_READABLE', () => readFileBounded(directory.path), /it is a directory/);
      fails('FILE_EMPTY', () => readFileBounded(directory.file('empty', '')), /is empty/);
      fails('FILE_NOT_READABLE', () => readFileBounded(path('x'.repeat(300))), /the name is too long/);
      fails('FILE_NOT_READABLE', () => readFileBounded('a\0b'), /ERR_INVALID_ARG_VALUE/);
    });

    modes('from links, that go in no circle', () => {
      symlinkSync(directory.file('a', 'x'), path('link'));
      symlinkSync(path('circle'), path('circle'));
      assert.equal(readFileBounded(path('link')).toString(), 'x');
      fails('FILE_NOT_READABLE', () => readFileBounded(path('circle')), /circle/);
    });

    modes('and from no device', () => {
      for (const device of ['/dev/zero', '/dev/null', '/dev/tty']) fails('FILE_NOT_READABLE', () => readFileBounded(device));
    });

    modes('and from no pipe that has a name: nobody may be at its other end', () => {
      const script = `import { readFileBounded } from ${JSON.stringify(FILES)};
         try { readFileBounded(${JSON.stringify(path('pipe'))}); } catch (error) { console.log(error.code); }`;
      assert.equal(spawnSync('mkfifo', [path('pipe')]).status, 0);
      assert.equal(runScript(script), 'FILE_NOT_READABLE');
    });

    modes('from a pipe, bounded as well', () => {
      const script = (limit: number): string =>
        `import { readFileBounded } from ${JSON.stringify(FILES)};
         try { console.log(readFileBounded('/dev/stdin', ${limit}).length); } catch (error) { console.log(error.code); }`;
      const run = (limit: number): string => runScript(script(limit), { input: Buffer.alloc(300_000, 1) });
      assert.equal(run(300_000), '300000');
      assert.equal(run(299_999), 'FILE_TOO_LARGE');
    });
  });

  describe('are private', () => {
    modes('or refused, with the command that mends them', () => {
      const file = directory.file('tls key', 'x', 0o600);
      assertPrivate(file);
      for (const mode of [0o640, 0o604, 0o620, 0o601, 0o666]) {
        chmodSync(file, mode);
        assert.throws(
          () => assertPrivate(file),
          (error) =>
            isError(error, 'FILE_MODE_TOO_OPEN') && error.hints[0] === `chmod 0600 '${file}'` && error.facts.mode % 0o1000 === mode,
        );
      }
      mkdirSync(path('open'), { mode: 0o755 });
      assert.throws(
        () => assertPrivate(path('open')),
        (error) => isError(error, 'FILE_MODE_TOO_OPEN') && error.facts.expected === 0o700,
      );
      fails('FILE_NOT_FOUND', () => assertPrivate(path('none')));
      symlinkSync(file, path('link'));
      fails('FILE_MODE_TOO_OPEN', () => assertPrivate(path('link')));
    });
  });

  describe('are written', () => {
    modes('with the mode that is asked for, over what was there', () => {
      writeFileAtomic(path('a'), 'old', 0o644);
      writeFileAtomic(path('a'), Buffer.from('new'), 0o600);
      assert.equal(readFileSync(path('a'), 'utf8'), 'new');
      assert.equal(statSync(path('a')).mode & 0o777, 0o600);
      assert.deepEqual(readdirSync(directory.path), ['a'], 'nothing is left beside it');
    });

    modes('in place of a link, not through it', () => {
      const target = directory.file('target', 'untouched');
      symlinkSync(target, path('link'));
      writeFileAtomic(path('link'), 'new');
      assert.equal(readFileSync(target, 'utf8'), 'untouched');
      assert.equal(readFileSync(path('link'), 'utf8'), 'new');
    });

    it('or the error names the file that was asked for, and nothing is changed', () => {
      fails('FILE_NOT_WRITABLE', () => writeFileAtomic(path('none/a'), 'x'), /none\/a: its directory does not exist/);
      mkdirSync(path('directory'));
      fails('FILE_NOT_WRITABLE', () => writeFileAtomic(path('directory'), 'x'), /cannot write .*directory: it is a directory/);
      fails('FILE_NOT_WRITABLE', () => writeFileAtomic(path('x'.repeat(300)), 'x'), /the name is too long/);
      const file = directory.file('file', 'x');
      fails('FILE_NOT_WRITABLE', () => writeFileAtomic(join(file, 'a'), 'x'), /no directory/);
      assert.deepEqual(readdirSync(directory.path).toSorted(), ['directory', 'file']);
    });

    it('new, never over another', () => {
      writeNew(path('a'), 'first', 0o600);
      fails('FILE_NOT_WRITABLE', () => writeNew(path('a'), 'second', 0o600), /something of that name is there/);
      assert.equal(readFileSync(path('a'), 'utf8'), 'first');
    });

    it('into directories that are made private, unless they are there', () => {
      makeDirectory(path('a/b/c'));
      makeDirectory(path('a/b/c'));
      if (process.platform !== 'win32') for (const name of ['a', 'a/b', 'a/b/c']) assert.equal(statSync(path(name)).mode & 0o777, 0o700);
      directory.file('file', 'x');
      fails('FILE_NOT_WRITABLE', () => makeDirectory(path('file')), /something of that name is there/);
      fails('FILE_NOT_WRITABLE', () => makeDirectory(path('file/below')));
    });

    it('and what a killed process left is swept, nothing else', () => {
      for (const name of ['.mtls-0123456789ab.tmp', '.mtls-0123456789AB.tmp', '.mtls-0123.tmp', 'a.mtls-0123456789ab.tmp', 'tls.key'])
        directory.file(name, '');
      sweepTemporary(directory.path);
      assert.deepEqual(readdirSync(directory.path).toSorted(), [
        '.mtls-0123.tmp',
        '.mtls-0123456789AB.tmp',
        'a.mtls-0123456789ab.tmp',
        'tls.key',
      ]);
      fails('FILE_NOT_WRITABLE', () => sweepTemporary(path('none')));
      fails('FILE_NOT_WRITABLE', () => syncDirectory(path('none')));
    });
  });

  it('are old or new for every reader and after every kill, never torn', async function () {
    this.timeout(20_000);
    const [a, b] = ['a', 'b'].map((letter) => letter.repeat(200_000));
    writeFileAtomic(path('file'), a!);
    const script = `import { writeFileAtomic } from ${JSON.stringify(FILES)};
      const texts = ['a', 'b'].map((letter) => letter.repeat(200_000));
      process.stdout.write('.');
      for (let i = 0; ; i++) writeFileAtomic(${JSON.stringify(path('file'))}, texts[i % 2]);`;
    let looked = 0;
    const seen = new Set<string>();
    for (let round = 0; round < 4; round++) {
      const writer = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
        stdio: ['ignore', 'pipe', 'inherit'],
        env: environment(),
      });
      const ended = new Promise((resolve) => writer.once('exit', resolve));
      await new Promise((resolve) => writer.stdout.once('data', resolve));
      const until = performance.now() + 150 + round * 7;
      while (performance.now() < until) {
        const text = readFileSync(path('file'), 'utf8');
        assert.ok(text === a || text === b, `torn: ${text.length} of ${text[0]}`);
        seen.add(text[0]!);
        looked++;
        await new Promise((resolve) => setImmediate(resolve));
      }
      writer.kill('SIGKILL');
      await ended;
      const text = readFileSync(path('file'), 'utf8');
      assert.ok(text === a || text === b, 'after the kill');
    }
    assert.ok(looked > 20 && seen.size === 2, `${looked} looks saw ${[...seen].join(' and ')}`);
    assert.ok(readdirSync(directory.path).every((name) => name === 'file' || TEMPORARY.test(name)));
    sweepTemporary(directory.path);
    assert.deepEqual(readdirSync(directory.path), ['file']);
  });

  describe('on a full disk', () => {
    let mounted = false;
    beforeEach(function () {
      mounted = root && spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', directory.path], { stdio: 'ignore' }).status === 0;
      if (mounted) return;
      this.currentTest!.title += ' (skipped: no right to mount a small file system)';
      this.skip();
    });
    afterEach(() => {
      if (mounted) spawnSync('umount', [directory.path], { stdio: 'ignore' });
      mounted = false;
    });

    it('keep their old bytes, and leave nothing beside them', () => {
      writeFileAtomic(path('a'), 'old');
      fails('DISK_FULL', () => writeFileAtomic(path('a'), Buffer.alloc(100_000)), /no space left for .*\/a; nothing was changed/);
      assert.equal(readFileSync(path('a'), 'utf8'), 'old');
      fails('DISK_FULL', () => writeNew(path('b'), Buffer.alloc(100_000), 0o600), /no space left for .*\/b/);
      assert.deepEqual(readdirSync(directory.path), ['a']);
      writeFileAtomic(path('a'), 'there is space again');
      assert.equal(readFileSync(path('a'), 'utf8'), 'there is space again');
    });
  });

  describe('of others', () => {
    before(function () {
      if (root) return;
      this.test!.parent!.title += ' (skipped: only root can become somebody else)';
      this.skip();
    });

    it('are neither read nor written', () => {
      chmodSync(directory.path, 0o755);
      directory.file('secret', 'x', 0o600);
      const attempt = (act: string): string =>
        `try { ${act}; console.log('done'); } catch (error) { console.log(error.code, error.message); }`;
      const script = `const files = await import(${JSON.stringify(FILES)});
        const directory = ${JSON.stringify(directory.path)};
        process.setgid(65534); process.setuid(65534);
        ${attempt("files.readFileBounded(directory + '/secret')")}
        ${attempt("files.writeFileAtomic(directory + '/secret', 'y')")}
        ${attempt("files.makeDirectory(directory + '/new')")}`;
      const lines = runScript(script).split('\n');
      assert.match(lines[0]!, /^FILE_NOT_READABLE cannot read .*secret: permission denied$/);
      assert.match(lines[1]!, /^FILE_NOT_WRITABLE cannot write .*secret: permission denied; nothing was changed$/);
      assert.match(lines[2]!, /^FILE_NOT_WRITABLE cannot write .*new: permission denied/);
      assert.equal(readFileSync(path('secret'), 'utf8'), 'x');
      assert.deepEqual(readdirSync(directory.path), ['secret']);
    });

    it('are written where a directory may be written and not read', () => {
      mkdirSync(path('drop'), { mode: 0o733 });
      chmodSync(path('drop'), 0o733);
      chmodSync(directory.path, 0o755);
      const script = `const { writeFileAtomic } = await import(${JSON.stringify(FILES)});
        process.setgid(65534); process.setuid(65534);
        writeFileAtomic(${JSON.stringify(path('drop/a'))}, 'x');
        console.log('done');`;
      assert.equal(runScript(script), 'done');
      assert.equal(existsSync(path('drop/a')), true);
    });
  });
});

/** Children that are killed, or become somebody else, would leave torn reports of what they covered. Left out, node would put it in. */
const environment = (): NodeJS.ProcessEnv => ({ ...process.env, NODE_V8_COVERAGE: '' });

/** What a module prints that runs in a process of its own, in which TypeScript can be imported. */
function runScript(script: string, options: { readonly input?: Buffer } = {}): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
    input: options.input ?? '',
    encoding: 'utf8',
    env: environment(),
  });
  assert.equal(status, 0, stderr);
  return stdout.trim();
}
