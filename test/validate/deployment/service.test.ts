import assert from 'node:assert/strict';
import { chmodSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { OID } from '../../../src/pki/oids.js';
import { unix } from '../../authority/support.js';
import { DAY, HOUR, SCHEMES, broken, rsaKey, shifted } from '../../support/chains.js';
import { certificatePem } from '../../support/material.js';
import { type Deployed, ca, crl, find, findings, key, leaf, pem, secret, tree } from './support.js';

const root = ca('root');
const issuing = ca('issuing', { by: root });
const other = ca('other');
const api = leaf('api', root);
const below = leaf('below', issuing);
const good: Readonly<Record<string, string>> = { ...secret(api, root), 'crl.pem': crl(root) };

describe('a deployed service', () => {
  let deployed: Deployed;
  beforeEach(() => {
    deployed = tree();
  });
  afterEach(() => deployed.remove());

  it('is good with its key, its chain, its CAs and its CRLs', () => {
    deployed.write('api', good);
    deployed.write('below', { ...secret(below, root), 'tls.crt': pem(below, issuing), 'crl.pem': crl(root) + crl(issuing) });
    const judged = deployed.judge();
    assert.deepEqual([findings(judged, 'api'), findings(judged, 'below')], [[], []]);
    assert.deepEqual(find(judged, 'api').service.roles, ['server', 'client']);
  });

  const late = { thisUpdate: shifted(-2 * DAY), nextUpdate: shifted(-DAY) };
  const DEFECTS: readonly (readonly [string, Record<string, string>, readonly string[]])[] = [
    ['a key that is no key', { 'tls.key': 'nothing' }, ['KEY_UNREADABLE error api/tls.key']],
    ['the key of another', { 'tls.key': key(below) }, ['KEY_MISMATCH error api/tls.key']],
    ['a certificate that is none', { 'tls.crt': 'nothing' }, ['FILE_UNRECOGNIZED error api/tls.crt']],
    ['an empty certificate', { 'tls.crt': '' }, ['FILE_EMPTY error api/tls.crt']],
    ['a torn certificate', { 'tls.crt': pem(api).slice(0, -20) }, ['PEM_MALFORMED error api/tls.crt']],
    ['an end that is past', secret(leaf('late', root, { notAfter: shifted(-HOUR) }), root), ['CERT_EXPIRED error api/tls.crt']],
    ['a beginning to come', secret(leaf('soon', root, { notBefore: shifted(HOUR) }), root), ['CERT_NOT_YET_VALID error api/tls.crt']],
    ['an issuer that is not trusted', { 'ca.crt': pem(other), 'crl.pem': crl(other) }, ['ISSUER_NOT_FOUND error api/tls.crt']],
    ['a signature that is broken', { 'tls.crt': certificatePem(broken(api.certificate)) }, ['SIGNATURE_INVALID error api/tls.crt']],
    ['a weak key', secret(leaf('weak', root, { key: rsaKey(1024), signedBy: root.key }), root), ['WEAK_KEY error api/tls.crt']],
    [
      'no purpose that TLS has',
      secret(leaf('odd', root, { purposes: [OID.emailProtection] }), root),
      ['EXTENDED_KEY_USAGE error api/tls.crt'],
    ],
    ['a missing intermediate', { ...secret(below, root), 'crl.pem': crl(root) }, ['ISSUER_NOT_FOUND error api/tls.crt']],
    ['something that does not belong in its chain', { 'tls.crt': pem(api, other) }, ['CHAIN_ORDER warning api/tls.crt']],
    [
      'its chain upside down',
      { ...secret(below, root), 'tls.crt': pem(issuing, below), 'crl.pem': crl(root) + crl(issuing) },
      ['KEY_MISMATCH error api/tls.key', 'CHAIN_ORDER warning api/tls.crt', ...Array<string>(2).fill('KEY_USAGE error api/tls.crt')],
    ],
    ['a bundle that is none', { 'ca.crt': 'nothing' }, ['FILE_UNRECOGNIZED error api/ca.crt']],
    [
      'trust in what is no CA',
      { 'ca.crt': pem(root, leaf('peer', root)) },
      ['NOT_A_CA error api/ca.crt', 'KEY_CERT_SIGN_MISSING error api/ca.crt'],
    ],
    ['trust in a CA that has ended', { 'ca.crt': pem(root, ca('old', { notAfter: shifted(-HOUR) })) }, ['CERT_EXPIRED warning api/ca.crt']],
    ['a CRL that is none', { 'crl.pem': 'nothing' }, ['FILE_UNRECOGNIZED error api/crl.pem']],
    ['a CRL that is late', { 'crl.pem': crl(root, [], late) }, ['CRL_EXPIRED error api/crl.pem']],
    ['a CRL to come', { 'crl.pem': crl(root, [], { thisUpdate: shifted(HOUR) }) }, ['CRL_NOT_YET_VALID error api/crl.pem']],
    ['a CRL that another key signed', { 'crl.pem': crl(root, [], { signedBy: other.key }) }, ['CRL_SIGNATURE_INVALID error api/crl.pem']],
    ['a CRL signed with SHA-1', { 'crl.pem': crl(root, [], { scheme: SCHEMES.ecdsaSha1 }) }, ['CRL_SIGNATURE_INVALID error api/crl.pem']],
    ['the CRL of another CA alone', { 'crl.pem': crl(other) }, ['CRL_NOT_OF_CA error api/crl.pem', 'CRL_NOT_FOUND error api/tls.crt']],
    ['been revoked', { 'crl.pem': crl(root, [api]) }, ['CERT_REVOKED error api/tls.crt']],
    [
      'no CRL for one CA of its chain',
      { ...secret(below, root), 'tls.crt': pem(below, issuing), 'crl.pem': crl(root) },
      ['CRL_NOT_FOUND error api/tls.crt'],
    ],
  ];
  for (const [title, files, expected] of DEFECTS) {
    it(`is told of ${title}`, () => {
      deployed.write('api', { ...good, ...files });
      assert.deepEqual(findings(deployed.judge()), expected);
    });
  }

  it('may have the CRL of another CA beside its own: one that peers will send', () => {
    deployed.write('api', { ...good, 'x.crl': crl(other) });
    assert.deepEqual(findings(deployed.judge()), []);
  });

  for (const [name, expected] of [
    ['tls.key', 'FILE_NOT_FOUND error api/tls.key'],
    ['tls.crt', 'FILE_NOT_FOUND error api/tls.crt'],
    ['ca.crt', 'BUNDLE_NOT_FOUND error api/tls.crt'],
  ] as const) {
    it(`is told that it has no ${name}`, () => {
      const { [name]: _, 'crl.pem': _crl, ...rest } = good;
      deployed.write('api', rest);
      assert.deepEqual(findings(deployed.judge()), [expected]);
    });
  }

  unix('is told of a link into nothing', () => {
    deployed.write('api', good);
    rmSync(join(deployed.path, 'api/ca.crt'));
    symlinkSync('..data/ca.crt', join(deployed.path, 'api/ca.crt'));
    assert.deepEqual(findings(deployed.judge()), ['FILE_NOT_FOUND error api/ca.crt']);
  });

  unix('is told that others may read its key, and judged all the same', () => {
    deployed.write('api', good);
    for (const mode of [0o640, 0o604, 0o620]) {
      chmodSync(join(deployed.path, 'api/tls.key'), mode);
      const judged = deployed.judge();
      assert.deepEqual(findings(judged), ['FILE_MODE_TOO_OPEN error api/tls.key']);
      assert.equal(find(judged, 'api').service.unable, undefined);
    }
  });

  it('does not mind shared CRLs that are for others', () => {
    deployed.write('', { 'root.crl': crl(root), 'other.crl': crl(other) });
    deployed.write('api', secret(api, root));
    deployed.write('far', secret(leaf('far', other), other));
    deployed.write('third', secret(below, issuing));
    const judged = deployed.judge();
    assert.deepEqual([findings(judged, 'api'), findings(judged, 'far')], [[], []]);
    assert.deepEqual(findings(judged, 'third'), [
      ...['CRL_NOT_OF_CA error', 'CRL_NOT_OF_CA error'].map(
        (what, i) => `${what} ${deployed.path.split('/').at(-1)}/${['other', 'root'][i]}.crl`,
      ),
      'CRL_NOT_FOUND error third/tls.crt',
    ]);
  });

  it('says what was expected and found', () => {
    deployed.write('api', { ...secret(below, root), 'tls.crt': pem(issuing, below) });
    const [mismatch, order] = find(deployed.judge(), 'api').findings;
    assert.match(mismatch!.message, /expected the key of issuing, found that of the one at place 2, below$/);
    assert.equal(order!.message, 'place 2 of the chain: expected root, the issuer of issuing, found below');
  });
});
