import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { initializeWorkspace } from '../../../src/authority/cas/initialize.js';
import { issueCertificates } from '../../../src/authority/issue/issue.js';
import { knownTo, renewService } from '../../../src/authority/renew/renew.js';
import { activateRotation, planRotation, planView, prepareRotation, retireRotation } from '../../../src/authority/rotation/index.js';
import { type Workspace, servicePaths } from '../../../src/authority/workspace.js';
import { readPolicy } from '../../../src/validate/deployment/index.js';
import { readLedger } from '../../../src/authority/ledger/ledger.js';
import { caId, casOf, openCa } from '../../../src/authority/cas/cas.js';
import { revokeCertificates } from '../../../src/authority/revocation/revoke.js';
import { newKeyPair } from '../../../src/pki/key-write.js';
import { OID } from '../../../src/pki/oids.js';
import { toPem } from '../../../src/pki/pem.js';
import { signCertificate } from '../../../src/pki/sign.js';
import { AT, DAY } from '../../support/chains.js';
import { temporaryDirectory } from '../../support/material.js';

const clock = (): Date => AT;

describe('what stands in the way of a rotation', function () {
  this.timeout(60_000);
  const directory = temporaryDirectory();
  after(directory.remove);

  let made = 0;
  let place: string;
  let workspace: Workspace;
  let deployed: string;
  beforeEach(async () => {
    place = join(directory.path, String(made++));
    mkdirSync(place);
    ({ workspace } = initializeWorkspace({ directory: join(place, '.mtls'), trustDomain: 'shop.test', clock }));
    await issueCertificates(workspace, [{ name: 'api' }, { name: 'web' }, { name: 'pay' }], clock);
    deployed = join(place, 'deployed');
    mkdirSync(deployed);
  });

  /** The files of a service, copied to where they run. */
  function deploy(name: string, extra: Readonly<Record<string, string>> = {}): void {
    const { directory: from } = servicePaths(workspace, name);
    for (const file of ['tls.crt', 'tls.key', 'ca.crt']) {
      mkdirSync(join(deployed, name), { recursive: true });
      cpSync(join(from, file), join(deployed, name, file), { dereference: true });
    }
    for (const [file, text] of Object.entries(extra)) writeFileSync(join(deployed, name, file), text);
  }
  const prepare = (crossSign = true) => prepareRotation(workspace, { crossSign }, clock);
  const activate = (...trees: readonly string[]) => activateRotation(workspace, { deployed: trees, live: [] }, clock);
  const retire = (...trees: readonly string[]) => retireRotation(workspace, { deployed: trees, live: [] }, clock);
  const planned = async (...trees: readonly string[]) => planView(await planRotation(workspace, { deployed: trees }, AT));
  const blockersOf = async (step: ReturnType<typeof activate>) => (await step).blockers.map(({ code, service }) => [code, service]);
  const snapshot = () =>
    readdirSync(workspace.paths.authority)
      .sort()
      .map((name) => [name, readFileSync(join(workspace.paths.authority, name), 'latin1')]);

  describe('on activation', () => {
    it('is a service elsewhere that does not trust the new root, until it is given the bundle', async () => {
      deploy('api');
      deploy('web');
      await prepare();
      const before = snapshot();
      assert.deepEqual(await blockersOf(activate(deployed)), [
        ['ROOT_NOT_TRUSTED', 'api'],
        ['ROOT_NOT_TRUSTED', 'web'],
      ]);
      assert.deepEqual(snapshot(), before, 'nothing was changed');
      writeFileSync(join(deployed, 'api', 'ca.crt'), readFileSync(workspace.paths.bundle));
      assert.deepEqual(await blockersOf(activate(deployed)), [['ROOT_NOT_TRUSTED', 'web']]);
      writeFileSync(join(deployed, 'web', 'ca.crt'), readFileSync(workspace.paths.bundle));
      assert.deepEqual(await blockersOf(activate(deployed)), []);
    });

    it('is a service that asks for CRLs and has none of the new root', async () => {
      deploy('api', { 'ca.crl': readFileSync(workspace.paths.root.crl, 'latin1') });
      await prepare();
      writeFileSync(join(deployed, 'api', 'ca.crt'), readFileSync(workspace.paths.bundle));
      assert.deepEqual(await blockersOf(activate(deployed)), [['CRL_MISSING', 'api']]);
      writeFileSync(join(deployed, 'api', 'new.crl'), readFileSync(join(workspace.paths.authority, 'root-2.crl')));
      assert.deepEqual(await blockersOf(activate(deployed)), []);
    });

    it('is a service here whose ca.crt somebody put back', async () => {
      await prepare();
      const { ca } = servicePaths(workspace, 'web');
      writeFileSync(ca, readFileSync(workspace.paths.root.certificate));
      // what is here is given the bundle by the step itself
      assert.deepEqual(await blockersOf(activate()), []);
      assert.equal(readFileSync(ca, 'latin1'), readFileSync(workspace.paths.bundle, 'latin1'));
    });

    it('is what was seen of services that run', async () => {
      await prepare();
      const live = [
        { endpoint: 'a:1', trustsNew: 'yes', isBelowNew: undefined },
        { endpoint: 'b:2', trustsNew: 'no', isBelowNew: undefined },
        { endpoint: 'c:3', trustsNew: 'untold', isBelowNew: undefined },
      ] as const;
      assert.deepEqual(await blockersOf(activateRotation(workspace, { deployed: [], live }, clock)), [
        ['ROOT_NOT_TRUSTED', 'b:2'],
        ['NOT_TOLD', 'c:3'],
      ]);
    });
  });

  it('on retirement is a service elsewhere that still shows a certificate of the old root', async () => {
    deploy('api');
    await prepare();
    writeFileSync(join(deployed, 'api', 'ca.crt'), readFileSync(workspace.paths.bundle));
    await activate(deployed);
    for (const name of ['api', 'web', 'pay']) await renewService(workspace, name, knownTo(workspace), { clock });
    const found = await blockersOf(retire(deployed));
    assert.deepEqual(
      found.filter(([code]) => code === 'CERTIFICATE_IN_USE'),
      [['CERTIFICATE_IN_USE', 'api']],
    );
    assert.equal(found.filter(([code]) => code === 'CERTIFICATE_ALIVE').length, 3);
  });

  describe('of the CRLs', () => {
    it('is one that has ended', async () => {
      deploy('api', { 'ca.crl': readFileSync(workspace.paths.root.crl, 'latin1') });
      await prepare();
      writeFileSync(join(deployed, 'api', 'ca.crt'), readFileSync(workspace.paths.bundle));
      writeFileSync(join(deployed, 'api', 'new.crl'), readFileSync(join(workspace.paths.authority, 'root-2.crl')));
      const later = (): Date => new Date(AT.getTime() + 8 * DAY);
      const { blockers } = await activateRotation(workspace, { deployed: [deployed], live: [] }, later);
      assert.deepEqual(
        blockers.map(({ code }) => code),
        ['CRL_MISSING'],
      );
    });

    it('is not the bundle where the new root is there by what the old one signed for it', async () => {
      deploy('api');
      await prepare();
      const old = readFileSync(workspace.paths.root.certificate, 'latin1');
      const cross = readFileSync(join(workspace.paths.authority, 'cross-2.crt'), 'latin1');
      writeFileSync(join(deployed, 'api', 'ca.crt'), old + cross);
      assert.deepEqual(await blockersOf(activate(deployed)), [['ROOT_NOT_TRUSTED', 'api']]);
    });
  });

  it('on retirement is what the ledger does not know, and one on hold', async () => {
    deploy('api');
    // somebody signed it with the key of the root, elsewhere
    const foreign = signCertificate(
      {
        subject: [[OID.commonName, 'foreign']],
        publicKey: newKeyPair('ecdsa-p256').publicKey,
        ...{ notBefore: new Date(AT.getTime() - DAY), notAfter: new Date(AT.getTime() + 30 * DAY), keyUsage: ['digitalSignature'] },
      },
      await openCa(casOf(workspace.paths)[0], undefined),
    );
    writeFileSync(join(deployed, 'api', 'tls.crt'), toPem('CERTIFICATE', foreign.der));
    await prepare();
    writeFileSync(join(deployed, 'api', 'ca.crt'), readFileSync(workspace.paths.bundle));
    await activate(deployed);
    for (const name of ['api', 'web', 'pay']) await renewService(workspace, name, knownTo(workspace), { clock });
    const ledger = readLedger(workspace.paths.ledger);
    const old = ledger.flatMap((entry) =>
      entry.event === 'issued' && entry.issuer === caId(casOf(workspace.paths)[0].certificate)
        ? []
        : entry.event === 'issued'
          ? [entry]
          : [],
    );
    for (const [i, { serial }] of old.entries())
      await revokeCertificates(workspace, { what: serial }, i === 0 ? 'certificateHold' : 'superseded', clock);
    assert.deepEqual(await blockersOf(retire(deployed)), [
      ['CERTIFICATE_ALIVE', 'api'],
      ['CERTIFICATE_IN_USE', 'api'],
    ]);
  });

  it('on retirement has a remedy that mends it, for what a service shows and for what it showed once', async () => {
    await prepare();
    await activate();
    await renewService(workspace, 'web', knownTo(workspace), { clock });
    const { blockers } = await retire();
    const remedies = Object.fromEntries(blockers.map(({ service, remedy }) => [service, remedy]));
    assert.match(remedies['api']!, /^mtls renew api --revoke-old/);
    assert.match(
      remedies['web']!,
      new RegExp(`^mtls revoke ${blockers.find(({ service }) => service === 'web')!.where} --reason superseded`),
    );
  });

  describe('as a plan tells it', () => {
    it('is nothing where everybody is here, and a plan changes nothing', async () => {
      const before = snapshot();
      const { steps, edges, crossSigned } = await planned();
      assert.deepEqual([edges, crossSigned], [6, true]);
      assert.deepEqual(
        steps,
        ['prepare', 'activate', 'retire'].map((step) => ({ step, blockers: [], broken: [] })),
      );
      assert.deepEqual(snapshot(), before);
    });

    it('is, with cross-signing, who breaks when the old root is retired', async () => {
      for (const name of ['api', 'web']) deploy(name);
      const { steps, edges } = await planned(deployed);
      assert.equal(edges, 2);
      assert.deepEqual(
        steps.map(({ step, broken }) => [step, broken.map(({ client, server, by }) => [client, server, by])]),
        [
          ['prepare', []],
          ['activate', []],
          [
            'retire',
            [
              ['api', 'web', 'api'],
              ['web', 'api', 'web'],
            ],
          ],
        ],
      );
      assert.equal(steps[2]!.broken[0]!.bundle, join(deployed, 'api', 'ca.crt'));
      // nobody told them by then, and so activate will wait
      assert.deepEqual(
        steps[1]!.blockers.map(({ code, service }) => [code, service]),
        [
          ['ROOT_NOT_TRUSTED', 'api'],
          ['ROOT_NOT_TRUSTED', 'web'],
        ],
      );
    });

    it('is, without cross-signing, who breaks as soon as the new root signs; what the steps then do bears it out', async () => {
      deploy('api');
      await prepare(false);
      const { steps, crossSigned } = await planned(deployed, workspace.paths.services);
      assert.equal(crossSigned, false);
      const [activation] = steps;
      assert.equal(activation!.step, 'activate');
      const refusing = new Set(activation!.broken.map(({ by }) => by));
      assert.equal(refusing.size, 1);
      assert.ok(
        activation!.broken.length > 0 &&
          activation!.broken.every(({ code }) => code === 'SIGNATURE_INVALID' || code === 'ISSUER_NOT_FOUND'),
      );
    });

    it('is nobody on activation who has the CRL of the old root alone: the cross certificate leads to it, and it speaks for the name', async () => {
      for (const name of ['api', 'web']) deploy(name, { 'ca.crl': readFileSync(workspace.paths.root.crl, 'latin1') });
      const { steps } = await planned(deployed);
      assert.deepEqual(
        steps.map(({ step, broken }) => [step, broken.map(({ code }) => code)]),
        [
          ['prepare', []],
          ['activate', []],
          ['retire', ['ISSUER_NOT_FOUND', 'ISSUER_NOT_FOUND']],
        ],
      );
    });

    it('leaves out who is not meant to talk', async () => {
      for (const name of ['api', 'web']) deploy(name);
      const links = join(place, 'links');
      writeFileSync(links, 'web -> api\nwbe -> api\n');
      const plan = planView(await planRotation(workspace, { deployed: [deployed], policyOf: (all) => readPolicy(links, all) }, AT));
      assert.equal(plan.edges, 1);
      assert.deepEqual(
        plan.unmatched.map(({ code }) => code),
        ['POLICY_UNMATCHED'],
      );
      assert.deepEqual(
        plan.steps[2]!.broken.map(({ client, server }) => [client, server]),
        [['web', 'api']],
      );
    });
  });
});
