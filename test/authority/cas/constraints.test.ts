import assert from 'node:assert/strict';
import { asConstraints } from '../../../src/authority/cas/constraints.js';
import { OID } from '../../../src/pki/oids.js';
import { toPem } from '../../../src/pki/pem.js';
import { valueOf } from '../../../src/validate/rules/extensions.js';
import { openssl } from '../../pki/other-tools.js';
import { AT, certify } from '../../support/chains.js';
import { needs } from '../../support/programs.js';
import { failure, issueOne, issuerWithKey, newWorkspace } from '../support.js';

const constraints = asConstraints({
  permitDns: ['.shop.test'],
  permitIp: ['10.0.0.0/8', 'fd00::/12'],
  permitUri: ['spiffe://shop.test'],
  excludeDns: ['admin.shop.test'],
})!;

describe('a CA for one domain', () => {
  const made = newWorkspace({ constraints });
  after(() => made.remove());

  it('says so in its certificate, critically', () => {
    const extension = made.root.extensions.find(({ oid }) => oid === OID.nameConstraints);
    assert.equal(extension?.critical, true);
    assert.deepEqual(valueOf(made.root, OID.nameConstraints), constraints);
  });

  it('gives services a name in it, and none that it may not sign', async () => {
    const { names } = await issueOne(made.workspace, 'api');
    assert.deepEqual(names, { uri: ['spiffe://shop.test/ns/default/sa/api'], dns: ['api.shop.test'], ip: [] });
    const asked = await issueOne(made.workspace, { name: 'web', dns: ['www.shop.test'], ip: ['10.1.2.3'] });
    assert.deepEqual([asked.names.dns, asked.names.ip], [['www.shop.test'], ['10.1.2.3']]);
  });

  it('refuses what it may not sign, and names the constraint', async () => {
    for (const [request, problem] of [
      [{ dns: ['api.evil.test'] }, /api: dns api\.evil\.test is not permitted \(\.shop\.test\), by the name constraints of mtls root CA/],
      [{ dns: ['shop.test'] }, /dns shop\.test is not permitted/],
      [{ dns: ['x.admin.shop.test'] }, /is excluded \(admin\.shop\.test\)/],
      [{ dns: ['*.shop.test'] }, /is excluded \(admin\.shop\.test\)/],
      [{ ip: ['192.0.2.1'] }, /ip 192\.0\.2\.1 is not permitted \(10\.0\.0\.0\/8, fd00::\/12\)/],
      [{ uri: 'spiffe://evil.test/x' }, /uri spiffe:\/\/evil\.test\/x is not permitted \(shop\.test\)/],
    ] as const)
      await failure('NAME_NOT_PERMITTED', () => issueOne(made.workspace, { name: 'api', ...request }), problem);
  });

  describe('for OpenSSL', () => {
    before(needs('openssl'));

    it('is read by OpenSSL, which accepts what it issues', async () => {
      const { certificate } = made.workspace.paths.root;
      const printed = openssl(['x509', '-in', certificate, '-noout', '-text']);
      assert.match(printed, /Name Constraints: critical\s+Permitted:\s+DNS:\.shop\.test\s+URI:shop\.test\s+IP:10\.0\.0\.0\/255\.0\.0\.0/);
      assert.match(printed, /Excluded:\s+DNS:admin\.shop\.test/);
      const { paths } = await issueOne(made.workspace, { name: 'ok', dns: ['ok.shop.test'], ip: ['fd00::1'] });
      assert.match(openssl(['verify', '-attime', String(AT.getTime() / 1000), '-CAfile', certificate, paths.certificate]), /: OK/);
    });

    it('is kept to by OpenSSL, whoever signs beyond it with the key of the CA', async () => {
      const issuer = await issuerWithKey(made.workspace);
      const { certificate } = made.workspace.paths.root;
      for (const [names, problem] of [
        [{ dns: ['api.evil.test'] }, /permitted subtree violation/],
        [{ dns: ['x.admin.shop.test'] }, /excluded subtree violation/],
        [{ ip: ['192.0.2.1'] }, /permitted subtree violation/],
        [{ uri: ['spiffe://evil.test/x'] }, /permitted subtree violation/],
        [{ dns: ['api.shop.test'] }, undefined],
      ] as const) {
        const leaf = certify({ name: 'api', by: issuer, names });
        const verify = (): string =>
          openssl(['verify', '-attime', String(AT.getTime() / 1000), '-CAfile', certificate], toPem('CERTIFICATE', leaf.certificate.der));
        if (problem === undefined) assert.match(verify(), /: OK/);
        else assert.throws(verify, problem, JSON.stringify(names));
      }
    });
  });

  it('does not serve a trust domain that it may not sign', async () => {
    await failure('VALUE_INVALID', () => newWorkspace({ constraints, trustDomain: 'other.test' }), /trust domain/);
  });
});

describe('name constraints as they are typed', () => {
  it('are domains, hosts of URIs, and networks', async () => {
    assert.equal(asConstraints({}), undefined);
    const written = asConstraints({ permitDns: ['SHOP.test'], excludeUri: ['https://shop.test/'], permitIp: ['192.0.2.7'] });
    assert.deepEqual(written?.permitted, [
      { kind: 'dns', base: 'shop.test' },
      { kind: 'ip', address: Buffer.from([192, 0, 2, 7]), mask: Buffer.alloc(4, 0xff) },
    ]);
    assert.deepEqual(written?.excluded, [{ kind: 'uri', base: 'shop.test' }]);
    for (const wrong of [
      { permitDns: ['*.shop.test'] },
      { permitDns: ['10.0.0.1'] },
      { permitDns: [''] },
      { permitIp: ['10.0.0.1/8'] },
      { permitIp: ['10.0.0.0/33'] },
      { permitIp: ['shop.test'] },
      { permitUri: ['spiffe://shop.test/ns/a'] },
    ])
      await failure('VALUE_INVALID', () => asConstraints(wrong));
  });
});
