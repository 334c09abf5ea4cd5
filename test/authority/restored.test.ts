import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { examineWorkspace } from '../../src/authority/doctor/index.js';
import { readLedger } from '../../src/authority/ledger/ledger.js';
import { verifyLedger } from '../../src/authority/ledger/verify-ledger.js';
import { type Workspace, openWorkspace, serviceNames } from '../../src/authority/workspace.js';
import { isError } from '../../src/errors.js';
import { needs } from '../support/programs.js';
import { assertWhole, clock, failure, issueOne, newWorkspace, refreshCrl, revoke, rootCrl, unix } from './support.js';

/** How people copy a directory into another one. */
const COPIES: Readonly<Record<string, (from: string, to: string) => string>> = {
  'cp -a': (from, to) => `cp -a ${from} ${to}/`,
  'cp -r': (from, to) => `cp -r ${from} ${to}/`,
  'cp -rL, which follows links,': (from, to) => `cp -rL ${from} ${to}/`,
  tar: (from, to) => `tar -C ${from}/.. -cf ${to}/copy.tar .mtls && tar -C ${to} -xf ${to}/copy.tar && rm ${to}/copy.tar`,
};

const sh = (command: string): void => void execFileSync('/bin/sh', ['-c', command]);
const numberOf = ({ paths }: Workspace): number => Number(`0x${rootCrl(paths).number}`);

describe('a workspace that was put back from a copy', () => {
  before(needs('tar'));
  let made: ReturnType<typeof newWorkspace>;
  let away: string;
  beforeEach(async () => {
    made = newWorkspace();
    away = join(made.parent, 'away');
    mkdirSync(away);
    for (const name of ['api', 'db']) await issueOne(made.workspace, name);
  });
  afterEach(() => made.remove());

  /** What happened after the copy was made, and is lost with it; the head of the ledger as it was then. */
  async function goOn(): Promise<string> {
    await issueOne(made.workspace, 'web');
    await issueOne(made.workspace, 'api');
    await revoke(made.workspace, 'db', 'keyCompromise', clock);
    return (await verifyLedger(made.workspace.paths.ledger)).head;
  }

  for (const [how, copying] of Object.entries(COPIES))
    unix(`by ${how} goes on from where the copy was made`, async () => {
      const { directory, ledger } = made.workspace.paths;
      const [noted, head, number] = [readLedger(ledger), (await verifyLedger(ledger)).head, numberOf(made.workspace)];
      sh(copying(directory, away));
      const later = await goOn();
      rmSync(directory, { recursive: true });
      sh(copying(join(away, '.mtls'), made.parent));

      const workspace = openWorkspace(undefined, made.parent);
      assertWhole(workspace);
      assert.deepEqual(readLedger(ledger), noted);
      assert.deepEqual([serviceNames(workspace), numberOf(workspace)], [['api', 'db'], number]);
      await issueOne(workspace, 'api');
      const { revoked } = await revoke(workspace, 'db', 'superseded', clock);
      assert.equal(revoked.length, 1, 'what was revoked later is not known to be');
      await refreshCrl(workspace, clock);
      assert.equal(numberOf(workspace), number + 2, 'the CRL goes on from its own number');
      assertWhole(workspace);
      const files = readdirSync(join(workspace.paths.services, 'api')).map((name) => name.replace(/^\.\.[0-9a-f]{12}$/, '..version'));
      assert.deepEqual(files.sort(), ['..data', '..version', 'ca.crt', 'tls.crt', 'tls.key']);

      assert.equal((await verifyLedger(ledger, head)).bad, null);
      assert.match((await verifyLedger(ledger, later)).bad!.problem, /lines were cut off/, 'whoever kept the later head is told');
    });

  unix('without its modes says what mends it, one command after the other', async () => {
    sh(`cp -r --no-preserve=mode ${made.workspace.paths.directory} ${away}/`);
    const pasted: string[] = [];
    const issue = async (): Promise<Workspace> => {
      const opened = openWorkspace(undefined, away);
      await issueOne(opened, 'api');
      return opened;
    };
    let workspace: Workspace | undefined;
    while (workspace === undefined) {
      try {
        workspace = await issue();
      } catch (error) {
        assert.ok(isError(error, 'FILE_MODE_TOO_OPEN') && pasted.length < 5, String(error));
        pasted.push(...error.hints);
        for (const hint of error.hints) sh(hint);
      }
    }
    assert.ok(pasted.includes(`chmod 0600 ${workspace.paths.root.key}`), pasted.join('; '));
    await revoke(workspace, 'db', 'superseded', clock);
    assertWhole(workspace);
  });

  unix('over what is there shows what the copy does not know of', async () => {
    const { directory, ledger } = made.workspace.paths;
    sh(COPIES['cp -a']!(directory, away));
    await goOn();
    sh(`cp -a ${join(away, '.mtls')}/. ${directory}/`);
    const { workspace } = made;
    const { checks } = await examineWorkspace(directory, clock());
    const findings = checks.flatMap((check) => check.findings.map(({ code }) => code));
    assert.ok(findings.includes('SERVICE_UNKNOWN'), findings.join(', '));
    await failure('SERIAL_NOT_FOUND', () => revoke(workspace, 'web', 'superseded', clock));
    await issueOne(workspace, 'web');
    assertWhole(workspace);
    assert.equal((await verifyLedger(ledger)).bad, null);
  });

  unix('but for its CRL, which is newer, is refused: entries are lost, and a CRL would go back', async () => {
    const { paths } = made.workspace;
    sh(COPIES['cp -a']!(paths.directory, away));
    await goOn();
    const files = ['ledger.jsonl', 'root.crt', 'root.key'].map((name) => join(away, '.mtls/authority', name)).join(' ');
    sh(`cp -a ${files} ${paths.authority}/`);
    const shown = numberOf(made.workspace);
    await failure('LEDGER_CORRUPT', () => refreshCrl(made.workspace, clock), /entries are lost/);
    await failure('LEDGER_CORRUPT', () => issueOne(made.workspace, 'api'), /entries are lost/);
    assert.equal(numberOf(made.workspace), shown);
  });
});
