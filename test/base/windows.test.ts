import assert from 'node:assert/strict';
import { appendFileSync, closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { type Window, inWindows } from '../../src/base/windows.js';
import { temporaryDirectory } from '../support/material.js';

const OCTETS = Buffer.from(Array.from({ length: 1000 }, (_, i) => (i * 7) & 0xff));

describe('a window on a file', () => {
  const directory = temporaryDirectory();
  after(directory.remove);

  const through = <T>(size: number, read: (window: Window) => T): T | undefined =>
    inWindows(directory.file('a', OCTETS), { limit: 1000, size }, read);

  it('shows all of it, in whatever pieces are needed', () => {
    for (const size of [1, 7, 64, 5000])
      through(size, (window) => {
        for (const [at, count] of [
          [0, 1],
          [1, 0],
          [1, 99],
          [100, 400],
          [500, 500],
        ] as const) {
          assert.equal(window.offset, at);
          assert.deepEqual(window.take(count), OCTETS.subarray(at, at + count));
        }
        assert.deepEqual(
          [window.need(0), window.need(1), window.take(1), window.skip(0), window.skip(1)],
          [true, false, undefined, true, false],
        );
      });
  });

  it('stands still where there is not enough', () => {
    through(10, (window) => {
      window.skip(990);
      assert.deepEqual([window.need(11), window.offset], [false, 990]);
      assert.deepEqual(window.take(10), OCTETS.subarray(990));
    });
  });

  it('grows to 256 kB and no further', () => {
    const path = directory.file('large', Buffer.alloc(300_000));
    const needed = (count: number, size: number): boolean | undefined =>
      inWindows(path, { limit: 300_000, size }, (window) => window.need(count));
    assert.deepEqual([needed(256 * 1024, 10), needed(256 * 1024 + 1, 10), needed(300_000, 300_000)], [true, false, true]);
  });

  it('is not opened on what is no file, too large or not there', () => {
    const path = directory.file('b', OCTETS);
    const opened = (of: string, limit: number): boolean | undefined => inWindows(of, { limit, size: 10 }, () => true);
    assert.deepEqual(
      [opened(path, 1000), opened(path, 999), opened(directory.path, 1e6), opened(join(path, 'c'), 1000)],
      [true, ...Array<undefined>(3)],
    );
    assert.equal(opened('/dev/stdin', 1000), undefined);
  });

  it('ends where the file ended when it was opened', () => {
    const path = directory.file('grows', OCTETS);
    const read = inWindows(path, { limit: 5000, size: 10 }, (window) => {
      appendFileSync(path, OCTETS);
      return [window.skip(1000), window.need(1)];
    });
    assert.deepEqual(read, [true, false]);
  });

  it('is closed behind whoever throws', () => {
    const next = (): number => {
      const handle = openSync(directory.path, 'r');
      closeSync(handle);
      return handle;
    };
    const before = next();
    const broken = new Error('of the reader');
    assert.throws(
      () =>
        through(10, () => {
          throw broken;
        }),
      broken,
    );
    assert.equal(next(), before);
  });
});
