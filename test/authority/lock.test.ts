import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { readLedger } from '../../src/authority/ledger/ledger.js';
import { withLock } from '../../src/authority/lock.js';
import { serviceNames } from '../../src/authority/workspace.js';
import { AT } from '../support/chains.js';
import { temporaryDirectory } from '../support/material.js';
import { injectFaults } from './faults.js';
import { childProcesses, reportOf } from './processes.js';
import { assertWhole, failure, newWorkspace, staleLock, text } from './support.js';

describe('the lock', () => {
  let directory: ReturnType<typeof temporaryDirectory>;
  let path: string;
  beforeEach(() => {
    directory = temporaryDirectory();
    path = join(directory.path, 'lock');
  });
  afterEach(() => directory.remove());
  const said = async (): Promise<string> => 'done';

  it('says who holds it, and is gone when the work is done or has failed', async () => {
    const held = await withLock(path, async () => JSON.parse(text(path)) as unknown);
    const { started, ...holder } = held as { readonly started?: string };
    assert.deepEqual(holder, { pid: process.pid, host: hostname() });
    if (process.platform === 'linux') assert.match(started!, /^\d+$/);
    await assert.rejects(
      withLock(path, () => Promise.reject(new Error('of the work'))),
      /of the work/,
    );
    assert.deepEqual(readdirSync(directory.path), []);
  });

  it('lets one in at a time', async () => {
    let inside = 0;
    const work = async (): Promise<void> => {
      assert.equal(++inside, 1);
      await new Promise((resolve) => setImmediate(resolve));
      inside--;
    };
    await Promise.all([1, 2, 3].map(() => withLock(path, work)));
    assert.deepEqual(readdirSync(directory.path), []);
  });

  it('of a living process is waited for, and not for ever', async () => {
    let release = (): void => {};
    const holder = withLock(path, () => new Promise<void>((resolve) => (release = resolve)));
    const error = await failure(
      'WORKSPACE_LOCKED',
      () => withLock(path, said, { patience: 60 }),
      new RegExp(`locked by process ${process.pid} on ${hostname()}`),
    );
    assert.ok(error.facts.waitedMs >= 60 && error.facts.waitedMs < 5_000, `${error.facts.waitedMs} ms`);
    assert.deepEqual(error.hints, [`cat ${path}`, 'when no mtls runs there any more, remove that file']);
    assert.equal(existsSync(path), true, 'who waited in vain took nothing away');
    const waiter = withLock(path, said);
    release();
    assert.equal(await waiter, 'done');
    await holder;
  });

  it('of a dead process is taken over, even when one died in taking it over, and one in taking that over', async () => {
    const stale = staleLock();
    const { pid } = JSON.parse(stale) as { readonly pid: number };
    for (const names of [
      ['lock'],
      ['lock', 'lock.break'],
      ['lock', 'lock.break', 'lock.break.break'],
      ['lock.break'],
      ['lock.break.break'],
    ]) {
      for (const name of names) directory.file(name, stale);
      const told: string[] = [];
      const tell = (what: string, happened?: 'happened'): void => void (happened !== undefined && told.push(what));
      assert.equal(await withLock(path, said, { patience: 0, tell }), 'done', names.join(', '));
      const takenOver = names.includes('lock') ? [`took over the lock of process ${pid} on ${hostname()}, which is gone`] : [];
      assert.deepEqual(told, takenOver, 'and that is said');
      assert.deepEqual(readdirSync(directory.path), [], 'and all is swept');
    }
  });

  it('of a dead process is not touched while a living one is at it', async () => {
    directory.file('lock', staleLock());
    directory.file('lock.break', JSON.stringify({ pid: process.pid, host: hostname() }));
    await failure('WORKSPACE_LOCKED', () => withLock(path, said, { patience: 0 }));
    assert.deepEqual(readdirSync(directory.path).sort(), ['lock', 'lock.break']);
  });

  it('of another host, of a process of somebody else, or of unknown content is never broken', async () => {
    const dead = JSON.parse(staleLock()) as { pid: number };
    const contents = {
      'process .* on elsewhere': JSON.stringify({ ...dead, host: 'elsewhere' }),
      'process 1 on': JSON.stringify({ pid: 1, host: hostname() }),
    };
    for (const [who, content] of [
      ...Object.entries(contents),
      ...['{}', '{"pid":"1","host":1}'].map((odd) => ['an unknown process', odd] as const),
    ]) {
      writeFileSync(path, content);
      await failure('WORKSPACE_LOCKED', () => withLock(path, said, { patience: 0 }), new RegExp(who));
      assert.equal(text(path), content);
    }
  });

  it('that was never written whole is taken over when it is older than anybody waits', async () => {
    for (const torn of ['', 'x', '{"pid":']) {
      writeFileSync(path, torn);
      assert.equal(await withLock(path, said, { patience: 30 }), 'done');
      assert.deepEqual(readdirSync(directory.path), []);
    }
  });

  it('of a process whose number another one has by now is taken over', async function () {
    if (process.platform !== 'linux') this.skip();
    writeFileSync(path, JSON.stringify({ pid: process.pid, host: hostname(), started: '1' }));
    assert.equal(await withLock(path, said, { patience: 0 }), 'done');
  });

  it('that could not be removed is no obstacle to the process that made it', async () => {
    const { calls, restore: count } = injectFaults();
    await withLock(path, said).finally(count);
    const { restore } = injectFaults({ fault: 'EIO', at: calls.lastIndexOf('rmSync') });
    await withLock(path, said).finally(restore);
    assert.deepEqual(readdirSync(directory.path), ['lock']);
    assert.equal(await withLock(path, said, { patience: 0 }), 'done');
    assert.deepEqual(readdirSync(directory.path), []);
    const held = withLock(path, () => new Promise<void>((resolve) => setTimeout(resolve, 50)));
    await failure('WORKSPACE_LOCKED', () => withLock(path, said, { patience: 0 }), /locked by process/);
    await held;
  });

  it('is waited for no longer than whoever waits wants to, and that is told', async () => {
    const told: string[] = [];
    const controller = new AbortController();
    writeFileSync(path, JSON.stringify({ pid: process.pid, host: hostname() }));
    const tell = (what: string): void => {
      told.push(what);
      controller.abort();
    };
    await failure('INTERRUPTED', () => withLock(path, said, { signal: controller.signal, tell }));
    assert.match(told[0]!, new RegExp(`waiting for process ${process.pid} on `));
  });

  it('is on the disk before it is seen', async () => {
    const { calls, restore } = injectFaults();
    await withLock(path, said).finally(restore);
    assert.deepEqual(calls.slice(0, calls.indexOf('linkSync') + 1), ['openSync', 'writeFileSync', 'fsyncSync', 'linkSync']);
  });

  it('sweeps what killed processes left half-written, once it is held', async () => {
    directory.file('.mtls-0123456789ab.tmp', 'half');
    directory.file('other', 'x');
    await withLock(path, said);
    assert.deepEqual(readdirSync(directory.path), ['other']);
  });

  it('says why it cannot be made', async () => {
    await failure('FILE_NOT_WRITABLE', () => withLock(join(directory.path, 'none/lock'), said), /its directory does not exist/);
    mkdirSync(path);
    await failure('FILE_NOT_READABLE', () => withLock(path, said), /it is a directory/);
  });

  it('keeps eight processes apart that issue at once, and find the lock of a dead one', async function () {
    this.timeout(60_000);
    const { workspace, remove } = newWorkspace();
    const children = await childProcesses();
    try {
      for (const name of ['lock', 'lock.break']) writeFileSync(join(workspace.paths.authority, name), staleLock());
      const run = (i: number) =>
        children.run({ act: 'issue', directory: workspace.paths.directory, now: AT.getTime(), names: ['shared', `own-${i}`], times: 3 });
      const reported = (await Promise.all([0, 1, 2, 3, 4, 5, 6, 7].map(run))).flatMap((ended) => reportOf(ended).serials);
      const noted = readLedger(workspace.paths.ledger).flatMap((entry) => (entry.event === 'issued' ? [entry.serial] : []));
      assert.equal(noted.length, 48);
      assert.deepEqual(noted.toSorted(), reported.toSorted());
      assertWhole(workspace);
      assert.equal(serviceNames(workspace).length, 9);
      assert.deepEqual(
        readdirSync(workspace.paths.authority).filter((name) => /lock|tmp/.test(name)),
        [],
      );
    } finally {
      children.remove();
      remove();
    }
  });
});
