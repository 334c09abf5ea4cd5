import assert from 'node:assert/strict';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { casOf, openCas } from '../../../src/authority/cas/cas.js';
import { crlPaths, readWorkspaceCrls, refreshCrls } from '../../../src/authority/revocation/crl.js';
import { initializeWorkspace } from '../../../src/authority/cas/initialize.js';
import { type GivenCa, takeCas } from '../../../src/authority/cas/make-cas.js';
import { smoke } from '../../../src/authority/issue/smoke.js';
import { openWorkspace } from '../../../src/authority/workspace.js';
import { DAY } from '../../../src/base/duration.js';
import { revokedEntries } from '../../../src/pki/crl.js';
import { generateKey } from '../../../src/pki/key.js';
import { readCertificates } from '../../../src/pki/material.js';
import { labelOf } from '../../../src/pki/name.js';
import { openssl } from '../../pki/other-tools.js';
import { AT, certify } from '../../support/chains.js';
import { needs } from '../../support/programs.js';
import { clock, failure, issueOne, newWorkspace, revoke, text } from '../support.js';

describe('a root and an issuing CA', () => {
  let made: ReturnType<typeof newWorkspace>;
  beforeEach(() => {
    made = newWorkspace({ issuingCa: true });
  });
  afterEach(() => made.remove());

  it('have path lengths that fit, and a CRL each', () => {
    const { paths } = made.workspace;
    const [root, issuing] = casOf(paths).map(({ certificate }) => certificate);
    assert.deepEqual(
      [root?.basicConstraints, issuing?.basicConstraints],
      [
        { ca: true, pathLength: 1 },
        { ca: true, pathLength: 0 },
      ],
    );
    assert.deepEqual(
      readWorkspaceCrls(paths).map(({ issuer }) => issuer.der),
      [root!.subject.der, issuing!.subject.der],
    );
    assert.deepEqual(
      readCertificates(paths.bundle).map(({ serial }) => serial),
      [root!.serial],
    );
  });

  it('issue certificates that bring the issuing CA along, and are signed by it', async () => {
    const { paths } = await issueOne(made.workspace, 'api');
    const [leaf, issuing, ...more] = readCertificates(paths.certificate);
    assert.deepEqual([leaf?.issuer.der, issuing?.subject.der, more], [issuing?.subject.der, leaf?.issuer.der, []]);
    assert.equal(text(paths.ca), text(made.workspace.paths.bundle), 'peers trust the root alone');
  });

  it('say in the CRL of each what that one signed, and nothing else', async () => {
    const { serial } = (await issueOne(made.workspace, 'api')).entry;
    const issuing = casOf(made.workspace.paths)[1]!.certificate.serial;
    for (const what of ['api', issuing]) await revoke(made.workspace, what, 'superseded', clock);
    await refreshCrls(made.workspace, clock);
    assert.deepEqual(
      readWorkspaceCrls(made.workspace.paths).map((crl) => [...revokedEntries(crl)].map((entry) => entry.serial)),
      [[issuing], [serial]],
    );
  });

  it('go on without the key of the root, which revokes nobody then', async () => {
    await issueOne(made.workspace, 'api');
    rmSync(made.workspace.paths.root.key);
    await issueOne(made.workspace, 'web');
    assert.equal((await revoke(made.workspace, 'api', 'superseded', clock)).revoked.length, 1);
    const issuing = casOf(made.workspace.paths)[1]!.certificate.serial;
    await failure('CA_KEY_AWAY', () => revoke(made.workspace, issuing, 'superseded', clock));
  });

  it('shake hands with what they issued', async () => {
    const live = newWorkspace({ issuingCa: true, clock: () => new Date() });
    try {
      for (const profile of ['peer', 'server', 'client'] as const) {
        const { paths } = await issueOne(live.workspace, { name: profile, profile }, () => new Date());
        assert.equal((await smoke(paths)).version, 'TLSv1.3', profile);
      }
    } finally {
      live.remove();
    }
  });

  describe('for OpenSSL', () => {
    before(needs('openssl'));

    it('are good for OpenSSL, with the CRLs of both', async () => {
      const { paths } = await issueOne(made.workspace, 'api');
      const crls = crlPaths(made.workspace.paths).flatMap((path) => ['-CRLfile', path]);
      const [attime, ca] = [String(AT.getTime() / 1000), made.workspace.paths.bundle];
      const asked = [
        'verify',
        '-x509_strict',
        '-attime',
        attime,
        '-crl_check_all',
        ...crls,
        '-CAfile',
        ca,
        '-untrusted',
        paths.certificate,
      ];
      assert.match(openssl([...asked, paths.certificate]), /: OK/);
      await revoke(made.workspace, 'api', 'keyCompromise', clock);
      assert.throws(() => openssl([...asked, paths.certificate]), /certificate revoked/);
    });
  });
});

describe('keys of CAs under a passphrase', () => {
  it('are asked for once, and not before they are needed', async () => {
    const made = newWorkspace({ issuingCa: true, passphrase: 'hush' });
    try {
      assert.match(readFileSync(made.workspace.paths.issuing.key, 'latin1'), /^-----BEGIN ENCRYPTED PRIVATE KEY-----/);
      const asked: string[] = [];
      const workspace = openWorkspace(join(made.parent, '.mtls'), '/', async (path) => {
        asked.push(path);
        return 'hush';
      });
      assert.equal(asked.length, 0);
      await issueOne(workspace, 'api');
      assert.ok(asked.includes(workspace.paths.issuing.key));
      await failure('KEY_ENCRYPTED', () => issueOne(made.workspace, 'api'), /issuing\.key is encrypted/);
      const wrong = { ...workspace, passphrase: async () => 'wrong' };
      await failure('PASSPHRASE_WRONG', () => openCas(wrong));
    } finally {
      made.remove();
    }
  }).timeout(20_000);
});

describe('a CA that is taken over', () => {
  const company = newWorkspace({ issuingCa: true });
  after(() => company.remove());
  const given = async (index: 0 | 1): Promise<GivenCa> => {
    const cas = await openCas(company.workspace);
    const { certificate, key } = cas[index]!;
    return { path: 'ca.crt', certificate, key, chain: index === 0 ? [] : [cas[0]!.certificate], crls: [] };
  };

  it('signs services as one that was made here', async () => {
    for (const index of [0, 1] as const) {
      const directory = newWorkspace();
      const taken = takeCas(await given(index), 'ca.key', AT);
      const { workspace } = initializeWorkspace({ directory: join(directory.parent, 'taken', '.mtls'), taken, clock });
      const { paths } = await issueOne(workspace, 'api');
      assert.equal(readCertificates(paths.certificate).length, 1 + index);
      directory.remove();
    }
  });

  it('is refused with every reason why it is not fit', async () => {
    const ca = await given(1);
    const leaf = (await issueOne(company.workspace, 'api')).certificate;
    await failure('KEY_MISMATCH', () => takeCas({ ...ca, key: generateKey('ecdsa-p256') }, 'ca.key', AT));
    const late = new Date(AT.getTime() + 4_000 * DAY);
    const ended = await failure('CA_NOT_FIT', () => takeCas(ca, 'ca.key', late), /it ended/);
    assert.equal(ended.facts.path, 'ca.crt');
    await failure('CA_NOT_FIT', () => takeCas({ ...ca, chain: [] }, 'ca.key', AT), /its root is not among what was given/);
    await failure('KEY_MISMATCH', () => takeCas({ ...ca, certificate: leaf }, 'ca.key', AT));
  });

  it('is refused with all reasons at once', async () => {
    const [root] = await openCas(company.workspace);
    const notOne = certify({ name: 'service', by: root! });
    const own = { path: 'ca.crt', ...notOne, chain: [], crls: [] };
    const late = new Date(AT.getTime() + 10 * DAY);
    const { facts } = await failure('CA_NOT_FIT', () => takeCas(own, 'ca.key', late));
    assert.deepEqual(facts.problems, [
      'it is no CA: basic constraints do not say so',
      'its key usage lacks keyCertSign',
      'its key usage lacks cRLSign',
      `it ended ${new Date(notOne.certificate.notAfter).toISOString()}`,
      `its root is not among what was given: the issuer is ${labelOf(root!.certificate.subject)}`,
    ]);
  });

  it('signed by itself is refused where it is none', async () => {
    const lonely = certify({ name: 'lonely', keyUsage: ['keyCertSign'] });
    const { facts } = await failure('CA_NOT_FIT', () => takeCas({ path: 'ca.crt', ...lonely, chain: [], crls: [] }, 'ca.key', AT));
    assert.deepEqual(facts.problems, ['it is no CA: basic constraints do not say so', 'its key usage lacks cRLSign']);
  });
});
