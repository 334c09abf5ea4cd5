import assert from 'node:assert/strict';
import type { KeyObject } from 'node:crypto';
import { existsSync, lstatSync, readdirSync } from 'node:fs';
import { readLedger } from '../../../src/authority/ledger/ledger.js';
import { issuedView } from '../../../src/authority/views.js';
import { type Csr, readCsr } from '../../../src/pki/csr.js';
import {
  type Node,
  type SubjectNames,
  name as directoryName,
  explicit,
  extension,
  implicit,
  oid,
  sequence,
  set,
} from '../../../src/pki/encode.js';
import { generateKey, isKeyOf } from '../../../src/pki/key.js';
import { csrIn } from '../../../src/pki/material.js';
import { OID } from '../../../src/pki/oids.js';
import { openssl } from '../../pki/other-tools.js';
import { csrOf } from '../../pki/requests.js';
import { needs } from '../../support/programs.js';
import { failure, issueOne, newWorkspace, text } from '../support.js';

const NONE: SubjectNames = { dns: [], ip: [], uri: [] };

describe('issue for a certification request', () => {
  let made: ReturnType<typeof newWorkspace>;
  let key: KeyObject;
  beforeEach(() => {
    made = newWorkspace();
    key = generateKey('ecdsa-p256');
  });
  afterEach(() => made.remove());
  const issue = (request: Csr, more = {}) => issueOne(made.workspace, { name: 'api', csr: { path: 'api.csr', request }, ...more });
  const request = (names: Partial<SubjectNames> = { dns: ['api'] }, options: Parameters<typeof csrOf>[2] = {}): Csr =>
    readCsr(csrOf(key, { ...NONE, ...names }, options));

  it('certifies its key, and has no key of its own', async () => {
    const issued = await issue(request({}, { attributes: null }));
    assert.equal(isKeyOf(key, issued.certificate.publicKey), true);
    assert.equal(issued.keyless, true);
    assert.deepEqual(
      [existsSync(issued.paths.certificate), existsSync(issued.paths.ca), existsSync(issued.paths.key)],
      [true, true, false],
    );
    assert.equal(issuedView(issued).key, null);
    assert.deepEqual(issued.certificate.subjectAltName.uri, ['spiffe://shop.test/ns/default/sa/api']);
  });

  it('takes the key of an earlier certificate away, and one that is issued later has its own again', async () => {
    const first = await issueOne(made.workspace, 'api');
    assert.equal(existsSync(first.paths.key), true);
    const second = await issue(request());
    assert.equal(second.replaced?.serial, first.certificate.serial);
    assert.equal(lstatSync(second.paths.key, { throwIfNoEntry: false }), undefined);
    assert.equal(readdirSync(second.paths.directory).length, 4);
    const third = await issueOne(made.workspace, 'api');
    assert.match(text(third.paths.key), /PRIVATE KEY/);
  });

  it('grants names that the command grants, whoever asks', async () => {
    const asked = request({
      dns: ['API', 'api.default.svc', 'a.shop.test'],
      ip: ['10.0.0.7', '::1'],
      uri: ['spiffe://shop.test/ns/default/sa/api'],
    });
    const { certificate } = await issue(asked, { dns: ['A.shop.test'], ip: ['10.0.0.7'] });
    assert.deepEqual(certificate.subjectAltName.dns.slice(-2), ['localhost', 'a.shop.test']);
    assert.equal(certificate.subjectAltName.ip.length, 3);
  });

  it('refuses names beyond these, all of them with the flags that would grant them', async () => {
    const asked = request({ dns: ['api', 'bank.test'], ip: ['10.0.0.9'], uri: ['spiffe://shop.test/ns/default/sa/admin'] });
    const error = await failure('CSR_ASKS_BEYOND', () => issue(asked), /api\.csr asks for what is not granted/);
    assert.deepEqual(error.facts.asked, ['bank.test', '10.0.0.9', 'spiffe://shop.test/ns/default/sa/admin']);
    assert.deepEqual(error.hints, ['to grant it add: --dns bank.test --ip 10.0.0.9 --uri spiffe://shop.test/ns/default/sa/admin']);
    await failure('CSR_ASKS_BEYOND', () => issue(request({ ip: ['127.0.0.1'] }), { profile: 'client' }));
    await failure('CSR_ASKS_BEYOND', () => issue(request({ dns: ['*.shop.test'] }), { dns: ['a.shop.test'] }));
    assert.equal(readLedger(made.workspace.paths.ledger).length, 2);
    assert.deepEqual(readdirSync(made.workspace.paths.services), []);
  });

  it('refuses names of kinds that are not granted here', async () => {
    const inside = explicit(4, directoryName([[OID.commonName, 'inside']]));
    const asking = (...names: readonly Node[]): Csr => {
      const attribute = sequence(oid(OID.extensionRequest), set(sequence(extension(OID.subjectAltName, false, sequence(...names)))));
      return readCsr(csrOf(key, NONE, { attributes: [attribute] }));
    };
    const error = await failure('CSR_ASKS_BEYOND', () => issue(asking(inside)));
    assert.deepEqual(error.facts.asked, ['directory name CN=inside']);
    assert.deepEqual(error.hints, ['make the request again without what cannot be granted']);
    const mixed = await failure('CSR_ASKS_BEYOND', () =>
      issue(asking(implicit(1, Buffer.from('ca@shop.test')), implicit(2, Buffer.from('bank.test')))),
    );
    assert.deepEqual(mixed.hints, ['to grant the names add: --dns bank.test', 'make the request again without what cannot be granted']);
  });

  it('refuses one that its key did not sign', async () => {
    const forged = request({ dns: ['api'] }, { signer: generateKey('ecdsa-p256') });
    await failure('CSR_SIGNATURE_INVALID', () => issue(forged), /api\.csr/);
    const der = csrOf(key, { ...NONE, dns: ['api'] });
    der[der.length - 1]! ^= 1;
    await failure('CSR_SIGNATURE_INVALID', () => issue(readCsr(der)));
  });
});

describe('issue for what openssl requests', function () {
  this.timeout(30_000);
  before(needs('openssl'));
  let made: ReturnType<typeof newWorkspace>;
  before(() => {
    made = newWorkspace();
  });
  after(() => made.remove());

  /** A request for a new key, in which `options` say what is asked. */
  function requested(name: string, newKey: readonly string[], ...options: readonly string[]): Csr {
    const [key, out] = [`${made.parent}/new.key`, `${made.parent}/new.csr`];
    openssl(['genpkey', '-out', key, ...newKey]);
    openssl(['req', '-new', '-key', key, '-out', out, '-subj', `/CN=${name}`, ...options]);
    return csrIn(Buffer.from(text(out)), out);
  }
  const issue = (name: string, request: Csr) => issueOne(made.workspace, { name, csr: { path: 'x.csr', request } });
  const rsa = (bits: number): string[] => ['-algorithm', 'RSA', '-pkeyopt', `rsa_keygen_bits:${bits}`];

  it('refuses a subject and extensions that it will not have, all of them named', async () => {
    const curve = ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-384'];
    const asked = ['-addext', 'basicConstraints=critical,CA:TRUE', '-addext', 'keyUsage=keyCertSign'];
    const { facts } = await failure('CSR_ASKS_BEYOND', () => issue('ec', requested('root', curve, ...asked)));
    assert.deepEqual(facts.asked, ['subject CN=root', 'to be a CA', 'key usage keyCertSign']);
    const { certificate } = await issue('ec', requested('ec', curve));
    assert.deepEqual([certificate.basicConstraints?.ca, certificate.keyUsage], [false, ['digitalSignature']]);
  });

  it('RSA keys may be encrypted to, RSA-PSS keys only sign (RFC 4055)', async () => {
    assert.deepEqual((await issue('rsa', requested('rsa', rsa(2048)))).certificate.keyUsage, ['digitalSignature', 'keyEncipherment']);
    const pss = requested('pss', ['-algorithm', 'RSA-PSS', '-pkeyopt', 'rsa_keygen_bits:2048']);
    assert.deepEqual((await issue('pss', pss)).certificate.keyUsage, ['digitalSignature']);
  });

  it('refuses weak keys, and those of types that TLS has no use for', async () => {
    const error = await failure('KEY_TYPE_UNSUPPORTED', () => issue('weak', requested('weak', rsa(1024))), /RSA 1024 is not supported/);
    assert.match(error.facts.expected, /RSA of at least 2048 bits/);
    await failure('KEY_TYPE_UNSUPPORTED', () => issue('ed448', requested('ed448', ['-algorithm', 'ED448'])), /Ed448/);
  });

  it('an ed25519 key has its certificate', async () => {
    assert.equal((await issue('ed', requested('ed', ['-algorithm', 'ED25519']))).certificate.publicKey.type, 'Ed25519');
  });
});
