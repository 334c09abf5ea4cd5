import assert from 'node:assert/strict';
import { chmodSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { OID } from '../../../src/pki/oids.js';
import type { Signer } from '../../../src/pki/sign.js';
import { type Deployment, servicesIn } from '../../../src/validate/deployment/deployment.js';
import { pairsOf } from '../../../src/validate/deployment/pairs.js';
import { readPolicy } from '../../../src/validate/deployment/policy.js';
import type { Service } from '../../../src/validate/deployment/service.js';
import { pairsView } from '../../../src/validate/deployment/views.js';
import { verify } from '../../../src/validate/verify.js';
import { failure } from '../../authority/support.js';
import { AT, DAY, HOUR, shifted } from '../../support/chains.js';
import { type Deployed, ca, crl, key, leaf, pem, secret, tree } from './support.js';

const root = ca('root');
const far = ca('far');
const api = leaf('api', root);
const web = leaf('web', root);

describe('pairs of deployed services', () => {
  let deployed: Deployed;
  beforeEach(() => {
    deployed = tree();
  });
  afterEach(() => deployed.remove());

  /** `client -> server: ok`, or who refuses with which code; ` -` behind what is not meant to work. */
  const pairs = (deployment: Deployment, policy?: string): string[] => {
    const read = policy === undefined ? undefined : readPolicy(file(policy), servicesIn(deployment));
    return pairsView(deployment, read).pairs!.map(
      ({ client, server, ok, meant, refusedBy, code }) =>
        `${client} -> ${server}: ${ok ? 'ok' : `${refusedBy} ${code}`}${meant ? '' : ' -'}`,
    );
  };
  const file = (text: string): string => {
    writeFileSync(join(deployed.path, 'policy'), text);
    return join(deployed.path, 'policy');
  };
  const refusals = (deployment: Deployment): string[] =>
    pairsView(deployment, undefined).refusals.map(
      ({ service, as, code, refusedBy }) => `${refusedBy.join(', ')} | ${service} as ${as} | ${code}`,
    );

  it('are two for each two services, and work where both trust each other', () => {
    deployed.write('api', secret(api, root));
    deployed.write('web', secret(web, root));
    deployed.write('db', secret(leaf('db', root), root));
    const view = pairsView(deployed.judge(), undefined);
    assert.deepEqual(view.counts, { total: 6, ok: 6, refused: 0, notMeant: 0 });
    assert.deepEqual(view.refusals, []);
    assert.deepEqual(view.pairs![0], { client: 'api', server: 'db', ok: true, meant: true, refusedBy: null, code: null, message: null });
  });

  it('do not work over two roots, and the client is the first to say so', () => {
    deployed.write('api', secret(api, root));
    deployed.write('far', secret(leaf('far', far), far));
    assert.deepEqual(pairs(deployed.judge()), ['api -> far: client ISSUER_NOT_FOUND', 'far -> api: client ISSUER_NOT_FOUND']);
  });

  it('work over two roots when both trust both', () => {
    deployed.write('api', secret(api, root, far));
    deployed.write('far', secret(leaf('far', far), far, root));
    assert.deepEqual(pairs(deployed.judge()), ['api -> far: ok', 'far -> api: ok']);
  });

  it('where one side trusts the other only, that other one refuses, as client or as server', () => {
    deployed.write('api', secret(api, root, far));
    deployed.write('far', secret(leaf('far', far), far));
    const judged = deployed.judge();
    assert.deepEqual(pairs(judged), ['api -> far: server ISSUER_NOT_FOUND', 'far -> api: client ISSUER_NOT_FOUND']);
    assert.deepEqual(refusals(judged), ['far | api as client | ISSUER_NOT_FOUND', 'far | api as server | ISSUER_NOT_FOUND']);
  });

  it('know only the CRLs that each one has', () => {
    deployed.write('api', { ...secret(api, root), 'crl.pem': crl(root, [web]) });
    deployed.write('db', secret(leaf('db', root), root));
    deployed.write('web', secret(web, root));
    assert.deepEqual(pairs(deployed.judge()), [
      ...['api -> db: ok', 'api -> web: client CERT_REVOKED'],
      ...['db -> api: ok', 'db -> web: ok'],
      ...['web -> api: server CERT_REVOKED', 'web -> db: ok'],
    ]);
  });

  it('fail for a server out of date, whoever asks', () => {
    deployed.write('api', secret(leaf('api', root, { notAfter: shifted(-HOUR) }), root));
    deployed.write('web', secret(web, root));
    const judged = deployed.judge();
    assert.deepEqual(pairs(judged), ['api -> web: server CERT_EXPIRED', 'web -> api: client CERT_EXPIRED']);
    assert.deepEqual(refusals(judged), ['web | api as client | CERT_EXPIRED', 'web | api as server | CERT_EXPIRED']);
  });

  it('are meant where one is a client and the other a server', () => {
    deployed.write('server', secret(leaf('server', root, { purposes: [OID.serverAuth] }), root));
    deployed.write('client', secret(leaf('client', root, { purposes: [OID.clientAuth] }), root));
    deployed.write('any', secret(leaf('any', root, { purposes: [OID.anyExtendedKeyUsage] }), root));
    const judged = deployed.judge();
    assert.deepEqual(pairs(judged), [
      ...['any -> client: client EXTENDED_KEY_USAGE -', 'any -> server: ok'],
      ...['client -> any: ok', 'client -> server: ok'],
      ...['server -> any: server EXTENDED_KEY_USAGE -', 'server -> client: client EXTENDED_KEY_USAGE -'],
    ]);
    assert.deepEqual(refusals(judged), []);
  });

  it('fail for who has no key, no certificate, or trusts nobody', () => {
    const { 'tls.key': _key, ...keyless } = secret(leaf('keyless', root), root);
    deployed.write('keyless', keyless);
    deployed.write('torn', { ...secret(leaf('torn', root), root), 'tls.crt': 'nothing' });
    const { 'ca.crt': _ca, ...lonely } = secret(leaf('lonely', root), root);
    deployed.write('lonely', lonely);
    deployed.write('web', secret(web, root));
    const judged = deployed.judge();
    const ofWeb = pairs(judged).filter((pair) => pair.includes('web'));
    assert.deepEqual(ofWeb, [
      ...['keyless -> web: client FILE_NOT_FOUND', 'lonely -> web: client BUNDLE_NOT_FOUND', 'torn -> web: client FILE_UNRECOGNIZED'],
      ...['web -> keyless: server FILE_NOT_FOUND', 'web -> lonely: server BUNDLE_NOT_FOUND', 'web -> torn: server FILE_UNRECOGNIZED'],
    ]);
    assert.deepEqual(refusals(judged).toSorted(), [
      ...[' | keyless as null | FILE_NOT_FOUND', ' | lonely as null | BUNDLE_NOT_FOUND', ' | torn as null | FILE_UNRECOGNIZED'],
    ]);
  });

  it('fail for all who cannot read a CRL of theirs: nobody is known not to be revoked', () => {
    deployed.write('api', { ...secret(api, root), 'crl.pem': 'nothing' });
    deployed.write('web', secret(web, root));
    assert.deepEqual(pairs(deployed.judge()), ['api -> web: client CRL_NOT_FOUND', 'web -> api: server CRL_NOT_FOUND']);
  });

  it('are not refused for a key that others may read', () => {
    deployed.write('api', secret(api, root));
    deployed.write('web', secret(web, root));
    chmodSync(join(deployed.path, 'api/tls.key'), 0o644);
    assert.deepEqual(pairs(deployed.judge()), ['api -> web: ok', 'web -> api: ok']);
  });

  it('are counted, and not listed, where they are too many', () => {
    deployed.write('api', secret(api, root));
    deployed.write('web', secret(web, root));
    const view = pairsView(deployed.judge(), undefined, 1);
    assert.deepEqual([view.pairs, view.counts.total], [null, 2]);
  });

  describe('by a policy', () => {
    beforeEach(() => {
      deployed.write('shop/api', secret(api, root));
      deployed.write('shop/web', secret(web, root));
      deployed.write('db', secret(leaf('db', root), root));
    });

    for (const [title, line] of [
      ['names', 'shop/web -> shop/api # as it should be'],
      ['SPIFFE IDs', 'spiffe://shop.test/ns/default/sa/web -> spiffe://shop.test/ns/*/sa/api'],
    ] as const) {
      it(`are allowed by ${title}`, () => {
        const ok = pairs(deployed.judge(), `# who may talk\n\n${line}\n`).filter((pair) => !pair.endsWith('server NOT_ALLOWED -'));
        assert.deepEqual(ok, ['shop/web -> shop/api: ok']);
      });
    }

    it('a star is one whole segment', () => {
      const ok = pairs(deployed.judge(), 'shop/* -> db\n* -> shop/api').filter((pair) => !pair.endsWith('server NOT_ALLOWED -'));
      assert.deepEqual(ok, ['db -> shop/api: ok', 'shop/api -> db: ok', 'shop/web -> db: ok']);
    });

    it('whoever is allowed and cannot is refused, also for its purpose', () => {
      deployed.write('job', secret(leaf('job', root, { purposes: [OID.clientAuth] }), root));
      const judged = deployed.judge();
      assert.ok(pairs(judged, 'db -> job').includes('db -> job: client EXTENDED_KEY_USAGE'));
      const policy = readPolicy(file('db -> job'), servicesIn(judged));
      assert.deepEqual(pairsView(judged, policy).counts, { total: 12, ok: 0, refused: 1, notMeant: 11 });
    });

    it('a line about nobody is a finding', () => {
      const policy = readPolicy(file('shop/web -> shop/apj\nspiffe://shop.test/x -> nobody'), servicesIn(deployed.judge()));
      assert.deepEqual(
        policy.findings.map(({ code, severity, message }) => `${code} ${severity} ${message}`),
        [
          'POLICY_UNMATCHED warning line 1, shop/web -> shop/apj: no server of that name here',
          'POLICY_UNMATCHED warning line 2, spiffe://shop.test/x -> nobody: no client and no server of that name here',
        ],
      );
    });

    it('cannot be read when a line is none', async () => {
      const services = servicesIn(deployed.judge());
      const lines = ['web', 'web ->', '-> api', 'web -> api -> db', 'web and db -> api', 'spiffe://*/x -> api', 'dns:x -> api', ''];
      for (const line of lines) await failure('VALUE_INVALID', () => readPolicy(file(`${line}\n#\n`), services));
      const where = /policy line 2/;
      await failure('VALUE_INVALID', () => readPolicy(file('db -> db\nx'), services), where);
    });
  });

  it('come out as if each had been verified alone', () => {
    const issuing = ca('issuing', { by: root });
    const crossed = ca('issuing', { by: far, key: issuing.key });
    const namesake = ca('root');
    const bundles = [[root], [far], [root, far], [far, root], [namesake], [namesake, root], [issuing, far], [crossed]];
    const lists = [
      '',
      crl(root),
      crl(root) + crl(issuing),
      crl(issuing) + crl(far) + crl(root),
      crl(far),
      crl(root, [], { thisUpdate: shifted(-2 * DAY), nextUpdate: shifted(-HOUR) }),
      crl(root, [api, web]) + crl(issuing),
      'nothing',
    ];
    const own = (signer: Signer, ...behind: Signer[]) => ({ 'tls.crt': pem(signer, ...behind), 'tls.key': key(signer) });
    const below = leaf('below', issuing);
    const leaves = [
      ...[own(api), own(web), own(below, issuing), own(below, crossed), own(below), own(below, crossed, issuing)],
      ...[own(leaf('far', far)), own(leaf('late', root, { notAfter: shifted(-HOUR) })), own(leaf('fake', namesake))],
      ...[own(leaf('client', root, { purposes: [OID.clientAuth] })), own(leaf('server', far, { purposes: [OID.serverAuth] })), own(root)],
    ];
    const service = fc.record({
      own: fc.constantFrom(...leaves),
      trusted: fc.constantFrom(...bundles),
      list: fc.constantFrom(...lists),
    });
    fc.assert(
      fc.property(fc.array(service, { minLength: 2, maxLength: 8 }), (made) => {
        rmSync(join(deployed.path, 'all'), { recursive: true, force: true });
        made.forEach(({ own: files, trusted, list }, i) =>
          deployed.write(`all/s${i}`, { ...files, 'ca.crt': pem(...trusted), ...(list === '' ? {} : { 'crl.pem': list }) }),
        );
        const judged = deployed.judge();
        const services = servicesIn(judged);
        for (const { client, server, refusal } of pairsOf(services, judged.acceptance)) {
          const byClient = alone(client, server, 'server');
          const byServer = alone(server, client, 'client');
          assert.equal(refusal === undefined, byClient.valid && byServer.valid, `${client.name} -> ${server.name}`);
          if (refusal === undefined) continue;
          assert.equal(refusal.by, byClient.valid ? 'server' : 'client');
          const { errors } = byClient.valid ? byServer : byClient;
          assert.ok(errors.some(({ code, message }) => code === refusal.reason.code && message === refusal.reason.message));
        }
      }),
      { numRuns: 60, seed: 4 },
    );
  }).timeout(60_000);
});

/** The question as `verify` is asked it, with nothing shared. */
function alone(acceptor: Service, presenter: Service, purpose: 'client' | 'server') {
  const [first, ...intermediates] = presenter.chain;
  const { bundle, crls, hasAllCrls } = acceptor;
  const trust = { roots: bundle, crls, revocation: hasAllCrls ? 'when given' : 'required' } as const;
  return verify({ leaf: first!, intermediates, ...trust, purpose, at: AT });
}
