import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { caId, casOf, everyCaOf, openCas } from '../../../src/authority/cas/cas.js';
import { crlPaths, dueCas, readWorkspaceCrls, refreshCrls, writeCrl } from '../../../src/authority/revocation/crl.js';
import { asConstraints } from '../../../src/authority/cas/constraints.js';
import { initializeWorkspace } from '../../../src/authority/cas/initialize.js';
import { takeCas } from '../../../src/authority/cas/make-cas.js';
import { issueCertificates } from '../../../src/authority/issue/issue.js';
import { readLedger } from '../../../src/authority/ledger/ledger.js';
import { USUAL_BEFORE, knownTo, renewService, renewables } from '../../../src/authority/renew/renew.js';
import { releaseCertificates, revokeCertificates } from '../../../src/authority/revocation/revoke.js';
import { activateRotation, cancelRotation, prepareRotation, retireRotation, standingOf } from '../../../src/authority/rotation/index.js';
import { burnRoot, sealRoot, unsealRoot } from '../../../src/authority/cas/seal.js';
import { verifyLedger } from '../../../src/authority/ledger/verify-ledger.js';
import { type Workspace, openWorkspace, servicePaths } from '../../../src/authority/workspace.js';
import { findRevoked } from '../../../src/pki/crl.js';
import { isEncryptedKey, isKeyOf, readPrivateKey } from '../../../src/pki/key.js';
import { readCertificates } from '../../../src/pki/material.js';
import { OID } from '../../../src/pki/oids.js';
import { isSameName } from '../../../src/pki/name.js';
import { verify } from '../../../src/validate/verify.js';
import { openssl } from '../../pki/other-tools.js';
import { AT, DAY } from '../../support/chains.js';
import { failure } from '../../support/failure.js';
import { temporaryDirectory } from '../../support/material.js';
import { findProgram, needs } from '../../support/programs.js';
import { workspaceAt } from '../key-child.js';

const clock = (): Date => AT;
const NOWHERE = { deployed: [], live: [] };
const SHAPES = [
  ['a root alone', {}],
  ['a root and an issuing CA', { issuingCa: true }],
] as const;

describe('the rotation of a root', function () {
  this.timeout(60_000);
  const directory = temporaryDirectory();
  after(directory.remove);

  let made = 0;
  function newWorkspace(options: Partial<Parameters<typeof initializeWorkspace>[0]> = {}): Workspace {
    const place = join(directory.path, String(made++), '.mtls');
    initializeWorkspace({ directory: place, trustDomain: 'shop.test', clock, ...options });
    return openWorkspace(place, place);
  }
  const chainOf = ({ paths }: Workspace, name: string) => readCertificates(servicePaths({ paths }, name).certificate);
  const bundleOf = ({ paths }: Workspace, name: string) => readCertificates(servicePaths({ paths }, name).ca);
  const rotations = ({ paths }: Workspace) =>
    readLedger(paths.ledger).flatMap((entry) => ('replaces' in entry ? [[entry.event, entry.key, entry.replaces]] : []));
  const prepare = (workspace: Workspace) => prepareRotation(workspace, { crossSign: true }, clock);
  const renewAll = async (workspace: Workspace, names: readonly string[]) => {
    for (const name of names) await renewService(workspace, name, knownTo(workspace), { clock });
  };

  for (const [shape, options] of SHAPES) {
    describe(`with ${shape}`, () => {
      let workspace: Workspace;
      let was: ReturnType<typeof casOf>;
      let oldFiles: string;
      beforeEach(async () => {
        workspace = newWorkspace(options);
        await issueCertificates(workspace, [{ name: 'api' }, { name: 'web' }], clock);
        was = casOf(workspace.paths);
        oldFiles = workspace.paths.root.certificate;
      });

      it('prepared: the new root has the name of the old one and another key, is trusted by all here, and signs nothing', async () => {
        const { standing, spread, isCrossSigned } = await prepare(workspace);
        assert.deepEqual([standing.state, isCrossSigned, spread!.updated], ['prepared', true, ['api', 'web']]);
        const [old, next] = [standing.current.certificate, standing.other!.certificate];
        assert.ok(isSameName(old.subject, next.subject));
        assert.notEqual(caId(old), caId(next));
        assert.deepEqual(next.basicConstraints, old.basicConstraints);
        assert.equal(next.notAfter, old.notAfter);
        for (const name of ['api', 'web']) assert.deepEqual(bundleOf(workspace, name).map(caId), [caId(old), caId(next)]);
        await issueCertificates(workspace, [{ name: 'later' }], clock);
        assert.equal(chainOf(workspace, 'later')[0]!.authorityKeyId, caId(was.at(-1)!.certificate));
        assert.deepEqual(rotations(workspace), [['prepared', caId(next), caId(old)]]);
      });

      it('activated: who knows only the old root, and who knows only the new one, accept what is issued now', async () => {
        await prepare(workspace);
        const { standing } = await activateRotation(workspace, NOWHERE, clock);
        await renewAll(workspace, ['api']);
        const [leaf, ...intermediates] = chainOf(workspace, 'api');
        const crls = readWorkspaceCrls(workspace.paths);
        for (const root of [standing.current, standing.other!]) {
          const verdict = verify({ leaf: leaf!, intermediates, roots: [root.certificate], crls, revocation: 'required', at: AT });
          assert.deepEqual(verdict.errors, []);
        }
        assert.equal(leaf!.authorityKeyId, caId(casOf(workspace.paths).at(-1)!.certificate));
      });

      it('has a CRL of every CA from the first minute, and signs those of both generations', async () => {
        await prepare(workspace);
        assert.equal(crlPaths(workspace.paths).length, 2 * was.length);
        await activateRotation(workspace, NOWHERE, clock);
        const { serial } = chainOf(workspace, 'web')[0]!;
        const { crls } = await revokeCertificates(workspace, { what: 'web' }, 'keyCompromise', clock);
        // both keys of one name say it; issuing CAs have names of their own
        assert.equal(crls.length, was.length === 1 ? 2 : 1);
        assert.equal(caId(crls[0]!.ca.certificate), caId(was.at(-1)!.certificate));
        for (const { crl } of crls) assert.ok(findRevoked(crl, serial));
        const refreshed = await refreshCrls(workspace, clock);
        assert.equal(refreshed.length, 2 * was.length);
        // each speaks for its own name, and for no other CA's
        const concerned = refreshed.filter(({ crl }) => findRevoked(crl, serial) !== undefined);
        assert.deepEqual(concerned.map(({ ca }) => ca.paths.crl).sort(), crls.map(({ ca }) => ca.paths.crl).sort());
      });

      it('lifts a hold in the CRLs of both keys', async () => {
        await prepare(workspace);
        const { serial } = chainOf(workspace, 'web')[0]!;
        await revokeCertificates(workspace, { what: 'web' }, 'certificateHold', clock);
        await activateRotation(workspace, NOWHERE, clock);
        await releaseCertificates(workspace, { what: 'web' }, clock);
        for (const crl of readWorkspaceCrls(workspace.paths)) assert.equal(findRevoked(crl, serial), undefined);
      });

      it('is not retired while a certificate below the old root is alive, which is named; then the old key is gone', async () => {
        await prepare(workspace);
        await activateRotation(workspace, NOWHERE, clock);
        const first = chainOf(workspace, 'web')[0]!;
        assert.ok(
          renewables(workspace, USUAL_BEFORE, () => assert.fail()).every(({ due }) => due <= AT.getTime()),
          'all are due',
        );
        await renewAll(workspace, ['api', 'web']);
        const refused = await retireRotation(workspace, NOWHERE, clock);
        assert.deepEqual(
          refused.blockers.map(({ code, service }) => [code, service]),
          [
            ['CERTIFICATE_ALIVE', 'api'],
            ['CERTIFICATE_ALIVE', 'web'],
          ],
        );
        assert.ok(refused.blockers.some(({ where }) => where === first.serial.replace(/^00/, '')));
        assert.equal(standingOf(workspace).state, 'activated');
        for (const entry of readLedger(workspace.paths.ledger))
          if (entry.event === 'issued' && entry.issuer === caId(was.at(-1)!.certificate))
            await revokeCertificates(workspace, { what: entry.serial }, 'superseded', clock);
        const { standing, blockers } = await retireRotation(workspace, NOWHERE, clock);
        assert.deepEqual([blockers, standing.state, standing.other], [[], 'steady', undefined]);
        for (const { paths } of was) assert.equal(existsSync(paths.key), false, paths.key);
        assert.deepEqual(bundleOf(workspace, 'web').map(caId), [caId(standing.current.certificate)]);
        assert.deepEqual(readCertificates(workspace.paths.bundle).map(caId), [caId(standing.current.certificate)]);
        assert.equal(crlPaths(workspace.paths).length, was.length);
        await renewAll(workspace, ['web']);
        assert.equal(chainOf(workspace, 'web').length, was.length, 'what the old root signed is sent no more');
        assert.equal((await verifyLedger(workspace.paths.ledger)).bad, null);
        assert.deepEqual(
          rotations(workspace).map(([event]) => event),
          ['prepared', 'activated', 'retired'],
        );
      });

      describe('by certtool', () => {
        before(needs('certtool'));
        it('is accepted by who trusts the new root; that the cross certificate is self-issued, GnuTLS does not heed', async () => {
          // it verifies at the present alone
          const present = (): Date => new Date();
          const { paths } = newWorkspace({ ...options, clock: present });
          const here = openWorkspace(paths.directory, paths.directory);
          const old = paths.root.certificate;
          await issueCertificates(here, [{ name: 'web' }], present);
          await prepareRotation(here, { crossSign: true }, present);
          await activateRotation(here, NOWHERE, present);
          await issueCertificates(here, [{ name: 'api' }], present);
          const verdict = (trust: string, name: string): string => {
            const files = ['--load-ca-certificate', trust, '--infile', servicePaths(here, name).certificate];
            return spawnSync(findProgram('certtool')!, ['--verify', ...files], { encoding: 'utf8' }).stdout;
          };
          assert.match(verdict(paths.root.certificate, 'api'), /Chain verification output: Verified/);
          for (const name of ['api', 'web']) assert.match(verdict(paths.bundle, name), /Chain verification output: Verified/);
          assert.match(verdict(old, 'api'), /violates the signer's constraints/);
        });
      });

      describe('by openssl', () => {
        before(needs('openssl'));
        it('is accepted on both sides, with all CRLs, strictly', async () => {
          await prepare(workspace);
          await activateRotation(workspace, NOWHERE, clock);
          await renewAll(workspace, ['api']);
          const now = ['-attime', String(AT.getTime() / 1000)];
          const crls = crlPaths(workspace.paths).flatMap((path) => ['-CRLfile', path]);
          const { certificate } = servicePaths(workspace, 'api');
          const old = servicePaths(workspace, 'web').certificate;
          for (const root of [oldFiles, workspace.paths.root.certificate]) {
            const trust = ['-CAfile', root, '-x509_strict', '-crl_check_all', ...crls, ...now];
            assert.match(openssl(['verify', ...trust, '-untrusted', certificate, certificate]), /OK/);
          }
          const both = ['-CAfile', workspace.paths.bundle, '-x509_strict', '-crl_check_all', ...crls, ...now];
          assert.match(openssl(['verify', ...both, '-untrusted', old, old]), /OK/);
        });
      });
    });
  }

  it('begins with a CRL that says what the old root has revoked', async () => {
    const workspace = newWorkspace();
    await issueCertificates(workspace, [{ name: 'api' }], clock);
    await revokeCertificates(workspace, { what: 'api' }, 'keyCompromise', clock);
    await prepare(workspace);
    const [old, next] = readWorkspaceCrls(workspace.paths);
    assert.ok(old.revoked.equals(next!.revoked) && next!.revoked.length > 0);
    assert.deepEqual(dueCas(workspace.paths, everyCaOf(workspace.paths), AT), []);
    // killed between the two: the one that was left behind is due
    await issueCertificates(workspace, [{ name: 'web' }], clock);
    const [other, signer] = await openCas(workspace);
    const { serial, notAfter } = chainOf(workspace, 'web')[0]!;
    const later = new Date(AT.getTime() + 60_000);
    const entry = { event: 'revoked', at: later, serial, issuer: caId(signer!.certificate), notAfter: new Date(notAfter) } as const;
    writeCrl(workspace, signer!, readLedger(workspace.paths.ledger), [{ ...entry, reason: 'keyCompromise' }], later);
    assert.deepEqual(
      dueCas(workspace.paths, everyCaOf(workspace.paths), later).map(({ paths }) => paths.crl),
      [other!.paths.crl],
    );
  });

  it('goes on to a third root, and its files have names of their own', async () => {
    const workspace = newWorkspace();
    for (const generation of [2, 3]) {
      await prepare(workspace);
      await activateRotation(workspace, NOWHERE, clock);
      assert.match(workspace.paths.root.crl, new RegExp(`root-${generation}\\.crl$`));
      await retireRotation(workspace, NOWHERE, clock);
    }
    assert.deepEqual(
      readdirSync(workspace.paths.authority).filter((name) => name.endsWith('.key')),
      ['root-3.key'],
    );
  });

  it('takes its steps in their order only', async () => {
    const workspace = newWorkspace();
    const refused = (step: () => Promise<unknown>) => failure('ROTATION_STATE', step);
    await refused(() => activateRotation(workspace, NOWHERE, clock));
    await refused(() => retireRotation(workspace, NOWHERE, clock));
    await prepare(workspace);
    await refused(() => prepare(workspace));
    await refused(() => retireRotation(workspace, NOWHERE, clock));
    await activateRotation(workspace, NOWHERE, clock);
    await refused(() => prepare(workspace));
    await refused(() => activateRotation(workspace, NOWHERE, clock));
  });

  it('is given up again: the prepared root is trusted no more, and its keys are gone', async () => {
    const workspace = newWorkspace({ issuingCa: true });
    await issueCertificates(workspace, [{ name: 'api' }], clock);
    await prepare(workspace);
    const { standing } = await cancelRotation(workspace, clock);
    assert.deepEqual([standing.state, standing.other], ['steady', undefined]);
    assert.deepEqual(bundleOf(workspace, 'api').map(caId), [caId(standing.current.certificate)]);
    assert.deepEqual(
      readdirSync(workspace.paths.authority).filter((name) => name.endsWith('.key')),
      ['issuing.key', 'root.key'],
    );
    await failure('ROTATION_STATE', () => cancelRotation(workspace, clock));
    await prepare(workspace);
    assert.match(standingOf(workspace).other!.paths.key, /root-3\.key$/);
  });

  it('is not gone on with where rotation.json is not what the ledger says: no key is touched, and the file is told', async () => {
    const workspace = newWorkspace({ issuingCa: true });
    await prepare(workspace);
    await activateRotation(workspace, NOWHERE, clock);
    const path = join(workspace.paths.authority, 'rotation.json');
    const right = readFileSync(path, 'utf8');
    const keys = () => readdirSync(workspace.paths.authority).filter((name) => name.endsWith('.key'));
    const before = keys();
    for (const wrong of [
      undefined,
      '{"current":1}',
      '{"current":2}',
      '{"current":1,"next":2,"old":2}',
      '{"current":1,"next":1}',
      '{"current":0}',
    ]) {
      if (wrong === undefined) rmSync(path);
      else writeFileSync(path, wrong);
      for (const step of [
        () => prepare(workspace),
        () => activateRotation(workspace, NOWHERE, clock),
        () => retireRotation(workspace, NOWHERE, clock),
      ])
        await failure('WORKSPACE_INVALID', step);
      assert.deepEqual(keys(), before, wrong);
    }
    rmSync(path);
    const { hints } = await failure('WORKSPACE_INVALID', async () => standingOf(workspace));
    assert.deepEqual(spawnSync('/bin/sh', ['-c', hints[0]!]).status, 0);
    assert.equal(readFileSync(path, 'utf8').trim(), right.trim());
    assert.equal(standingOf(workspace).state, 'activated');
  });

  it('goes on when the old root, or the prepared one, ends meanwhile', async () => {
    const later = (): Date => new Date(AT.getTime() + 20 * DAY);
    const ending = newWorkspace({ issuingCa: true, validity: 10 * DAY });
    await issueCertificates(ending, [{ name: 'api' }], clock);
    await prepareRotation(ending, { crossSign: true, validity: 400 * DAY }, clock);
    await activateRotation(ending, NOWHERE, clock);
    await issueCertificates(ending, [{ name: 'api' }], clock);
    await issueCertificates(ending, [{ name: 'web' }], later);
    await revokeCertificates(ending, { what: 'web' }, 'superseded', later);
    assert.equal((await refreshCrls(ending, later)).length, 2, 'those of the CAs that have not ended');
    assert.deepEqual((await retireRotation(ending, NOWHERE, later)).blockers, []);
    const waiting = newWorkspace();
    await prepareRotation(waiting, { crossSign: true, validity: 10 * DAY }, clock);
    await issueCertificates(waiting, [{ name: 'api' }], later);
    const { blockers } = await activateRotation(waiting, NOWHERE, later);
    assert.deepEqual(
      blockers.map(({ code }) => code),
      ['CA_NOT_IN_FORCE'],
    );
  });

  it('once over, has a service revoked by its name, and says of what the old root signed that nobody trusts it', async () => {
    const workspace = newWorkspace();
    await issueCertificates(workspace, [{ name: 'web' }], clock);
    const old = chainOf(workspace, 'web')[0]!;
    await prepare(workspace);
    await activateRotation(workspace, NOWHERE, clock);
    await renewAll(workspace, ['web']);
    await revokeCertificates(workspace, { what: old.serial }, 'superseded', clock);
    await retireRotation(workspace, NOWHERE, clock);
    const { revoked } = await revokeCertificates(workspace, { what: 'web', all: true }, 'keyCompromise', clock);
    assert.deepEqual(
      revoked.map(({ serial }) => serial),
      [chainOf(workspace, 'web')[0]!.serial],
    );
    await failure('CA_RETIRED', () => revokeCertificates(workspace, { what: old.serial }, 'keyCompromise', clock));
  });

  it('keeps name constraints, for the root and for the issuing CA', async () => {
    const constraints = asConstraints({ permitDns: ['shop.test'], permitUri: ['spiffe://shop.test'] });
    const workspace = newWorkspace({ issuingCa: true, ...(constraints === undefined ? {} : { constraints }) });
    const constraintsNow = () =>
      casOf(workspace.paths).map(({ certificate }) => certificate.extensions.find(({ oid }) => oid === OID.nameConstraints));
    const before = constraintsNow();
    assert.ok(before.every((each) => each?.critical === true));
    await prepare(workspace);
    await activateRotation(workspace, NOWHERE, clock);
    assert.deepEqual(constraintsNow(), before);
  });

  it('puts the new keys under the passphrase of the old ones', async () => {
    const { paths } = newWorkspace({ issuingCa: true, passphrase: 'open sesame' });
    const workspace = workspaceAt(paths.directory, 'open sesame');
    await prepare(workspace);
    for (const ca of everyCaOf(workspace.paths)) {
      const bytes = readFileSync(ca.paths.key);
      assert.ok(isEncryptedKey(bytes), ca.paths.key);
      assert.ok(isKeyOf(readPrivateKey(bytes, ca.paths.key, 'open sesame'), ca.certificate.publicKey));
    }
  });

  it('keeps each new key as the one in whose place it comes: that of a root that was elsewhere under its passphrase', async () => {
    const { paths } = newWorkspace({ issuingCa: true });
    const workspace = workspaceAt(paths.directory, 'open sesame');
    const out = join(directory.path, 'moved.key');
    await sealRoot(workspace, { out, passphrase: 'open sesame' }, clock);
    await unsealRoot(workspace, out, clock);
    await prepare(workspace);
    const [root, issuing] = everyCaOf(workspace.paths).map((ca) => isEncryptedKey(readFileSync(ca.paths.key)));
    assert.deepEqual([root, issuing], [true, false]);
  });

  describe('of a CA without a key identifier, which openssl made,', () => {
    before(needs('openssl'));
    it('gives the next one another name: both are told apart by everybody', async () => {
      const [path, keyPath] = [join(directory.path, 'corp.crt'), join(directory.path, 'corp.key')];
      const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', keyPath];
      const said = ['basicConstraints=critical,CA:TRUE', 'keyUsage=critical,keyCertSign,cRLSign', 'subjectKeyIdentifier=none'];
      const named = ['-subj', '/CN=corp', ...[...said, 'authorityKeyIdentifier=none'].flatMap((each) => ['-addext', each])];
      openssl(['req', '-x509', ...key, '-out', path, '-days', '365', ...named]);
      const present = (): Date => new Date();
      const certificate = readCertificates(path)[0]!;
      const given = { path, certificate, key: readPrivateKey(readFileSync(keyPath), keyPath), chain: [], crls: [] };
      const { paths } = newWorkspace({ taken: takeCas(given, keyPath, present()), clock: present });
      const workspace = openWorkspace(paths.directory, paths.directory);
      await issueCertificates(workspace, [{ name: 'web' }], present);
      const { standing, isCrossSigned } = await prepareRotation(workspace, { crossSign: true }, present);
      assert.equal(isCrossSigned, false);
      assert.ok(!isSameName(standing.other!.certificate.subject, certificate.subject));
      await activateRotation(workspace, NOWHERE, present);
      await issueCertificates(workspace, [{ name: 'api' }], present);
      for (const name of ['web', 'api'])
        assert.match(openssl(['verify', '-CAfile', workspace.paths.bundle, servicePaths(workspace, name).certificate]), /OK/);
    });
  });

  it('needs the key of the root, unless nothing is cross-signed; and a root that was never ours stays', async () => {
    const workspace = newWorkspace({ issuingCa: true });
    await sealRoot(workspace, { out: join(directory.path, 'sealed.key'), passphrase: 'open sesame' }, clock);
    await failure('ROTATION_NEEDS_KEY', () => prepare(workspace));
    const { isCrossSigned } = await prepareRotation(workspace, { crossSign: false }, clock);
    assert.equal(isCrossSigned, false);
    await activateRotation(workspace, NOWHERE, clock);
    await issueCertificates(workspace, [{ name: 'api' }], clock);
    assert.equal(chainOf(workspace, 'api').length, 2);
    const burnt = newWorkspace({ issuingCa: true });
    await burnRoot(burnt, clock);
    await prepareRotation(burnt, { crossSign: false }, clock);
    // a company's: its key never lay here
    const foreign = newWorkspace({ issuingCa: true });
    rmSync(foreign.paths.root.key);
    await failure('ROOT_NOT_OURS', () => prepareRotation(foreign, { crossSign: false }, clock));
  });

  it('says what its state is when that cannot be read, and changes nothing', async () => {
    const workspace = newWorkspace();
    await prepare(workspace);
    writeFileSync(join(workspace.paths.authority, 'rotation.json'), '{"current":"two"}');
    await failure('WORKSPACE_INVALID', () => activateRotation(workspace, NOWHERE, clock));
  });

  it('of another key type and life is as it was asked for', async () => {
    const workspace = newWorkspace();
    const { standing } = await prepareRotation(workspace, { crossSign: true, keyType: 'ed25519', validity: 400 * DAY }, clock);
    const { publicKey, notAfter } = standing.other!.certificate;
    assert.deepEqual([publicKey.type, notAfter], ['Ed25519', AT.getTime() + 400 * DAY]);
  });

  it('keeps roots that somebody added to the bundle', async () => {
    const workspace = newWorkspace();
    const foreign = newWorkspace({ trustDomain: 'other.test' });
    writeFileSync(workspace.paths.bundle, readFileSync(workspace.paths.bundle, 'latin1') + readFileSync(foreign.paths.bundle, 'latin1'));
    await prepare(workspace);
    await activateRotation(workspace, NOWHERE, clock);
    await retireRotation(workspace, NOWHERE, clock);
    assert.deepEqual(readCertificates(workspace.paths.bundle).map(caId), [
      caId(casOf(workspace.paths)[0].certificate),
      caId(casOf(foreign.paths)[0].certificate),
    ]);
  });
});
