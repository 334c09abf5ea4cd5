import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DOCTOR_FINDINGS, type DoctorFinding, examineWorkspace } from '../../../src/authority/doctor/index.js';
import { activateRotation, prepareRotation, retireRotation } from '../../../src/authority/rotation/index.js';
import { servicePaths, type Workspace } from '../../../src/authority/workspace.js';
import { DAY } from '../../../src/base/duration.js';
import { AT } from '../../support/chains.js';
import { plainEnvironment } from '../../support/session.js';
import { findProgram } from '../../support/programs.js';
import { clock, clockAt, issueOne, newWorkspace, refreshCrl, revoke, staleLock, unix } from '../support.js';

const DEV = fileURLToPath(new URL('../../../bin/dev.js', import.meta.url));
const PASSPHRASE = 'open sesame';

/** All findings at so many milliseconds after AT. */
async function findingsOf(workspace: Workspace, after = 0, deployed: readonly string[] = []): Promise<DoctorFinding[]> {
  const { checks } = await examineWorkspace(workspace.paths.directory, new Date(AT.getTime() + after), deployed);
  return checks.flatMap(({ findings }) => [...findings]);
}

const codesOf = (findings: readonly DoctorFinding[]): string[] => [...new Set(findings.map(({ code }) => code))].sort();

/** Those that are wrong, without what is only worth knowing. */
const wrong = (findings: readonly DoctorFinding[]): string[] => codesOf(findings.filter(({ severity }) => severity !== 'notice'));

/** Types the remedies of a code into a shell. */
function mend(findings: readonly DoctorFinding[], code: string): void {
  const remedies = new Set(findings.filter((finding) => finding.code === code).map(({ remedy }) => remedy!));
  assert.notEqual(remedies.size, 0, `no ${code} among ${codesOf(findings).join(', ')}`);
  for (const remedy of remedies) {
    const typed = remedy.replace(/^mtls /, `'${process.execPath}' '${DEV}' `);
    const { status, stderr } = spawnSync('/bin/sh', ['-c', typed], { encoding: 'utf8', env: plainEnvironment(), timeout: 30_000 });
    assert.equal(status, 0, `${remedy}: ${stderr}`);
  }
}

describe('the doctor', function () {
  this.timeout(60_000);
  let made: ReturnType<typeof newWorkspace>;
  let workspace: Workspace;
  const api = () => servicePaths(workspace, 'api');
  beforeEach(async () => {
    made = newWorkspace();
    workspace = made.workspace;
    await issueOne(workspace, 'api');
  });
  afterEach(() => made.remove());

  /** Done to the workspace, it has the code, and after the remedy has it no more. */
  async function isMended(code: string, after = 0): Promise<void> {
    mend(await findingsOf(workspace, after), code);
    assert.ok(!codesOf(await findingsOf(workspace, after)).includes(code), `${code} is still there`);
  }

  it('has nothing against a workspace that is well, but that its key has no passphrase', async () => {
    assert.deepEqual(codesOf(await findingsOf(workspace)), ['CA_KEY_NOT_ENCRYPTED']);
    const closed = newWorkspace({ passphrase: PASSPHRASE });
    assert.deepEqual(await findingsOf(closed.workspace), []);
    closed.remove();
  });

  unix('mends modes', async () => {
    fs.chmodSync(api().key, 0o644);
    fs.chmodSync(workspace.paths.directory, 0o755);
    const open = (await findingsOf(workspace)).filter(({ code }) => code === 'MODE_TOO_OPEN').map(({ file }) => file);
    assert.deepEqual(open, [workspace.paths.directory, api().key]);
    await isMended('MODE_TOO_OPEN');
  });

  it('mends a bundle that is another', async () => {
    const other = newWorkspace();
    fs.copyFileSync(other.workspace.paths.bundle, workspace.paths.bundle);
    other.remove();
    assert.ok(codesOf(await findingsOf(workspace)).includes('SERVICE_BUNDLE_OLD'));
    await isMended('BUNDLE_NOT_ROOT');
    assert.deepEqual(wrong(await findingsOf(workspace)), []);
  });

  it('mends a rotation that is not what the ledger says, and one that was cut short', async () => {
    const { authority, bundle } = workspace.paths;
    const nowhere = { deployed: [], live: [] };
    await prepareRotation(workspace, { crossSign: true }, clock);
    await activateRotation(workspace, nowhere, clock);
    fs.rmSync(join(authority, 'rotation.json'));
    await isMended('ROTATION_UNRECORDED');
    const both = fs.readFileSync(bundle);
    const { replaced } = await issueOne(workspace, 'api');
    await revoke(workspace, replaced!.serial, 'superseded', clock);
    await retireRotation(workspace, nowhere, clock);
    fs.writeFileSync(bundle, both);
    await isMended('ROTATION_UNFINISHED');
  });

  it('mends the bundle of a service', async () => {
    fs.appendFileSync(api().ca, fs.readFileSync(api().certificate));
    await isMended('SERVICE_BUNDLE_OLD');
  });

  it('has nothing against the key of a service under a passphrase, and says that it did not look inside', async () => {
    await issueOne(workspace, { name: 'web', keyPassphrase: PASSPHRASE });
    const findings = await findingsOf(workspace);
    assert.deepEqual(codesOf(findings), ['CA_KEY_NOT_ENCRYPTED', 'SERVICE_KEY_ENCRYPTED']);
    assert.deepEqual(wrong(findings), []);
  });

  it('sees the key of another CA', async () => {
    const other = newWorkspace();
    fs.copyFileSync(other.workspace.paths.root.key, workspace.paths.root.key);
    other.remove();
    assert.deepEqual(wrong(await findingsOf(workspace)), ['CA_KEY_MISMATCH']);
  });

  it('sees an issuing CA of another root, and a company without its CRL', async () => {
    const [own, other] = [newWorkspace({ issuingCa: true }), newWorkspace({ issuingCa: true })];
    const { issuing, chain } = own.workspace.paths;
    const before = fs.readFileSync(issuing.certificate);
    fs.copyFileSync(other.workspace.paths.issuing.certificate, issuing.certificate);
    assert.ok(codesOf(await findingsOf(own.workspace)).includes('CA_CHAIN_BROKEN'));
    fs.writeFileSync(issuing.certificate, before);
    assert.deepEqual(wrong(await findingsOf(own.workspace)), []);
    fs.copyFileSync(other.workspace.paths.root.certificate, chain);
    assert.deepEqual(wrong(await findingsOf(own.workspace)), ['CA_CHAIN_BROKEN', 'CRL_MISSING']);
    for (const each of [own, other]) each.remove();
  });

  it('hides nothing behind a root and a ledger that are gone', async () => {
    const { root, bundle, ledger } = workspace.paths;
    fs.writeFileSync(root.certificate, 'nothing');
    for (const path of [bundle, ledger]) fs.rmSync(path);
    const findings = await findingsOf(workspace);
    assert.deepEqual(wrong(findings), ['FILE_NOT_FOUND', 'FILE_UNRECOGNIZED']);
    const files = findings.map(({ file }) => file);
    for (const path of [root.certificate, bundle, ledger]) assert.ok(files.includes(path), path);
  });

  it('sees the key of another service', async () => {
    await issueOne(workspace, 'web');
    fs.copyFileSync(servicePaths(workspace, 'web').key, api().key);
    assert.deepEqual(wrong(await findingsOf(workspace)), ['KEY_MISMATCH']);
  });

  it('sees a CRL that is due, late, or not there, and CAs that end', async () => {
    assert.deepEqual(wrong(await findingsOf(workspace, 4 * DAY)), ['CRL_DUE']);
    assert.ok(wrong(await findingsOf(workspace, 8 * DAY)).includes('CRL_LATE'));
    const decade = await findingsOf(workspace, 3650 * DAY - 30 * DAY);
    assert.ok(codesOf(decade).includes('CA_ENDS_SOON'));
    assert.ok(codesOf(await findingsOf(workspace, 40_000 * DAY)).includes('CA_ENDED'));
    fs.rmSync(workspace.paths.root.crl);
    assert.ok(wrong(await findingsOf(workspace)).includes('CRL_MISSING'));
  });

  it('sees that a CRL ends whose key is away', async () => {
    fs.rmSync(workspace.paths.root.key);
    assert.deepEqual(codesOf(await findingsOf(workspace)), ['CRL_ENDS_SOON']);
  });

  it('sees a CRL that is behind the ledger, one that is ahead, and a foreign one', async () => {
    const [crl, ledger] = [workspace.paths.root.crl, workspace.paths.ledger].map((path) => fs.readFileSync(path));
    await refreshCrl(workspace, clock);
    const next = fs.readFileSync(workspace.paths.root.crl);
    fs.writeFileSync(workspace.paths.root.crl, crl!);
    assert.deepEqual(wrong(await findingsOf(workspace)), ['CRL_BEHIND']);
    fs.writeFileSync(workspace.paths.root.crl, next);
    fs.writeFileSync(workspace.paths.ledger, ledger!);
    assert.deepEqual(wrong(await findingsOf(workspace)), ['CRL_AHEAD']);
    const other = newWorkspace();
    fs.copyFileSync(other.workspace.paths.root.crl, workspace.paths.root.crl);
    other.remove();
    assert.ok(wrong(await findingsOf(workspace)).includes('CRL_FOREIGN'));
  });

  it('sees a clock that went back', async () => {
    assert.ok(wrong(await findingsOf(workspace, -2 * DAY)).includes('CLOCK_WENT_BACK'));
  });

  it('sees what is due, revoked or unknown', async () => {
    assert.ok(wrong(await findingsOf(workspace, 61 * DAY)).includes('SERVICE_DUE'));
    const before = fs.readFileSync(workspace.paths.ledger);
    await revoke(workspace, 'api', 'superseded', clockAt(1000));
    assert.deepEqual(wrong(await findingsOf(workspace, 2000)), ['SERVICE_REVOKED']);
    fs.writeFileSync(workspace.paths.ledger, before.subarray(0, before.indexOf('\n{"event":"issued"') + 1));
    assert.ok(codesOf(await findingsOf(workspace, 2000)).includes('SERVICE_UNKNOWN'));
  });

  it('sees a broken line of the ledger, and that nothing else is hidden by it', async () => {
    const text = fs.readFileSync(workspace.paths.ledger, 'utf8');
    fs.writeFileSync(workspace.paths.ledger, text.replace('\n', '\nnonsense\n'));
    fs.rmSync(join(workspace.paths.directory, '.gitignore'));
    assert.deepEqual(wrong(await findingsOf(workspace)), ['GITIGNORE_MISSING', 'LEDGER_BROKEN']);
  });

  it('sees settings, a policy and a profile that cannot be read, all at once', async () => {
    fs.writeFileSync(workspace.paths.settings, '{}');
    fs.writeFileSync(workspace.paths.policy, 'no: such\n');
    fs.mkdirSync(workspace.paths.profiles);
    fs.writeFileSync(join(workspace.paths.profiles, 'web.yaml'), '[');
    const findings = await findingsOf(workspace);
    assert.deepEqual(wrong(findings), ['POLICY_INVALID', 'WORKSPACE_INVALID']);
    assert.equal(findings.filter(({ code }) => code === 'POLICY_INVALID').length, 2);
  });

  it('puts back a .gitignore that is not there', async () => {
    fs.rmSync(join(workspace.paths.directory, '.gitignore'));
    await isMended('GITIGNORE_MISSING');
  });

  it('takes keys out of git', async function () {
    if (findProgram('git') === undefined) this.skip();
    const git = (...words: string[]) => assert.equal(spawnSync('git', ['-C', made.parent, ...words]).status, 0);
    git('init', '--quiet');
    assert.deepEqual(wrong(await findingsOf(workspace)), []);
    fs.rmSync(join(workspace.paths.directory, '.gitignore'));
    assert.deepEqual(wrong(await findingsOf(workspace)), ['GITIGNORE_MISSING', 'KEY_NOT_IGNORED']);
    git('add', '--all');
    await isMended('KEY_IN_GIT');
    await isMended('KEY_NOT_IGNORED');
  });

  it('sees what killed processes left, and not while somebody is at it', async () => {
    fs.writeFileSync(workspace.paths.lock, staleLock());
    fs.writeFileSync(join(workspace.paths.authority, '.mtls-0123456789ab.tmp'), '');
    fs.appendFileSync(workspace.paths.ledger, '{"event"');
    fs.mkdirSync(join(workspace.paths.services, 'api', '..0123456789ab'));
    const left = ['LEDGER_TORN', 'LEFTOVER', 'LOCK_STALE'];
    assert.deepEqual(codesOf(await findingsOf(workspace)), ['CA_KEY_NOT_ENCRYPTED', ...left]);
    assert.equal((await findingsOf(workspace)).filter(({ code }) => code === 'LEFTOVER').length, 2);
    fs.writeFileSync(workspace.paths.lock, JSON.stringify({ pid: process.pid, host: (await import('node:os')).hostname() }));
    assert.deepEqual(codesOf(await findingsOf(workspace)), ['CA_KEY_NOT_ENCRYPTED', 'LEDGER_TORN']);
  });

  it('examines services elsewhere by their own files', async () => {
    const elsewhere = join(made.parent, 'deploy');
    fs.cpSync(api().directory, elsewhere, { recursive: true, dereference: true });
    fs.writeFileSync(join(elsewhere, 'ca.crt'), 'nothing');
    const findings = await findingsOf(workspace, 0, [elsewhere, join(made.parent, 'nowhere')]);
    assert.ok(codesOf(findings).includes('FILE_UNRECOGNIZED') && codesOf(findings).includes('FILE_NOT_FOUND'), codesOf(findings).join(' '));
  });
});

describe('the codes of the doctor', () => {
  it('are each provoked above', () => {
    const text = fs.readFileSync(fileURLToPath(import.meta.url), 'utf8');
    assert.deepEqual(
      Object.keys(DOCTOR_FINDINGS).filter((code) => !text.includes(`'${code}'`)),
      [],
    );
  });
});
