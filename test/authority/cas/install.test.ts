import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { casOf, chainOf, isWaiting } from '../../../src/authority/cas/cas.js';
import { readWorkspaceCrls, refreshCrls } from '../../../src/authority/revocation/crl.js';
import { initializeWorkspace } from '../../../src/authority/cas/initialize.js';
import { type InstallOptions, installCa } from '../../../src/authority/cas/install.js';
import { issueCertificates } from '../../../src/authority/issue/issue.js';
import { readLedger } from '../../../src/authority/ledger/ledger.js';
import { listCertificates } from '../../../src/authority/ledger/list.js';
import { changePassphrase } from '../../../src/authority/cas/passphrase.js';
import { requestWorkspace } from '../../../src/authority/cas/request.js';
import { revokeCertificates } from '../../../src/authority/revocation/revoke.js';
import { sealRoot } from '../../../src/authority/cas/seal.js';
import { type Workspace, existingService, servicePaths } from '../../../src/authority/workspace.js';
import { provesPossession } from '../../../src/pki/csr.js';
import { KEY_TYPES } from '../../../src/pki/key.js';
import { crlsIn, csrIn, readCertificates } from '../../../src/pki/material.js';
import { labelOf } from '../../../src/pki/name.js';
import { verify } from '../../../src/validate/verify.js';
import { openssl } from '../../pki/other-tools.js';
import { failure } from '../../support/failure.js';
import { temporaryDirectory } from '../../support/material.js';
import { needs } from '../../support/programs.js';
import { company } from '../company.js';
import { type KeyTask, perform, workspaceAt } from '../key-child.js';
import { killEverywhere } from '../killing.js';

const clock = (): Date => new Date();

describe("a CA that a company's CA signs", function () {
  this.timeout(60_000);
  before(needs('openssl'));
  const directory = temporaryDirectory();
  let firm: ReturnType<typeof company>;
  before(() => void (firm = company()));
  after(() => {
    directory.remove();
    firm?.remove();
  });

  let made = 0;
  const place = (): string => {
    const path = join(directory.path, String(made++));
    mkdirSync(path);
    return path;
  };
  const requested = (options: Partial<Parameters<typeof requestWorkspace>[0]> = {}): Workspace =>
    requestWorkspace({ directory: join(place(), '.mtls'), trustDomain: 'shop.test', clock, ...options });
  const crls = (...names: readonly string[]) =>
    names.flatMap((name) => crlsIn(readFileSync(firm.at(`${name}.crl`)), firm.at(`${name}.crl`)));
  const answer = (certificate: string): InstallOptions => ({
    ...{ certificate, chain: readCertificates(firm.chain), crls: crls('root', 'below') },
  });
  const install = (workspace: Workspace, certificate = firm.sign(workspace.paths.request)) =>
    installCa(workspace, answer(certificate), clock);

  describe('waits for its certificate', () => {
    for (const keyType of KEY_TYPES.filter((type) => type !== 'rsa-4096' && type !== 'rsa-3072'))
      it(`with a request that openssl verifies, for a key of ${keyType}`, () => {
        const { paths } = requested({ keyType });
        const text = openssl(['req', '-verify', '-noout', '-text', '-in', paths.request]);
        assert.match(text, /Subject: O = shop\.test, CN = mtls issuing CA [0-9a-f]{8}/);
        assert.match(text, /Basic Constraints: critical\s+CA:TRUE, pathlen:0/);
        assert.match(text, /Key Usage: critical\s+Certificate Sign, CRL Sign/);
        assert.equal(openssl(['req', '-in', paths.request, '-noout', '-pubkey']), openssl(['pkey', '-in', paths.issuing.key, '-pubout']));
        assert.equal(provesPossession(csrIn(readFileSync(paths.request), paths.request)), true);
      });

    it('with a private key, a ledger that has begun, and nothing else', () => {
      const { paths } = requested();
      if (process.platform !== 'win32') assert.equal(statSync(paths.issuing.key).mode & 0o777, 0o600);
      assert.deepEqual(readdirSync(paths.authority).sort(), ['issuing.csr', 'issuing.key', 'ledger.jsonl']);
      const [first, ...others] = readLedger(paths.ledger);
      assert.ok(first?.event === 'requested');
      assert.match(first.name, /^mtls issuing CA /);
      assert.deepEqual(others, []);
    });

    it('and whoever needs it is told so', async () => {
      const workspace = requested();
      for (const act of [
        () => issueCertificates(workspace, [{ name: 'api' }], clock),
        () => revokeCertificates(workspace, { what: 'api' }, 'superseded', clock),
        () => refreshCrls(workspace, clock),
        () => readWorkspaceCrls(workspace.paths),
        () => listCertificates(workspace, clock),
        () => existingService(workspace, 'api'),
        () => sealRoot(workspace, { out: join(directory.path, 'x'), passphrase: 'x' }, clock),
      ]) {
        const { hints } = await failure('CA_NOT_SIGNED', act);
        assert.match(hints[0]!, /^mtls authority install /);
      }
      await failure('WORKSPACE_EXISTS', () => initializeWorkspace({ directory: workspace.paths.directory, clock }));
      await failure('WORKSPACE_EXISTS', () => requestWorkspace({ directory: workspace.paths.directory, clock }));
    });
  });

  it('is installed with all CAs above it and their CRLs; its services pass at openssl and here', async () => {
    const workspace = requested();
    const { paths } = workspace;
    const { withoutCrl, between, isRenewal, root } = await install(workspace);
    assert.deepEqual([withoutCrl.length, between.map(({ subject }) => labelOf(subject)), isRenewal], [0, ['Company below'], false]);
    assert.equal(labelOf(root.certificate.subject), 'Company Root');
    assert.deepEqual(
      [...casOf(paths).map(({ certificate }) => labelOf(certificate.subject).slice(0, 12))],
      ['Company Root', 'mtls issuing'],
    );
    await issueCertificates(workspace, [{ name: 'api' }], clock);
    const { certificate, ca } = servicePaths(workspace, 'api');
    const all = directory.file('all.crl', [paths.root.crl, paths.chainCrls, paths.issuing.crl].map((path) => readFileSync(path)).join(''));
    openssl(['verify', '-CAfile', ca, '-untrusted', certificate, '-crl_check_all', '-CRLfile', all, certificate]);
    const [leaf, ...intermediates] = readCertificates(certificate);
    assert.equal(intermediates.length, 2);
    const roots = readCertificates(ca);
    const verdict = verify({ leaf: leaf!, intermediates, roots, crls: readWorkspaceCrls(paths), at: new Date() });
    assert.deepEqual([verdict.valid, verdict.errors], [true, []]);
  });

  it('is installed out of PKCS#7 or a file of the whole chain', async () => {
    const workspace = requested();
    const signed = firm.sign(workspace.paths.request);
    const bundle = directory.file('answer.p7b', openssl(['crl2pkcs7', '-nocrl', '-certfile', firm.chain, '-certfile', signed]));
    await installCa(workspace, { certificate: bundle, chain: [], crls: [] }, clock);
    assert.equal(chainOf(workspace.paths).length, 2);
  });

  it('without the CRLs of the company is told which are missing, and gets them later', async () => {
    const workspace = requested();
    const certificate = firm.sign(workspace.paths.request);
    const first = await installCa(workspace, { ...answer(certificate), crls: [] }, clock);
    assert.deepEqual(
      first.withoutCrl.map(({ subject }) => labelOf(subject)),
      ['Company Root', 'Company below'],
    );
    const again = await installCa(
      workspace,
      { certificate: workspace.paths.issuing.certificate, chain: [], crls: crls('root', 'below') },
      clock,
    );
    assert.deepEqual([again.withoutCrl, again.isRenewal, readWorkspaceCrls(workspace.paths).length], [[], false, 3]);
    const cas = readLedger(workspace.paths.ledger).filter(({ event }) => event === 'ca');
    assert.equal(cas.length, 2, 'what the ledger knows is not noted again');
  });

  it('has its key under a passphrase that can be changed while it waits', async () => {
    const { paths } = requested({ passphrase: 'old' });
    await changePassphrase(workspaceAt(paths.directory, 'old'), 'new');
    await failure('PASSPHRASE_WRONG', () => install(workspaceAt(paths.directory, 'old')));
    await failure('KEY_ENCRYPTED', () => install(workspaceAt(paths.directory)));
    assert.equal(isWaiting(paths), true);
    await install(workspaceAt(paths.directory, 'new'));
  });

  describe('is not believed', () => {
    let workspace: Workspace;
    const reasons = async (options: InstallOptions): Promise<string> => {
      const { facts } = await failure('CA_NOT_FIT', () => installCa(workspace, options, clock));
      assert.equal(isWaiting(workspace.paths), true);
      assert.deepEqual(
        readdirSync(workspace.paths.authority).sort(),
        ['issuing.csr', 'issuing.key', 'ledger.jsonl'],
        'nothing was written',
      );
      return facts.problems.join('; ');
    };
    before(() => void (workspace = requested()));

    it('for another key', async () => {
      await failure('KEY_MISMATCH', () => install(workspace, firm.sign(requested().paths.request)));
      await failure('KEY_MISMATCH', () => installCa(workspace, answer(firm.at('below.crt')), clock));
    });
    it('without a way to its root', async () => {
      const options = answer(firm.sign(workspace.paths.request));
      assert.match(await reasons({ ...options, chain: [] }), /its root is not among what was given: the issuer is Company below/);
      assert.notEqual(await reasons({ ...options, chain: readCertificates(firm.at('root.crt')) }), '');
    });
    it('that is no CA, or may not sign CRLs', async () => {
      assert.match(await reasons(answer(firm.sign(workspace.paths.request, 'leafOnly'))), /no CA/);
      assert.match(await reasons(answer(firm.sign(workspace.paths.request, 'noCrls'))), /lacks cRLSign/);
    });
    it('below a CA that allows none below it', async () => {
      const options = answer(firm.sign(workspace.paths.request, 'issuing', 'narrow'));
      const chain = [firm.at('narrow.crt'), firm.at('root.crt')].flatMap(readCertificates);
      assert.match(await reasons({ ...options, chain, crls: [] }), /Company narrow allows no CA below it/);
    });
    it('after its end', async () => {
      const options = answer(firm.sign(workspace.paths.request, 'issuing', 'below', 1));
      await failure(
        'CA_NOT_FIT',
        () => installCa(workspace, { ...options, crls: [] }, () => new Date(Date.now() + 2 * 86_400_000)),
        /it ended/,
      );
    });
    it('with a CRL of somebody else', async () => {
      const options = answer(firm.sign(workspace.paths.request));
      assert.match(await reasons({ ...options, crls: crls('root', 'narrow') }), /the CRL of Company narrow is of no CA above it/);
    });
    it('signed by itself', async () => {
      const { request, issuing } = workspace.paths;
      const out = join(directory.path, 'self.crt');
      openssl([
        'x509',
        '-req',
        '-in',
        request,
        '-signkey',
        issuing.key,
        '-days',
        '10',
        '-extfile',
        firm.at('ca.cnf'),
        '-extensions',
        'root',
        '-out',
        out,
      ]);
      assert.match(await reasons({ certificate: out, chain: [], crls: [] }), /signed by itself/);
    });
    it('that the company has revoked', async () => {
      const certificate = firm.sign(workspace.paths.request, 'issuing', 'below', 100);
      firm.revoke(certificate);
      firm.crlOf('below');
      assert.match(await reasons(answer(certificate)), /revoked/);
    });
    it('where there is none to install it for', async () => {
      const { workspace: alone } = initializeWorkspace({ directory: join(place(), '.mtls'), clock });
      await failure('NO_ISSUING_CA', () => install(alone, firm.at('below.crt')));
    });
  });

  describe('renewed for the same key', () => {
    let workspace: Workspace;
    before(async () => {
      workspace = requested();
      await install(workspace);
      await issueCertificates(workspace, [{ name: 'api' }], clock);
      await revokeCertificates(workspace, { what: 'api' }, 'superseded', clock);
    });

    it('is installed without its chain, and goes on revoking what it revoked', async () => {
      const certificate = firm.sign(workspace.paths.request, 'issuing', 'below', 950);
      const { isRenewal, crl } = await installCa(workspace, { certificate, chain: [], crls: [] }, clock);
      assert.deepEqual([isRenewal, crl.revoked.length > 0], [true, true]);
      assert.deepEqual(readCertificates(workspace.paths.issuing.certificate)[0]!.der, readCertificates(certificate)[0]!.der);
      await issueCertificates(workspace, [{ name: 'web' }], clock);
      assert.equal(readLedger(workspace.paths.ledger).filter(({ event }) => event === 'ca').length, 3);
    });

    it('is not put below another root', async () => {
      const other = company();
      try {
        const certificate = other.sign(workspace.paths.request);
        const options = { certificate, chain: readCertificates(other.chain), crls: [] };
        const before = readFileSync(workspace.paths.bundle);
        await failure('CA_NOT_FIT', () => installCa(workspace, options, clock), /another one than peers trust/);
        assert.deepEqual(readFileSync(workspace.paths.bundle), before);
      } finally {
        other.remove();
      }
    });
  });

  it('is installed whole or not at all when a process is killed, and the same call finishes', async function () {
    this.timeout(180_000);
    const template = requested();
    const certificate = firm.sign(template.paths.request);
    firm.crlOf('below');
    const copy = (): string => {
      const here = place();
      cpSync(template.paths.directory, join(here, '.mtls'), { recursive: true });
      return here;
    };
    const now = Date.now();
    const task = (here: string): KeyTask => ({
      ...{ act: 'install', directory: join(here, '.mtls'), now, file: certificate, chain: firm.chain, crls: firm.crls },
    });
    await killEverywhere(task, copy, async (again, here, wasKilled) => {
      const workspace = workspaceAt(join(here, '.mtls'));
      if (isWaiting(workspace.paths)) {
        await failure('CA_NOT_SIGNED', () => issueCertificates(workspace, [{ name: 'api' }], clock));
      } else await issueCertificates(workspace, [{ name: 'early' }], clock);
      if (wasKilled) await perform(again);
      await issueCertificates(workspace, [{ name: 'api' }], clock);
      assert.equal(readWorkspaceCrls(workspace.paths).length, 3);
      assert.equal(chainOf(workspace.paths).length, 2);
      const ledger = readLedger(workspace.paths.ledger);
      assert.equal(ledger.filter(({ event }) => event === 'ca').length, 2);
      const numbers = ledger.flatMap((entry) => (entry.event === 'crl' ? [entry.number] : []));
      assert.deepEqual(
        numbers,
        numbers.map((_, i) => i + 1),
      );
      assert.equal(existsSync(join(workspace.paths.authority, 'lock')), false);
    });
  });
});
