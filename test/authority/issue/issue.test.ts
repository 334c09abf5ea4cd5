import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { chmodSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CRL_VALIDITY } from '../../../src/authority/revocation/crl.js';
import { issueCertificates } from '../../../src/authority/issue/issue.js';
import type { IssueRequest } from '../../../src/authority/issue/plan.js';
import { PROFILES, readLedger } from '../../../src/authority/ledger/ledger.js';
import { issuedView } from '../../../src/authority/views.js';
import { serviceNames, servicePaths } from '../../../src/authority/workspace.js';
import { DAY } from '../../../src/base/duration.js';
import { fingerprint, isSignedBy } from '../../../src/pki/certificate.js';
import { KEY_TYPES, type KeyType, generateKey, privateKeyToPem } from '../../../src/pki/key.js';
import { readCertificates } from '../../../src/pki/material.js';
import { valuesOf } from '../../../src/pki/name.js';
import { OID } from '../../../src/pki/oids.js';
import { openssl } from '../../pki/other-tools.js';
import { AT } from '../../support/chains.js';
import { needs } from '../../support/programs.js';
import { assertWhole, by, clock, clockAt, failure, issueOne, newWorkspace, rootCrl, rootId, text, unix } from '../support.js';

describe('issue', () => {
  let made: ReturnType<typeof newWorkspace>;
  beforeEach(() => {
    made = newWorkspace();
  });
  afterEach(() => made.remove());
  const issue = (request: string | IssueRequest, at = clock) => issueOne(made.workspace, request, at);
  const serialsInLedger = (): string[] =>
    readLedger(made.workspace.paths.ledger).flatMap((entry) => (entry.event === 'issued' ? [entry.serial] : []));

  it('gives a service its SPIFFE ID and the names by which it is reached', async () => {
    const { certificate, entry, names } = await issue({ name: 'api', namespace: 'shop' });
    const { dns, ip, uri, email } = certificate.subjectAltName;
    assert.deepEqual(uri, ['spiffe://shop.test/ns/shop/sa/api']);
    assert.deepEqual(dns, ['api', 'api.shop.svc', 'api.shop.svc.cluster.local', 'localhost']);
    assert.deepEqual([ip, email], [['127.0.0.1', '::1'], []]);
    assert.deepEqual(names, { dns, ip, uri });
    assert.deepEqual(valuesOf(certificate.subject, OID.commonName), ['api']);
    assert.deepEqual(entry, {
      event: 'issued',
      by,
      issuer: rootId(made.workspace.paths),
      dns: certificate.subjectAltName.dns,
      ip: certificate.subjectAltName.ip,
      at: AT,
      serial: certificate.serial,
      name: 'api',
      namespace: 'shop',
      profile: 'peer',
      uri: uri[0],
      notBefore: new Date(certificate.notBefore),
      notAfter: new Date(certificate.notAfter),
      sha256: fingerprint(certificate),
    });
    assert.deepEqual(readLedger(made.workspace.paths.ledger).at(-1), entry);
  });

  for (const [profile, purposes] of Object.entries({
    server: [OID.serverAuth],
    client: [OID.clientAuth],
    peer: [OID.serverAuth, OID.clientAuth],
  }) as [(typeof PROFILES)[number], string[]][])
    it(`for ${profile} says what it may be used for, and is no CA`, async () => {
      const { certificate, entry } = await issue({ name: 'api', profile });
      assert.deepEqual([certificate.extendedKeyUsage, entry.profile], [purposes, profile]);
      assert.deepEqual([certificate.version, certificate.basicConstraints], [3, { ca: false, pathLength: undefined }]);
      assert.equal(certificate.subjectAltName.dns.includes('localhost'), profile !== 'client');
      assert.equal(certificate.subjectAltName.ip.length, profile === 'client' ? 0 : 2);
      assert.equal(isSignedBy(certificate, made.root), 'valid');
      assert.equal(certificate.authorityKeyId, made.root.subjectKeyId);
    });

  for (const keyType of KEY_TYPES.filter((type) => type !== 'rsa-4096'))
    it(`with a key of ${keyType} has the key usage of its type`, async () => {
      const { certificate } = await issue({ name: 'api', keyType });
      const usage = keyType.startsWith('rsa') ? ['digitalSignature', 'keyEncipherment'] : ['digitalSignature'];
      assert.deepEqual(certificate.keyUsage, usage);
      assert.equal(certificate.extensions.find(({ oid }) => oid === OID.keyUsage)?.critical, true);
      assertWhole(made.workspace);
    });

  it('adds names once, in their canonical form', async () => {
    const { certificate } = await issue({
      name: 'api',
      withoutLocalhost: true,
      dns: ['API.shop.test', 'api.shop.test', '*.shop.test', 'bücher.test', 'api'],
      ip: ['10.0.0.7', 'FD00:0:0::7', 'fd00::7'],
      uri: 'https://shop.test/api',
    });
    const { dns, ip, uri } = certificate.subjectAltName;
    assert.deepEqual(dns.slice(0, 3), ['api', 'api.default.svc', 'api.default.svc.cluster.local']);
    assert.deepEqual(dns.slice(3), ['api.shop.test', '*.shop.test', 'xn--bcher-kva.test']);
    assert.deepEqual([ip, uri], [['10.0.0.7', 'fd00::7'], ['https://shop.test/api']]);
  });

  it('begins 5 minutes early, lives 90 days or as long as asked, and never beyond its issuer', async () => {
    const usual = await issue('api');
    const { notBefore, notAfter } = usual.certificate;
    assert.deepEqual([notBefore, notAfter, usual.cappedByIssuer], [AT.getTime() - 5 * 60_000, AT.getTime() + 90 * DAY, false]);
    const short = await issue({ name: 'api', validity: DAY });
    assert.deepEqual([short.certificate.notAfter, short.cappedByIssuer], [AT.getTime() + DAY, false]);
    const long = await issue({ name: 'api', validity: 4_000 * DAY });
    assert.deepEqual([long.certificate.notAfter, long.cappedByIssuer], [made.root.notAfter, true]);
    assert.deepEqual(long.entry.notAfter, new Date(made.root.notAfter));
    assert.equal((await issue('early', clockAt(-60_000))).certificate.notBefore, made.root.notBefore, 'nor before it');
  });

  it('refuses when the issuer has ended, and to a certificate that would end before it begins', async () => {
    const end = made.root.notAfter - AT.getTime();
    assert.equal((await issue('last', clockAt(end))).certificate.notAfter, made.root.notAfter);
    const error = await failure('ISSUER_EXPIRED', () => issue('api', clockAt(end + 1)));
    assert.equal(error.facts.notAfter, new Date(made.root.notAfter).toISOString());
    await failure('CERTIFICATE_NOT_IN_FORCE', () => issue('api', clockAt(-365 * DAY)), /root\.crt is in force from 2026/);
    assert.deepEqual(serviceNames(made.workspace), ['last']);
  });

  it('takes serial numbers of 128 random bits', async () => {
    const issued = await issueCertificates(
      made.workspace,
      Array.from({ length: 40 }, (_, i) => ({ name: `s${i}` })),
      clock,
    );
    const serials = issued.map(({ entry }) => BigInt(`0x${entry.serial}`));
    assert.equal(new Set(serials).size, 40);
    assert.ok(serials.every((serial) => serial > 0n && serial < 1n << 128n));
    // each of 128 bits is set in some and not in others; that 40 coins fall alike has a chance of 2^-39
    const all = serials.reduce((or, serial) => or | serial);
    const common = serials.reduce((and, serial) => and & serial);
    assert.deepEqual([all, common], [(1n << 128n) - 1n, 0n]);
  });

  unix('lays certificate, key and CA side by side, private where it must be', async () => {
    const umask = process.umask(0);
    const { paths, certificate } = await issue('api').finally(() => process.umask(umask));
    assert.deepEqual(paths, servicePaths(made.workspace, 'api'));
    const modes = [paths.directory, paths.certificate, paths.key, paths.ca, join(paths.directory, '..data')].map(
      (path) => statSync(path).mode & 0o777,
    );
    assert.deepEqual(modes, [0o700, 0o644, 0o600, 0o644, 0o700]);
    assert.equal(text(paths.ca), text(made.workspace.paths.bundle));
    assert.equal(readCertificates(paths.certificate)[0]!.serial, certificate.serial);
    assert.match(text(paths.key), /^-----BEGIN PRIVATE KEY-----\n/);
  });

  it('again replaces the files, says what stood there, and keeps it in the ledger', async () => {
    const first = await issue('api');
    const key = text(first.paths.key);
    const second = await issue('api', clockAt(DAY));
    assert.equal(first.replaced, undefined);
    assert.equal(second.replaced?.serial, first.certificate.serial);
    assert.equal(readCertificates(second.paths.certificate)[0]!.serial, second.certificate.serial);
    assert.notEqual(text(first.paths.key), key);
    assert.deepEqual(serialsInLedger(), [first.certificate.serial, second.certificate.serial]);
    const view = issuedView(second);
    assert.equal(BigInt(`0x${view.replaced!.serial.replaceAll(':', '')}`), BigInt(`0x${first.certificate.serial}`));
    assert.deepEqual([view.key, view.notBefore, view.cappedByIssuer], [second.paths.key, '2026-06-02T11:55:00Z', false]);
    assert.equal(issuedView(first).replaced, null);
    assertWhole(made.workspace);
  });

  it('does all that it is asked, or nothing', async () => {
    const before = text(made.workspace.paths.ledger);
    const wrong: readonly (readonly [Parameters<typeof failure>[0], readonly IssueRequest[]])[] = [
      ['NAME_NOT_DNS_LABEL', [{ name: 'api' }, { name: '../web' }]],
      ['NAME_NOT_DNS_LABEL', [{ name: 'api', namespace: 'Shop' }]],
      ['VALUE_INVALID', [{ name: 'api' }, { name: 'web', dns: ['*'] }]],
      ['VALUE_INVALID', [{ name: 'api', ip: ['10.0.0'] }]],
      ['VALUE_INVALID', [{ name: 'api', uri: 'api' }]],
      ['USAGE', [{ name: 'api' }, { name: 'web' }, { name: 'api' }]],
    ];
    for (const [code, requests] of wrong) await failure(code, () => issueCertificates(made.workspace, requests, clock));
    assert.deepEqual(serviceNames(made.workspace), []);
    assert.equal(text(made.workspace.paths.ledger), before);
    assert.deepEqual(
      (await issueCertificates(made.workspace, [{ name: 'api' }, { name: 'web' }], clock)).map(({ entry }) => entry.name),
      ['api', 'web'],
    );
    assert.deepEqual(serviceNames(made.workspace), ['api', 'web']);
  });

  it('does not give the files of a service to one of the same name in another namespace', async () => {
    const first = await issue({ name: 'api', namespace: 'shop' });
    const key = text(first.paths.key);
    const error = await failure('SERVICE_NAMESPACE', () => issue('api'), /namespace shop, not default/);
    assert.deepEqual(error.hints, ['mtls issue api --namespace shop', 'mtls issue api-default --namespace default']);
    await failure('SERVICE_NAMESPACE', () => issueCertificates(made.workspace, [{ name: 'web' }, { name: 'api' }], clock));
    assert.deepEqual([text(first.paths.key), serviceNames(made.workspace)], [key, ['api']]);
    await issue({ name: 'api', namespace: 'shop' });
  });

  it('signs a new CRL when half of the time of the old one is over, or when it is gone or cannot be read', async () => {
    const { paths } = made.workspace;
    const number = () => Number(`0x${rootCrl(paths).number}`);
    await issue('api', clockAt(CRL_VALIDITY / 2));
    assert.equal(number(), 1);
    await issue('api', clockAt(CRL_VALIDITY / 2 + 1_000));
    assert.deepEqual([number(), rootCrl(paths).thisUpdate], [2, AT.getTime() + CRL_VALIDITY / 2 + 1_000]);
    const spoil = [
      () => rmSync(paths.root.crl),
      () => writeFileSync(paths.root.crl, ''),
      () => writeFileSync(paths.root.crl, 'x'),
      () => writeFileSync(paths.root.crl, Buffer.from('30820102', 'hex')),
      () => writeFileSync(paths.root.crl, text(paths.root.certificate)),
      () => writeFileSync(paths.root.crl, text(paths.root.crl).slice(0, 200)),
      () => writeFileSync(paths.root.crl, text(paths.root.certificate).replaceAll('CERTIFICATE', 'X509 CRL')),
    ];
    for (const [i, act] of spoil.entries()) {
      act();
      await issue('api', clockAt(CRL_VALIDITY / 2 + 1_000));
      assert.equal(number(), i + 3);
    }
    assertWhole(made.workspace);
  });

  it('needs the key of the CA: its own, private, and in the clear', async () => {
    const {
      root: { key: rootKey },
    } = made.workspace.paths;
    const own = text(rootKey);
    writeFileSync(rootKey, privateKeyToPem(generateKey('ecdsa-p256')));
    await failure('KEY_MISMATCH', () => issue('api'), /root\.key is not the key of .*root\.crt/);
    writeFileSync(rootKey, generateKey('ecdsa-p256').export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' }));
    await failure('KEY_ENCRYPTED', () => issue('api'));
    writeFileSync(rootKey, 'x');
    await failure('KEY_UNREADABLE', () => issue('api'));
    writeFileSync(rootKey, own);
    chmodSync(rootKey, 0o640);
    if (process.platform !== 'win32')
      assert.deepEqual((await failure('FILE_MODE_TOO_OPEN', () => issue('api'))).hints, [`chmod 0600 ${rootKey}`]);
    rmSync(rootKey);
    await failure('CA_KEY_AWAY', () => issue('api'), /root\.key/);
    assert.deepEqual(serialsInLedger(), []);
  });
});

describe('openssl and node accept what was issued', function () {
  this.timeout(60_000);
  before(needs('openssl'));
  const roots: readonly KeyType[] = ['ecdsa-p256', 'ecdsa-p384', 'ed25519', 'rsa-2048'];
  for (const keyType of roots)
    it(`by ${keyType}`, async () => {
      const { workspace, root, remove } = newWorkspace({ keyType });
      try {
        const attime = String(AT.getTime() / 1000);
        for (const profile of PROFILES) {
          const { paths, certificate } = await issueOne(workspace, { name: profile, profile, dns: ['*.shop.test'] });
          for (const purpose of ['sslserver', 'sslclient']) {
            const verify = (): string =>
              openssl([
                'verify',
                '-x509_strict',
                '-attime',
                attime,
                '-crl_check',
                '-CRLfile',
                workspace.paths.root.crl,
                '-purpose',
                purpose,
                '-CAfile',
                paths.ca,
                paths.certificate,
              ]);
            const allowed = profile === 'peer' || purpose === `ssl${profile}`;
            if (allowed) assert.match(verify(), /: OK/);
            else assert.throws(verify, /purpose/);
          }
          assert.equal(openssl(['pkey', '-in', paths.key, '-pubout']), openssl(['x509', '-in', paths.certificate, '-pubkey', '-noout']));
          const node = new X509Certificate(certificate.der);
          assert.equal(node.verify(new X509Certificate(root.der).publicKey), true);
          assert.equal(node.checkHost('a.shop.test') !== undefined, true);
        }
      } finally {
        remove();
      }
    });
});
