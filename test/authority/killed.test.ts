import assert from 'node:assert/strict';
import { cpSync, existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CRL_VALIDITY } from '../../src/authority/revocation/crl.js';
import { initializeWorkspace } from '../../src/authority/cas/initialize.js';
import { issueCertificates } from '../../src/authority/issue/issue.js';
import { readLedger } from '../../src/authority/ledger/ledger.js';
import { type Workspace, openWorkspace, servicePaths } from '../../src/authority/workspace.js';
import { DAY } from '../../src/base/duration.js';
import { findRevoked } from '../../src/pki/crl.js';
import { readCertificates } from '../../src/pki/material.js';
import { AT } from '../support/chains.js';
import { temporaryDirectory } from '../support/material.js';
import type { Report, Task } from './child.js';
import type { Fault } from './faults.js';
import { childProcesses, reportOf, threeAtATime } from './processes.js';
import {
  assertWhole,
  clock,
  clockAt,
  failure,
  issueOne,
  issuerWithKey,
  newWorkspace,
  refreshCrl,
  revoke,
  rootCrl,
  staleLock,
  text,
} from './support.js';

/** The CRL of AT is more than half over then. */
const LATER = CRL_VALIDITY / 2 + DAY;
const WRITES = ['writeSync', 'writeFileSync'];
const FILES = ['.gitignore', 'authority', 'services', 'workspace.json'];
const AUTHORITY_FILES = ['bundle.pem', 'ledger.jsonl', 'root.crl', 'root.crt', 'root.key'];

describe('a process that is killed before any change of the file system, or in the middle of a write,', function () {
  this.timeout(60_000);
  const directory = temporaryDirectory();
  let children: Awaited<ReturnType<typeof childProcesses<Task>>>;
  let template: ReturnType<typeof newWorkspace>;
  before(async () => {
    children = await childProcesses<Task>();
    template = newWorkspace();
    await issueCertificates(template.workspace, [{ name: 'api' }, { name: 'web' }], clock);
    // it begins where another one was killed, while it broke the lock of a third
    for (const name of ['lock', 'lock.break']) writeFileSync(join(template.workspace.paths.authority, name), staleLock());
  });
  after(() => {
    for (const { remove } of [children, template, directory]) remove();
  });

  let copies = 0;
  function copyOfTemplate(): Workspace {
    const copy = join(directory.path, String(copies++), '.mtls');
    cpSync(template.workspace.paths.directory, copy, { recursive: true, verbatimSymlinks: true });
    return openWorkspace(copy, copy);
  }

  /** Every call in turn, and every write once more by half. `survived` looks at what is left; it gets the report of the last run, which was let be. */
  async function killEverywhere(
    task: (place: string) => Task,
    place: () => string,
    survived: (place: string, report?: Report) => Promise<void>,
  ): Promise<void> {
    const whole = place();
    const report = reportOf(await children.run(task(whole)));
    await survived(whole, report);
    const strikes = report.calls.flatMap((call, at) => {
      const faults: readonly Fault[] = WRITES.includes(call) ? ['kill', 'tear'] : ['kill'];
      return faults.map((fault) => ({ fault, at }));
    });
    assert.ok(strikes.length > 15, `${strikes.length} places only`);
    await threeAtATime(strikes, async (strike) => {
      const here = place();
      try {
        assert.deepEqual(await children.run({ ...task(here), strike }), { killed: true });
        await survived(here);
      } catch (error) {
        throw new Error(`${strike.fault} at ${strike.at}, ${report.calls[strike.at]}`, { cause: error });
      }
    });
  }

  const entriesBefore = () => readLedger(template.workspace.paths.ledger);

  /** What holds after any command, killed or not; then the next commands work, and sweep. */
  async function assertGoesOn(place: string): Promise<Workspace> {
    const workspace = openWorkspace(place, place);
    await issuerWithKey(workspace);
    assertWhole(workspace);
    assert.deepEqual(
      readLedger(workspace.paths.ledger).slice(0, entriesBefore().length),
      entriesBefore(),
      'nothing that was there is lost',
    );
    const highest = Number(`0x${rootCrl(workspace.paths).number}`);
    const services = readdirSync(workspace.paths.services);
    await issueCertificates(
      workspace,
      [...services, 'next'].map((name) => ({ name })),
      clockAt(LATER),
    );
    assert.ok(Number(`0x${(await refreshCrl(workspace, clockAt(LATER))).number}`) > highest);
    assertWhole(workspace);
    assert.deepEqual(readdirSync(workspace.paths.directory).sort(), FILES);
    assert.deepEqual(readdirSync(workspace.paths.authority).sort(), AUTHORITY_FILES);
    for (const service of [...services, 'next']) {
      const names = readdirSync(join(workspace.paths.services, service)).map((name) => name.replace(/^\.\.[0-9a-f]{12}$/, '..version'));
      assert.deepEqual(names.sort(), ['..data', '..version', 'ca.crt', 'tls.crt', 'tls.key']);
    }
    return workspace;
  }

  it('loses nothing of issue, and shows nothing half-done', () =>
    killEverywhere(
      (place) => ({ act: 'issue', directory: place, now: AT.getTime() + LATER, names: ['api', 'db'] }),
      () => copyOfTemplate().paths.directory,
      async (place, report) => {
        const workspace = openWorkspace(place, place);
        const ledger = readLedger(workspace.paths.ledger);
        const shown = ['api', 'db'].map((name) => servicePaths(workspace, name).certificate);
        if (report !== undefined) {
          assert.deepEqual(
            shown.map((path) => readCertificates(path)[0]!.serial),
            report.serials,
          );
          assert.deepEqual(ledger.flatMap((entry) => (entry.event === 'issued' ? [entry.serial] : [])).slice(-2), report.serials);
        }
        assert.equal(existsSync(shown[0]!), true, 'the earlier or the newer one');
        await assertGoesOn(place);
      },
    ));

  it('loses nothing of revoke: what was reported is in the ledger and in the CRL', () =>
    killEverywhere(
      (place) => ({ act: 'revoke', directory: place, now: AT.getTime() + DAY, names: ['api'] }),
      () => copyOfTemplate().paths.directory,
      async (place, report) => {
        const workspace = openWorkspace(place, place);
        const certificate = readCertificates(servicePaths(workspace, 'api').certificate)[0]!;
        const isInCrl = (): boolean => findRevoked(rootCrl(workspace.paths), certificate.serial) !== undefined;
        const isInLedger = readLedger(workspace.paths.ledger).some(({ event }) => event === 'revoked');
        if (report !== undefined) assert.deepEqual([report.serials, isInCrl()], [[certificate.serial], true]);
        if (isInCrl()) assert.equal(isInLedger, true);
        // long before the CRL is half over, whatever the ledger knows is said
        await issueOne(workspace, 'web', clockAt(2 * DAY));
        assert.equal(isInCrl(), isInLedger);
        // asked again, it is done whatever was done before
        const { revoked, already } = await revoke(workspace, 'api', 'keyCompromise', clockAt(2 * DAY));
        assert.deepEqual([revoked.length, already.length], isInLedger ? [0, 1] : [1, 0]);
        assert.equal(isInCrl(), true);
        await assertGoesOn(place);
      },
    ));

  it('leaves no workspace of init, or a whole one', () => {
    const soon = (): Date => new Date(Date.now() + 61_000);
    return killEverywhere(
      (place) => ({ act: 'init', directory: join(place, '.mtls'), now: soon().getTime() }),
      () => join(directory.path, String(copies++)),
      async (place, report) => {
        const made = join(place, '.mtls');
        const again = () => initializeWorkspace({ directory: made, trustDomain: 'shop.test', clock: soon });
        if (existsSync(made)) await failure('WORKSPACE_EXISTS', again);
        else {
          assert.equal(report, undefined);
          await failure('WORKSPACE_NOT_FOUND', () => openWorkspace(undefined, existsSync(place) ? place : directory.path));
          again();
        }
        const workspace = openWorkspace(undefined, place);
        assertWhole(workspace);
        await issueOne(workspace, 'api', soon);
        assert.deepEqual(readdirSync(workspace.paths.authority).sort(), AUTHORITY_FILES);
        assert.deepEqual(readdirSync(place), ['.mtls'], 'the next init sweeps');
      },
    );
  });

  it('in the middle of the ledger: the torn line is cut off, wherever it is torn', async () => {
    const workspace = copyOfTemplate();
    await issueOne(workspace, 'db');
    const { ledger } = workspace.paths;
    const [whole, entries] = [readFileSync(ledger), readLedger(ledger)];
    const last = whole.lastIndexOf(10, -2) + 1;
    for (let size = last; size < whole.length; size += 7) {
      writeFileSync(ledger, whole.subarray(0, size));
      assert.deepEqual(readLedger(ledger), entries.slice(0, -1), `${size} bytes`);
    }
    await issueOne(workspace, 'cache');
    assert.equal(text(ledger).startsWith(whole.subarray(0, last).toString()), true);
    const names = readLedger(ledger).flatMap((entry) => (entry.event === 'issued' ? [entry.name] : []));
    assert.deepEqual(names, ['api', 'web', 'cache']);
  });
});
