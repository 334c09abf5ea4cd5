import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { caId, casOf, everyCaOf } from '../../../src/authority/cas/cas.js';
import { readWorkspaceCrls } from '../../../src/authority/revocation/crl.js';
import { initializeWorkspace } from '../../../src/authority/cas/initialize.js';
import { issueCertificates } from '../../../src/authority/issue/issue.js';
import { revokeCertificates } from '../../../src/authority/revocation/revoke.js';
import { readLedger } from '../../../src/authority/ledger/ledger.js';
import { activateRotation, prepareRotation, standingOf } from '../../../src/authority/rotation/index.js';
import { verifyLedger } from '../../../src/authority/ledger/verify-ledger.js';
import { type Workspace, openWorkspace, serviceNames, servicePaths } from '../../../src/authority/workspace.js';
import { isError } from '../../../src/errors.js';
import { isKeyOf, readPrivateKey } from '../../../src/pki/key.js';
import { readCertificates } from '../../../src/pki/material.js';
import { verify } from '../../../src/validate/verify.js';
import { AT } from '../../support/chains.js';
import { temporaryDirectory } from '../../support/material.js';
import { readFileSync } from 'node:fs';
import { type KeyTask, perform } from '../key-child.js';
import { killEverywhere } from '../killing.js';

const clock = (): Date => AT;
const NOWHERE = { deployed: [], live: [] };
const STEPS = ['prepare', 'activate', 'retire'] as const;

describe('a step of a rotation that is killed anywhere', function () {
  this.timeout(300_000);
  const directory = temporaryDirectory();
  after(directory.remove);

  /** Workspaces in which a step is the next one, one for each. */
  const templates: Record<(typeof STEPS)[number], string> = { prepare: '', activate: '', retire: '' };
  before(async () => {
    const copyOf = (place: string, name: string): string => {
      const copy = join(directory.path, name);
      cpSync(place, copy, { recursive: true, verbatimSymlinks: true });
      return copy;
    };
    const place = join(directory.path, 'template');
    mkdirSync(place);
    const { workspace } = initializeWorkspace({ directory: join(place, '.mtls'), trustDomain: 'shop.test', issuingCa: true, clock });
    await issueCertificates(workspace, [{ name: 'api' }], clock);
    templates.prepare = copyOf(place, 'prepare');
    await prepareRotation(workspace, { crossSign: true }, clock);
    templates.activate = copyOf(place, 'activate');
    await activateRotation(workspace, NOWHERE, clock);
    const old = readLedger(workspace.paths.ledger).find((entry) => entry.event === 'issued');
    await issueCertificates(workspace, [{ name: 'api' }], clock);
    await revokeCertificates(workspace, { what: old!.serial }, 'superseded', clock);
    templates.retire = copyOf(place, 'retire');
  });

  /** All that must hold of it at any instant, and of what its service shows. */
  async function assertWhole({ paths }: Workspace): Promise<void> {
    assert.equal((await verifyLedger(paths.ledger)).bad, null);
    const roots = readCertificates(paths.bundle);
    assert.ok(
      roots.some((root) => caId(root) === caId(casOf(paths)[0].certificate)),
      'the root that signs is trusted',
    );
    for (const ca of casOf(paths)) assert.ok(isKeyOf(readPrivateKey(readFileSync(ca.paths.key), ca.paths.key), ca.certificate.publicKey));
    const service = servicePaths({ paths }, 'api');
    const [leaf, ...intermediates] = readCertificates(service.certificate);
    assert.ok(isKeyOf(readPrivateKey(readFileSync(service.key), service.key), leaf!.publicKey));
    const crls = readWorkspaceCrls(paths);
    const verdict = verify({ leaf: leaf!, intermediates, roots: readCertificates(service.ca), crls, revocation: 'required', at: AT });
    assert.deepEqual(verdict.errors, []);
  }

  for (const act of STEPS) {
    it(`(${act}) leaves a workspace that is before it or after it, and the same step brings it to its end`, async () => {
      let copies = 0;
      const place = (): string => {
        const copy = join(directory.path, `${act}-${copies++}`);
        cpSync(templates[act], copy, { recursive: true, verbatimSymlinks: true });
        return copy;
      };
      const task = (at: string): KeyTask => ({ act, directory: join(at, '.mtls'), now: AT.getTime() });
      await killEverywhere(task, place, async (done, at) => {
        const workspace = openWorkspace(join(at, '.mtls'), at);
        await assertWhole(workspace);
        const expected = { prepare: 'prepared', activate: 'activated', retire: 'steady' }[act];
        // what is done already is said to be; its rest is done all the same
        await perform(done).catch((error: unknown) => assert.ok(isError(error, 'ROTATION_STATE'), String(error)));
        assert.equal(standingOf(workspace).state, expected);
        await assertWhole(workspace);
        const keys = readdirSync(workspace.paths.authority).filter((name) => name.endsWith('.key'));
        assert.equal(keys.length, everyCaOf(workspace.paths).length, 'no key of a CA that has no part in it');
        const bundle = readFileSync(workspace.paths.bundle, 'latin1');
        for (const name of serviceNames(workspace)) assert.equal(readFileSync(servicePaths(workspace, name).ca, 'latin1'), bundle);
        assert.equal(readdirSync(workspace.paths.authority).filter((name) => name.endsWith('.tmp')).length, 0);
      });
    });
  }
});
