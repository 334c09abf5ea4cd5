import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Ajv from 'ajv';
import { type Workspace, servicePaths } from '../../src/authority/workspace.js';
import { DAY } from '../../src/base/duration.js';
import { issueOne, newWorkspace, staleLock } from '../authority/support.js';
import { findProgram } from '../support/programs.js';
import { mtls } from '../support/session.js';

const FORMATS = new URL('../render/formats/schemas/', import.meta.url);
const json = (path: string | URL): object => JSON.parse(fs.readFileSync(path, 'utf8')) as object;

interface Finding {
  readonly code: string;
  readonly file: string;
  readonly remedy: string | null;
}

describe('mtls doctor', function () {
  this.timeout(120_000);
  let made: ReturnType<typeof newWorkspace>;
  let workspace: Workspace;
  const made70DaysAgo = () => new Date(Date.now() - 70 * DAY);
  beforeEach(async () => {
    made = newWorkspace({ clock: made70DaysAgo });
    workspace = made.workspace;
    await issueOne(workspace, { name: 'api', namespace: 'billing', profile: 'server', dns: ['api.shop.test'] }, made70DaysAgo);
  });
  afterEach(() => made.remove());

  const doctor = (...args: readonly string[]) => mtls(['doctor', ...args], { cwd: made.parent });
  async function findings(): Promise<Finding[]> {
    const { stdout } = await doctor('--json');
    return (JSON.parse(stdout) as { checks: { findings: Finding[] }[] }).checks.flatMap((check) => check.findings);
  }
  const codes = async (): Promise<string[]> => [...new Set((await findings()).map(({ code }) => code))].sort();

  /** Runs the first command that is told to mend a code. */
  async function mend(code: string): Promise<void> {
    const remedy = (await findings()).find((finding) => finding.code === code)?.remedy ?? '';
    assert.match(remedy, /^mtls [a-z -]/);
    const { code: exit, stderr } = await mtls(remedy.split(' ').slice(1), { cwd: made.parent });
    assert.equal(exit, 0, stderr);
  }

  it('exits 1 when something is wrong, and 0 when it was mended as it said', async () => {
    assert.deepEqual(await codes(), ['CA_KEY_NOT_ENCRYPTED', 'CRL_LATE', 'SERVICE_DUE']);
    assert.equal((await doctor()).code, 1);
    await mend('CRL_LATE');
    await mend('SERVICE_DUE');
    const { code, stdout } = await doctor();
    assert.equal(code, 0, stdout);
    assert.match(stdout, /0 errors, 0 warnings, 1 notice\n$/);
  });

  it('has the next certificate issued with the names and the profile of the last one', async () => {
    await mend('SERVICE_DUE');
    const listed = JSON.parse((await mtls(['list', '--name', 'api', '--json'], { cwd: made.parent })).stdout) as {
      certificates: { namespace: string; profile: string }[];
    };
    assert.deepEqual(
      listed.certificates.map(({ namespace, profile }) => [namespace, profile]),
      [['billing', 'server']],
    );
    const text = (await mtls(['inspect', servicePaths(workspace, 'api').certificate], { cwd: made.parent })).stdout;
    assert.match(text, /api\.shop\.test/);
  });

  it('has what killed processes left taken over by the next command that writes', async () => {
    fs.writeFileSync(workspace.paths.lock, staleLock());
    fs.writeFileSync(join(workspace.paths.authority, '.mtls-0123456789ab.tmp'), '');
    fs.appendFileSync(workspace.paths.ledger, '{"event"');
    assert.deepEqual(
      (await codes()).filter((code) => ['LEDGER_TORN', 'LEFTOVER', 'LOCK_STALE'].includes(code)),
      ['LEDGER_TORN', 'LEFTOVER', 'LOCK_STALE'],
    );
    await mend('LOCK_STALE');
    assert.deepEqual(await codes(), ['CA_KEY_NOT_ENCRYPTED', 'SERVICE_DUE']);
  });

  it('examines a workspace that every other command refuses', async function () {
    if (process.platform === 'win32') this.skip();
    fs.chmodSync(workspace.paths.directory, 0o755);
    assert.equal((await mtls(['list'], { cwd: made.parent })).code, 2);
    assert.ok((await codes()).includes('MODE_TOO_OPEN'));
  });

  it('exits 2 where there is no workspace', async () => {
    assert.equal((await doctor('--workspace', join(made.parent, 'none'))).code, 2);
  });

  it('is valid as JUnit and as SARIF', async () => {
    const junit = await doctor('--format', 'junit');
    assert.equal(junit.code, 1);
    if (findProgram('xmllint') !== undefined) {
      const schema = fileURLToPath(new URL('junit.xsd', FORMATS));
      const { status, stderr } = spawnSync('xmllint', ['--noout', '--schema', schema, '-'], { input: junit.stdout, encoding: 'utf8' });
      assert.equal(status, 0, stderr);
    }
    const ajv = new Ajv({ schemaId: 'id', meta: false, allErrors: true });
    ajv.addMetaSchema(json(new URL('../../node_modules/ajv/lib/refs/json-schema-draft-04.json', import.meta.url)));
    const isSarif = ajv.compile(json(new URL('sarif-2.1.0.json', FORMATS)));
    assert.ok(isSarif(JSON.parse((await doctor('--format', 'sarif')).stdout)), ajv.errorsText(isSarif.errors));
  });

  it('tells a pipeline of each part, and what mends it', async () => {
    assert.match((await doctor('--format', 'tap')).stdout, /^not ok \d+ - crls: /m);
    assert.match((await doctor('--format', 'github')).stdout, /^::error .*CRL_LATE.*mtls crl --workspace/m);
  });
});
