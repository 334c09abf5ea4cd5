import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import { issueCertificates } from '../../src/authority/issue/issue.js';
import { readLedger } from '../../src/authority/ledger/ledger.js';
import { serviceNames } from '../../src/authority/workspace.js';
import { needs } from '../support/programs.js';
import { plainEnvironment } from '../support/session.js';
import { assertWhole, clock, failure, issueOne, newWorkspace, text } from './support.js';

const PROGRAM = fileURLToPath(new URL('../../bin/dev.js', import.meta.url));
const names = (count: number): string[] => Array.from({ length: count }, (_, i) => `s${i}`);
const requests = (count: number) => names(count).map((name) => ({ name }));

describe('issue that is interrupted', () => {
  let made: ReturnType<typeof newWorkspace>;
  beforeEach(async () => {
    made = newWorkspace();
    await issueOne(made.workspace, 's0');
  });
  afterEach(() => made.remove());
  const filesOf = (): unknown[] => {
    const { paths } = made.workspace;
    return [text(paths.ledger), readdirSync(paths.services), readdirSync(`${paths.services}/s0`), readdirSync(paths.authority)];
  };

  it('takes all back that it had made, and says how far it was', async () => {
    const before = filesOf();
    for (const [what, time] of [
      ['signing', 1],
      ['signing', 2],
      ['issuing', 1],
      ['issuing', 2],
      ['issuing 1,200 of 1,200', 1],
    ] as const) {
      const controller = new AbortController();
      let told: string[] = [];
      const tell = (now: string): void => {
        told = now.startsWith(what) ? [...told, now] : told;
        if (told.length === time) controller.abort();
      };
      await failure('INTERRUPTED', () => issueCertificates(made.workspace, requests(1_200), clock, { signal: controller.signal, tell }));
      assert.equal(told.length, time, 'nothing is done after that');
      assert.match(told.at(-1)!, /^(?:signing|issuing) (?:[\d]{1,3}|1,[\d]{3}) of 1,200$/);
      assert.deepEqual(filesOf(), before);
    }
  }).timeout(60_000);

  it('hears it soon, however long a key takes', async () => {
    const told: string[] = [];
    const rsa = requests(6).map((each) => ({ ...each, keyType: 'rsa-3072' as const }));
    await issueCertificates(made.workspace, rsa, clock, { tell: (what) => told.push(what) });
    assert.ok(told.filter((what) => what.startsWith('signing')).length > 3, told.join(', '));
  });

  it('goes on to its end once it stands in the ledger', async () => {
    const controller = new AbortController();
    const { ledger } = made.workspace.paths;
    const before = text(ledger);
    const watch = setInterval(() => text(ledger) !== before && controller.abort(), 0);
    const issued = await issueCertificates(made.workspace, requests(200), clock, { signal: controller.signal }).finally(() =>
      clearInterval(watch),
    );
    assert.equal(issued.length, 200);
    assert.equal(serviceNames(made.workspace).length, 200);
    assertWhole(made.workspace);
  });
});

describe('the program', function () {
  // thousands of files are brought to the disk, whatever else it has to do
  this.timeout(120_000);
  let made: ReturnType<typeof newWorkspace>;
  const children: ChildProcess[] = [];
  beforeEach(() => {
    // the clock of the program is that of the system
    made = newWorkspace({ clock: () => new Date() });
  });
  afterEach(() => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
    made.remove();
  });
  const run = (command: string, args: readonly string[]) => {
    const child = spawn(command, args, { cwd: made.parent, env: plainEnvironment() });
    children.push(child);
    let said = '';
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (part: string) => (said += part));
    return { child, ended: once(child, 'close').then(([code]) => code as number | null), said: () => stripVTControlCharacters(said) };
  };
  const atTerminal = (...args: readonly string[]) =>
    run('script', ['-qec', [process.execPath, PROGRAM, ...args].map((word) => `'${word}'`).join(' '), '/dev/null']);

  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    it(`issuing to 3,000 stops at ${signal}, leaves nothing half-made, and exits 130`, async () => {
      const { paths } = made.workspace;
      const ledger = text(paths.ledger);
      const { child, ended, said } = run(process.execPath, [PROGRAM, 'issue', ...names(3_000)]);
      while (readdirSync(paths.services).length < 100) await sleep(5);
      child.kill(signal);
      assert.equal(await ended, 130, said());
      assert.match(said(), /^error: interrupted\n/);
      assert.deepEqual([text(paths.ledger), readdirSync(paths.services)], [ledger, []]);
      assert.deepEqual(readdirSync(paths.authority).sort(), ['bundle.pem', 'ledger.jsonl', 'root.crl', 'root.crt', 'root.key']);
    });

  it('stops to wait for the lock at Ctrl-C', async () => {
    const { paths } = made.workspace;
    writeFileSync(paths.lock, JSON.stringify({ pid: process.pid, host: hostname() }));
    const { child, ended, said } = run(process.execPath, [PROGRAM, 'issue', 'api']);
    await sleep(3_000);
    child.kill('SIGINT');
    assert.equal(await ended, 130, said());
    assert.deepEqual([existsSync(paths.lock), readLedger(paths.ledger).length], [true, 2]);
  });

  describe('at a terminal', () => {
    before(needs('script'));

    it('draws how far issue is when it takes longer than a second, until Ctrl-C', async () => {
      const { child, ended, said } = atTerminal('issue', ...names(5_000));
      while (!/\rissuing (?:\d{2,3}|[1-4],\d{3}) of 5,000 …/.test(said())) {
        assert.equal(child.exitCode, null, said());
        await sleep(20);
      }
      child.stdin.write('\u0003');
      assert.equal(await ended, 130, said().slice(-500));
      assert.match(said(), /error: interrupted\r?\n$/);
      assert.deepEqual(readdirSync(made.workspace.paths.services), []);
    });

    it('says for whom it waits', async () => {
      const { paths } = made.workspace;
      for (const command of ['crl', 'issue', 'revoke']) {
        writeFileSync(paths.lock, JSON.stringify({ pid: process.pid, host: hostname() }));
        const { ended, said } = atTerminal(command, ...(command === 'crl' ? [] : ['api']));
        while (!said().includes(`waiting for process ${process.pid} on ${hostname()} …`)) await sleep(20);
        rmSync(paths.lock);
        assert.equal(await ended, 0, said());
      }
    });
  });
});
