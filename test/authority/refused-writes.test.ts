import assert from 'node:assert/strict';
import { cpSync, existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CRL_VALIDITY } from '../../src/authority/revocation/crl.js';
import { initializeWorkspace } from '../../src/authority/cas/initialize.js';
import { issueCertificates } from '../../src/authority/issue/issue.js';
import { readLedger } from '../../src/authority/ledger/ledger.js';
import { type Workspace, openWorkspace, servicePaths } from '../../src/authority/workspace.js';
import { DAY } from '../../src/base/duration.js';
import { isError } from '../../src/errors.js';
import { temporaryDirectory } from '../support/material.js';
import { type Strike, injectFaults } from './faults.js';
import { assertWhole, clock, clockAt, newWorkspace, refreshCrl, revoke, staleLock, text } from './support.js';

/** A file system that went read-only stays so, and lets nothing be taken back. */
const FAULTS = [
  { fault: 'ENOSPC', lasting: false, code: 'DISK_FULL' },
  { fault: 'EIO', lasting: false, code: 'FILE_NOT_WRITABLE' },
  { fault: 'EROFS', lasting: true, code: 'FILE_NOT_WRITABLE' },
] as const;
const LATER = CRL_VALIDITY / 2 + DAY;

describe('a write that the system refuses, whichever it is,', function () {
  this.timeout(60_000);
  const directory = temporaryDirectory();
  let template: ReturnType<typeof newWorkspace>;
  const stale = staleLock();
  before(async () => {
    template = newWorkspace();
    await issueCertificates(template.workspace, [{ name: 'api' }, { name: 'web' }], clock);
    writeFileSync(template.workspace.paths.lock, stale);
  });
  after(() => {
    directory.remove();
    template.remove();
  });

  let copies = 0;
  const place = (): string => join(directory.path, String(copies++));
  function copyOfTemplate(): Workspace {
    const copy = join(place(), '.mtls');
    cpSync(template.workspace.paths.directory, copy, { recursive: true, verbatimSymlinks: true });
    return openWorkspace(copy, copy);
  }

  /** Runs `act` once whole, then with every fault at every call, `survived` gets what it was refused with. */
  async function refuseEverywhere<T>(
    prepare: () => T,
    act: (on: T) => unknown,
    survived: (on: T, refused: Error | undefined, strike: Strike) => Promise<void> | void,
  ): Promise<void> {
    const run = async (on: T, strike?: Strike) => {
      const { calls, restore } = injectFaults(strike);
      try {
        await act(on);
        return { calls, error: undefined };
      } catch (error) {
        return { calls, error };
      } finally {
        restore();
      }
    };
    const { calls } = await run(prepare());
    assert.ok(calls.length > 10, `${calls.length} calls only`);
    let refusals = 0;
    for (let at = 0; at < calls.length; at++)
      for (const { fault, lasting, code } of FAULTS) {
        const strike = { fault, at, lasting };
        const where = `${fault} at ${at}, ${calls[at]}${lasting ? ' and all after it' : ''}`;
        const on = prepare();
        const { error } = await run(on, strike);
        assert.ok(error === undefined || isError(error, code), `${where}: ${String(error)}`);
        if (error !== undefined) refusals++;
        try {
          await survived(on, error, strike);
        } catch (problem) {
          throw new Error(where, { cause: problem });
        }
      }
    assert.ok(refusals > calls.length, `${refusals} refusals only`);
  }

  /** A lock that could not be removed stays until its process is gone, as it now is. */
  function endProcess({ paths }: Workspace): void {
    const locks = readdirSync(paths.authority).filter((name) => name.startsWith('lock'));
    for (const name of locks) writeFileSync(join(paths.authority, name), stale);
  }

  /** "Nothing was changed" is said when that is so, and not when the ledger knows what was asked for. */
  const assertHonest = ({ message }: Error, isDone: boolean): void => {
    if (isDone) assert.match(message, /; (?:the ledger (?:has|may hold) |the workspace is made)/);
    else assert.match(message, /nothing was changed|the ledger (?:may hold|has CRL \d+ already)/);
  };

  const seen = (workspace: Workspace, ...services: readonly string[]): string[] => {
    const files = services.flatMap((name) => {
      const { certificate, key, ca } = servicePaths(workspace, name);
      return [certificate, key, ca];
    });
    return [workspace.paths.root.crl, ...files].map((path) => (existsSync(path) ? text(path) : ''));
  };

  it('leaves issue as if it had not begun, or had ended', () =>
    refuseEverywhere(
      copyOfTemplate,
      (workspace) => issueCertificates(workspace, [{ name: 'api' }, { name: 'db' }], clockAt(DAY)),
      async (workspace, refused, { lasting }) => {
        endProcess(workspace);
        assertWhole(workspace);
        const issued = readLedger(workspace.paths.ledger).filter(({ event }) => event === 'issued').length;
        const [now, before] = [seen(workspace, 'api', 'db'), seen(template.workspace, 'api', 'db')];
        if (refused === undefined) assert.equal(issued, 4);
        else assertHonest(refused, issued === 4);
        if (issued === 2) {
          assert.deepEqual(now, before);
          if (lasting !== true)
            assert.deepEqual(readdirSync(workspace.paths.services).sort(), ['api', 'web'], 'nothing is left lying about');
        }
        await issueCertificates(workspace, [{ name: 'api' }, { name: 'db' }], clockAt(LATER));
        assertWhole(workspace);
        assert.deepEqual(
          readdirSync(workspace.paths.authority).sort(),
          ['bundle.pem', 'ledger.jsonl', 'root.crl', 'root.crt', 'root.key'],
          'swept',
        );
      },
    ));

  it('leaves revoke undone, or done', () =>
    refuseEverywhere(
      copyOfTemplate,
      (workspace) => revoke(workspace, 'api', 'superseded', clockAt(DAY)),
      async (workspace, refused) => {
        endProcess(workspace);
        assertWhole(workspace);
        const ledger = readLedger(workspace.paths.ledger);
        const isNoted = ledger.some(({ event }) => event === 'revoked');
        if (refused === undefined) assert.equal(isNoted, true);
        else assertHonest(refused, isNoted);
        if (!isNoted)
          assert.deepEqual(
            [text(workspace.paths.root.crl), ledger],
            [text(template.workspace.paths.root.crl), readLedger(template.workspace.paths.ledger)],
          );
        const { revoked, already } = await revoke(workspace, 'api', 'superseded', clockAt(DAY));
        assert.equal(revoked.length + already.length, 1);
        await refreshCrl(workspace, clockAt(DAY));
        assertWhole(workspace);
      },
    ));

  it('leaves no workspace of init', () =>
    refuseEverywhere(
      () => join(place(), '.mtls'),
      (at) => initializeWorkspace({ directory: at, clock }),
      (at, refused, { lasting }) => {
        if (refused !== undefined) assertHonest(refused, existsSync(at));
        if (existsSync(at)) assertWhole(openWorkspace(at, at));
        else {
          assert.ok(refused !== undefined);
          if (lasting !== true && existsSync(join(at, '..'))) assert.deepEqual(readdirSync(join(at, '..')), []);
          initializeWorkspace({ directory: at, clock });
        }
        assert.equal(readFileSync(join(at, '.gitignore'), 'utf8'), '*\n');
      },
    ));
});
