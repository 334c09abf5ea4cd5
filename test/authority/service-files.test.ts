import assert from 'node:assert/strict';
import { chmodSync, lstatSync, mkdirSync, readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ServiceFiles, stageServiceFiles } from '../../src/authority/service-files.js';
import { temporaryDirectory } from '../support/material.js';
import { failure, text } from './support.js';

const FILES: ServiceFiles = { 'tls.crt': 'certificate 1', 'tls.key': 'key 1', 'ca.crt': 'ca' };
const NEXT: ServiceFiles = { 'tls.crt': 'certificate 2', 'tls.key': 'key 2', 'ca.crt': 'ca' };
const { 'tls.key': _key, ...KEYLESS } = NEXT;

describe('the files of a service', () => {
  let parent: ReturnType<typeof temporaryDirectory>;
  let directory: string;
  const at = (name: string): string => join(directory, name);
  beforeEach(() => {
    parent = temporaryDirectory();
    directory = join(parent.path, 'api');
  });
  afterEach(() => parent.remove());
  const lay = (files: ServiceFiles): void => stageServiceFiles(directory, files).commit();
  /** Names, with the version by its kind. */
  const names = (): string[] =>
    readdirSync(directory)
      .map((name) => name.replace(/^\.\.[0-9a-f]{12}$/, '..version'))
      .sort();
  const WHOLE = ['..data', '..version', 'ca.crt', 'tls.crt', 'tls.key'];

  it('are laid as Kubernetes lays a secret', () => {
    lay(FILES);
    assert.deepEqual(names(), WHOLE);
    assert.match(readlinkSync(at('..data')), /^\.\.[0-9a-f]{12}$/);
    for (const [name, content] of Object.entries(FILES)) {
      assert.equal(readlinkSync(at(name)), `..data/${name}`);
      assert.equal(text(at(name)), content);
    }
  });

  it('are not to be seen before they are shown, nor after they are discarded', () => {
    const first = stageServiceFiles(directory, FILES);
    assert.throws(() => text(at('tls.crt')), /ENOENT/);
    first.discard();
    assert.deepEqual(readdirSync(parent.path), []);
    lay(FILES);
    const second = stageServiceFiles(directory, NEXT);
    assert.deepEqual([text(at('tls.crt')), text(at('tls.key'))], ['certificate 1', 'key 1']);
    second.discard();
    assert.deepEqual(names(), WHOLE);
    assert.equal(text(at('tls.key')), 'key 1');
  });

  it('change by one rename: a reader that came by the old link finds the old pair', () => {
    lay(FILES);
    const links = ['tls.crt', 'tls.key', 'ca.crt'].map((name) => lstatSync(at(name)).ino);
    lay(NEXT);
    assert.deepEqual([text(at('tls.crt')), text(at('tls.key'))], ['certificate 2', 'key 2']);
    assert.deepEqual(
      ['tls.crt', 'tls.key', 'ca.crt'].map((name) => lstatSync(at(name)).ino),
      links,
      'the outer links are left alone',
    );
    assert.deepEqual(names(), WHOLE, 'the old version is gone');
  });

  it('without a key have no link to one, and have it again with the next key', () => {
    lay(FILES);
    const staged = stageServiceFiles(directory, KEYLESS);
    assert.equal(text(at('tls.key')), 'key 1');
    staged.commit();
    assert.deepEqual(names(), WHOLE.slice(0, -1));
    stageServiceFiles(directory, FILES).discard();
    assert.deepEqual(names(), WHOLE.slice(0, -1));
    lay(FILES);
    assert.equal(text(at('tls.key')), 'key 1');
  });

  it('take the place of plain files, as a copy or a hand laid them', () => {
    mkdirSync(directory);
    for (const [name, content] of Object.entries(FILES)) writeFileSync(at(name), content);
    const staged = stageServiceFiles(directory, NEXT);
    assert.equal(text(at('tls.key')), 'key 1');
    staged.commit();
    assert.deepEqual([text(at('tls.key')), readlinkSync(at('tls.key'))], ['key 2', '..data/tls.key']);
    assert.deepEqual(names(), WHOLE);
  });

  it('take the place of a copy that followed the links, as cp -rL makes it', () => {
    mkdirSync(directory);
    mkdirSync(at('..data'));
    for (const [name, content] of Object.entries(FILES))
      for (const place of [at(name), at(`..data/${name}`)]) writeFileSync(place, content);
    lay(NEXT);
    assert.deepEqual([text(at('tls.crt')), text(at('tls.key'))], ['certificate 2', 'key 2']);
    assert.deepEqual(names(), WHOLE);
  });

  it('leave what is not ours where it is, and sweep what killed processes left', () => {
    lay(FILES);
    writeFileSync(at('notes.txt'), 'mine');
    mkdirSync(at('..0123456789ab'));
    writeFileSync(at('..data_tmp'), '');
    lay(NEXT);
    assert.deepEqual(names(), [...WHOLE.slice(0, 3), 'notes.txt', ...WHOLE.slice(3)]);
  });

  it('or the error says why not, and nothing is changed', async () => {
    writeFileSync(directory, 'a file');
    await failure('FILE_NOT_WRITABLE', () => lay(FILES), /api/);
    assert.equal(text(directory), 'a file');
    rmSync(directory);
    lay(FILES);
    if (process.getuid?.() !== 0) return;
    chmodSync(parent.path, 0o755);
    process.seteuid!(65534);
    try {
      await failure('FILE_NOT_WRITABLE', () => lay(NEXT), /permission denied/);
    } finally {
      process.seteuid!(0);
    }
    assert.deepEqual([names(), text(at('tls.key'))], [WHOLE, 'key 1']);
  });
});
