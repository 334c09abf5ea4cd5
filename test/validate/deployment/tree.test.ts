import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { initializeWorkspace } from '../../../src/authority/cas/initialize.js';
import { issueCertificates } from '../../../src/authority/issue/issue.js';
import { revokeCertificates } from '../../../src/authority/revocation/revoke.js';
import { readDeployment } from '../../../src/validate/deployment/deployment.js';
import { findPlaces } from '../../../src/validate/deployment/tree.js';
import { failure, unix } from '../../authority/support.js';
import { AT } from '../../support/chains.js';
import { type Deployed, ca, crl, find, findings, key, leaf, names, pem, secret, tree } from './support.js';

describe('a tree of deployed services', () => {
  const root = ca('root');
  const api = leaf('api', root);
  let deployed: Deployed;
  beforeEach(() => {
    deployed = tree();
  });
  afterEach(() => deployed.remove());

  const LAYOUTS: readonly (readonly [string, Record<string, string>, string])[] = [
    ['Kubernetes and cert-manager', secret(api, root), 'api'],
    ['cert, key and ca', { 'cert.pem': pem(api), 'key.pem': key(api), 'ca.pem': pem(root) }, 'api'],
    [
      'certbot',
      { 'fullchain.pem': pem(api), 'cert.pem': pem(api), 'chain.pem': pem(root), 'privkey.pem': key(api), 'ca.crt': pem(root) },
      'api',
    ],
    ['Istio', { 'cert-chain.pem': pem(api), 'key.pem': key(api), 'root-cert.pem': pem(root) }, 'api'],
    ['spiffe-helper', { 'svid.pem': pem(api), 'svid_key.pem': key(api), 'svid_bundle.pem': pem(root) }, 'api'],
    ['a stem', { 'server.crt': pem(api), 'server.key': key(api), 'ca.crt': pem(root) }, 'api/server'],
    ['the stem of its directory', { 'api.crt': pem(api), 'api.key': key(api), 'ca.crt': pem(root) }, 'api'],
    ['mkcert', { 'local.pem': pem(api), 'local-key.pem': key(api), 'ca.pem': pem(root) }, 'api/local'],
  ];
  for (const [title, files, name] of LAYOUTS) {
    it(`knows the names of ${title}`, () => {
      deployed.write('api', files);
      const judged = deployed.judge();
      assert.deepEqual([names(judged), findings(judged)], [[name], []]);
    });
  }

  it('sends what stands in chain.pem behind cert.pem', () => {
    const issuing = ca('issuing', { by: root });
    const web = leaf('web', issuing);
    deployed.write('web', { 'cert.pem': pem(web), 'chain.pem': pem(issuing), 'key.pem': key(web), 'ca.crt': pem(root) });
    const judged = deployed.judge();
    assert.deepEqual(findings(judged), []);
    assert.equal(find(judged, 'web').service.chain.length, 2);
  });

  it('finds several pairs of one directory, and takes a CA and a lone certificate for none', () => {
    const web = leaf('web', root);
    deployed.write('', { 'api.crt': pem(api), 'api.key': key(api), 'web.pem': pem(web), 'web-key.pem': key(web) });
    deployed.write('', { 'ca.crt': pem(root), 'ca.key': key(root), 'other.crt': pem(api), 'dhparam.pem': 'nothing' });
    assert.deepEqual(names(deployed.judge()), ['api', 'web']);
  });

  it('names two that would have one name by their files', () => {
    deployed.write('api', { ...secret(api, root), 'api.crt': pem(api), 'api.key': key(api) });
    assert.deepEqual(names(deployed.judge()), ['api/tls.crt', 'api/api.crt']);
  });

  it('takes a service in the root by the name of the root', () => {
    deployed.write('', secret(api, root));
    assert.deepEqual(names(deployed.judge()), [basename(deployed.path)]);
  });

  it('takes bundle and CRLs from the nearest directory above, and says from where', () => {
    const { 'ca.crt': bundle, ...pair } = secret(api, root);
    deployed.write('', { 'ca.crt': pem(ca('another')), 'root.crl': crl(root) });
    deployed.write('shop', { 'ca.crt': bundle! });
    deployed.write('shop/api', pair);
    deployed.write('shop/web', { ...secret(leaf('web', root), root), 'crl.pem': crl(root) });
    const judged = deployed.judge();
    const { files } = find(judged, 'shop/api').service;
    assert.equal(files.bundle, join(deployed.path, 'shop/ca.crt'));
    assert.deepEqual(files.crls, [join(deployed.path, 'root.crl')]);
    assert.deepEqual(files.shared, { bundle: true, crls: true });
    assert.deepEqual(find(judged, 'shop/web').service.files.shared, { bundle: false, crls: false });
    assert.deepEqual([findings(judged, 'shop/api'), findings(judged, 'shop/web')], [[], []]);
  });

  it('takes no file from outside of the tree', () => {
    const { 'ca.crt': bundle, ...pair } = secret(api, root);
    deployed.write('', { 'ca.crt': bundle! });
    deployed.write('shop/api', pair);
    const judged = readDeployment(join(deployed.path, 'shop'), AT);
    assert.deepEqual(findings(judged), ['BUNDLE_NOT_FOUND error api/tls.crt']);
  });

  unix('follows links as Kubernetes lays them, and none in a circle', () => {
    deployed.write('api/..2026_06_01', secret(api, root));
    symlinkSync('..2026_06_01', join(deployed.path, 'api/..data'));
    for (const name of ['tls.crt', 'tls.key', 'ca.crt']) symlinkSync(`..data/${name}`, join(deployed.path, 'api', name));
    symlinkSync('..', join(deployed.path, 'api/up'));
    symlinkSync('.', join(deployed.path, 'api/here'));
    symlinkSync('itself', join(deployed.path, 'itself'));
    symlinkSync('api', join(deployed.path, 'a-link'));
    const judged = deployed.judge();
    assert.deepEqual([names(judged), findings(judged), judged.findings], [['api'], [], []]);
  });

  unix('follows a link out of the tree to what it shows, and no further', () => {
    deployed.write('elsewhere', secret(api, root));
    deployed.write('elsewhere/below', secret(api, root));
    mkdirSync(join(deployed.path, 'tree'));
    symlinkSync('../elsewhere', join(deployed.path, 'tree/api'));
    assert.deepEqual(names(readDeployment(join(deployed.path, 'tree'), AT)), ['api']);
  });

  it('passes over what is hidden', () => {
    deployed.write('api', secret(api, root));
    deployed.write('.git/api', secret(api, root));
    assert.deepEqual(names(deployed.judge()), ['api']);
  });

  it('says that there is more than it looks at', () => {
    for (const name of ['a', 'b', 'c/d/e']) deployed.write(name, secret(api, root));
    const limited = (limits: object) => {
      const { places, findings: found } = findPlaces(deployed.path, { depth: 8, entries: 100, services: 100, ...limits });
      return [places.map(({ name }) => name), found.map(({ code }) => code)];
    };
    assert.deepEqual(limited({}), [['a', 'b', 'c/d/e'], []]);
    assert.deepEqual(limited({ depth: 2 }), [['a', 'b'], ['TREE_LIMIT']]);
    assert.deepEqual(limited({ services: 2 }), [['a', 'b'], ['TREE_LIMIT']]);
    assert.deepEqual(limited({ services: 1 }), [['a'], ['TREE_LIMIT']]);
    assert.deepEqual(limited({ entries: 8 }), [['a'], ['TREE_LIMIT']]);
  });

  it('cannot judge what is not there, no directory, or empty', async () => {
    await failure('FILE_NOT_FOUND', () => readDeployment(join(deployed.path, 'nothing'), AT));
    writeFileSync(join(deployed.path, 'file'), 'x');
    await failure('FILE_NOT_READABLE', () => readDeployment(join(deployed.path, 'file'), AT), /it is no directory/);
    await failure('FILE_NOT_READABLE', () => deployed.judge(), /no service in it or below/);
  });

  unix('a directory that may not be read is a finding', async () => {
    // root reads everything
    if (process.getuid?.() === 0) return;
    deployed.write('api', secret(api, root));
    mkdirSync(join(deployed.path, 'closed'), { mode: 0 });
    const judged = deployed.judge();
    chmodSync(join(deployed.path, 'closed'), 0o700);
    assert.deepEqual(
      judged.findings.map(({ code }) => code),
      ['FILE_NOT_READABLE'],
    );
  });

  unix('a pipe in the place of a file is a finding, and nobody waits for it', () => {
    const { 'tls.crt': _certificate, ...rest } = secret(api, root);
    deployed.write('api', rest);
    execFileSync('mkfifo', [join(deployed.path, 'api/tls.crt')]);
    assert.deepEqual(findings(deployed.judge()), ['FILE_NOT_READABLE error api/tls.crt']);
  });

  describe('a workspace', () => {
    const clock = () => AT;
    const made = async () => {
      const directory = join(deployed.path, '.mtls');
      const { workspace } = initializeWorkspace({ directory, trustDomain: 'shop.test', clock });
      await issueCertificates(workspace, [{ name: 'api' }, { name: 'web', profile: 'client' }], clock);
      return workspace;
    };

    it('is known by its directory, the one above, and its services, with the CRL of its CA', async () => {
      const { paths } = await made();
      for (const directory of [deployed.path, paths.directory, paths.services]) {
        const judged = readDeployment(directory, AT);
        assert.deepEqual(names(judged), ['api', 'web'], directory);
        assert.deepEqual([findings(judged, 'api'), findings(judged, 'web')], [[], []]);
        for (const { service } of judged.services) {
          assert.deepEqual(
            service.files.crls.map((file) => basename(dirname(file)) + '/' + basename(file)),
            ['authority/root.crl'],
          );
          assert.deepEqual(service.files.shared, { bundle: false, crls: true });
        }
      }
      const one = readDeployment(join(paths.services, 'api'), AT);
      assert.deepEqual([names(one), one.services[0]!.service.crls.length], [['api'], 1]);
    });

    it('says who was revoked', async () => {
      const workspace = await made();
      await revokeCertificates(workspace, { what: 'web' }, 'keyCompromise', clock);
      const judged = deployed.judge();
      assert.deepEqual([findings(judged, 'api'), findings(judged, 'web')], [[], ['CERT_REVOKED error web/tls.crt']]);
      assert.deepEqual(find(judged, 'web').service.roles, ['client']);
    });
  });
});
