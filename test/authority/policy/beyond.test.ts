import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Granted, askedBeyond, assertAsksNoMore } from '../../../src/authority/policy/beyond.js';
import { type Csr, readCsr } from '../../../src/pki/csr.js';
import { type Node, explicit, extension, implicit, integer, name, oid, sequence, set, utf8 } from '../../../src/pki/encode.js';
import { generateKey } from '../../../src/pki/key.js';
import { csrIn } from '../../../src/pki/material.js';
import { OID } from '../../../src/pki/oids.js';
import { openssl } from '../../pki/other-tools.js';
import { csrOf } from '../../pki/requests.js';
import { failure } from '../../support/failure.js';
import { temporaryDirectory } from '../../support/material.js';
import { needs } from '../../support/programs.js';

const granted: Granted = {
  subject: [[OID.commonName, 'api']],
  names: { dns: ['api', 'api.shop.test'], ip: ['10.0.0.7', '::1'], uri: ['spiffe://shop.test/ns/default/sa/api'] },
  keyUsage: ['digitalSignature'],
  extendedKeyUsage: [OID.serverAuth, OID.clientAuth],
};
const key = generateKey('ecdsa-p256');
const NONE = { dns: [], ip: [], uri: [] };
const whats = (csr: Csr): string[] => askedBeyond(csr, granted).map(({ what }) => what);

/** A request whose subject is CN=api, with these attributes; or with these extensions. */
const attributed = (...attributes: readonly Node[]): Csr => readCsr(csrOf(key, NONE, { attributes }));
const extended = (...extensions: readonly Node[]): Csr => attributed(sequence(oid(OID.extensionRequest), set(sequence(...extensions))));
const named = (...names: readonly Node[]): Csr => extended(extension(OID.subjectAltName, false, sequence(...names)));

describe('what a request asks for beyond what is granted', () => {
  it('is nothing where it asks for that, or for less', () => {
    assert.deepEqual(whats(readCsr(csrOf(key, NONE, { attributes: null }))), []);
    assert.deepEqual(whats(readCsr(csrOf(key, { dns: ['API.shop.test'], ip: ['::1'], uri: granted.names.uri }))), []);
  });

  it('is a name of any kind, with the flag that would grant it where one would', () => {
    const csr = readCsr(
      csrOf(key, { dns: ['api', 'bank.test', '*.shop.test'], ip: ['10.0.0.8'], uri: ['spiffe://shop.test/ns/default/sa/API'] }),
    );
    assert.deepEqual(askedBeyond(csr, granted), [
      { what: 'bank.test', flag: '--dns bank.test' },
      { what: '*.shop.test', flag: "--dns '*.shop.test'" },
      { what: '10.0.0.8', flag: '--ip 10.0.0.8' },
      { what: 'spiffe://shop.test/ns/default/sa/API', flag: '--uri spiffe://shop.test/ns/default/sa/API' },
    ]);
    const other = named(
      explicit(4, name([[OID.commonName, 'inside']])),
      implicit(1, Buffer.from('ca@shop.test')),
      implicit(8, Buffer.from([0x2a, 3])),
      // otherName: [0] { type, [0] EXPLICIT value }
      embedOtherName(),
    );
    assert.deepEqual(askedBeyond(other, granted), [
      { what: 'mailbox ca@shop.test' },
      { what: 'directory name CN=inside' },
      { what: `a name of the form smtpUtf8Mailbox` },
      { what: 'a name of kind [8]' },
    ]);
  });

  it('is told so that nobody pastes or prints more than a name', () => {
    const csr = named(implicit(2, Buffer.from('x;rm -rf ~')), implicit(2, Buffer.from('$(id)')), implicit(2, Buffer.from('a\u001b[2J')));
    assert.deepEqual(askedBeyond(csr, granted), [
      { what: 'x;rm -rf ~' },
      { what: '$(id)', flag: "--dns '$(id)'" },
      { what: 'a\\u001b[2J' },
    ]);
  });

  it('is an extension that nobody here understands, or that a CA alone may have', () => {
    const csr = extended(
      extension(OID.nameConstraints, true, sequence(explicit(0, sequence(sequence(implicit(2, Buffer.from('test'))))))),
      extension(OID.certificatePolicies, false, sequence(sequence(oid('1.2.3')))),
      extension(OID.tlsFeature, false, sequence(integer(5))),
      extension('1.3.6.1.4.1.311.20.2', false, utf8('Machine')),
    );
    assert.deepEqual(whats(csr), [
      'extension nameConstraints',
      'extension certificatePolicies',
      'extension tlsFeature',
      'extension 1.3.6.1.4.1.311.20.2',
    ]);
  });

  it('is an attribute that may ask for anything: extensions as Windows once wrote them are not passed over', () => {
    const attribute = (type: string): Node => sequence(oid(type), set(utf8('x')));
    assert.deepEqual(whats(attributed(attribute('1.2.840.113549.1.9.7'), attribute('1.3.6.1.4.1.311.13.2.3'))), []);
    assert.deepEqual(whats(attributed(attribute('1.3.6.1.4.1.311.2.1.14'))), ['attribute 1.3.6.1.4.1.311.2.1.14']);
  });

  it('is held by an error with all of it', async () => {
    const csr = readCsr(csrOf(key, { dns: ['bank.test'], ip: [], uri: [] }));
    const error = await failure('CSR_ASKS_BEYOND', () => assertAsksNoMore('api.csr', csr, { ...granted, subject: [] }));
    assert.equal(error.message, 'api.csr asks for what is not granted: subject CN=api, bank.test');
    assert.deepEqual(error.hints, ['to grant the names add: --dns bank.test', 'make the request again without what cannot be granted']);
    const names = await failure('CSR_ASKS_BEYOND', () => assertAsksNoMore('api.csr', csr, granted));
    assert.deepEqual(names.hints, ['to grant it add: --dns bank.test']);
    assertAsksNoMore('api.csr', csr, { ...granted, names: { ...granted.names, dns: ['bank.test'] } });
  });
});

function embedOtherName(): Node {
  // the tag of [0] IMPLICIT SEQUENCE is that of [0] EXPLICIT; two elements in it
  const made = explicit(0, oid(OID.smtpUtf8Mailbox)) as unknown as { value: Node[] };
  made.value.push(explicit(0, utf8('a@b.test')));
  return made as unknown as Node;
}

describe('what openssl and keytool ask for', function () {
  this.timeout(60_000);
  let directory: ReturnType<typeof temporaryDirectory>;
  before(() => {
    directory = temporaryDirectory();
  });
  after(() => directory.remove());

  const requested = (subject: string, ...extensions: readonly string[]): Csr => {
    const [keyFile, out] = [join(directory.path, 'new.key'), join(directory.path, 'new.csr')];
    openssl([
      ...[
        'req',
        '-new',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:P-256',
        '-nodes',
        '-keyout',
        keyFile,
        '-out',
        out,
        '-subj',
        subject,
      ],
      ...extensions.flatMap((each) => ['-addext', each]),
    ]);
    return csrIn(readFileSync(out), out);
  };

  describe('openssl', () => {
    before(needs('openssl'));

    it('asks for nothing more when it is told to', () => {
      const csr = requested(
        '/CN=api',
        ...['subjectAltName=DNS:api,IP:10.0.0.7', 'keyUsage=critical,digitalSignature', 'extendedKeyUsage=serverAuth'],
        ...['basicConstraints=CA:FALSE', 'subjectKeyIdentifier=hash'],
      );
      assert.equal(csr.extensions.length, 5);
      assert.deepEqual(whats(csr), []);
    });

    it('asks to be a CA, and for what a CA does', () => {
      const csr = requested(
        '/CN=api',
        'basicConstraints=critical,CA:TRUE,pathlen:2',
        'keyUsage=keyCertSign,cRLSign,digitalSignature',
        'nameConstraints=permitted;DNS:test',
      );
      assert.deepEqual(whats(csr), [
        'to be a CA',
        'a path length of 2',
        'key usage keyCertSign',
        'key usage cRLSign',
        'extension nameConstraints',
      ]);
    });

    it('asks for purposes that are not granted', () => {
      const csr = requested('/CN=api', 'extendedKeyUsage=clientAuth,codeSigning,OCSPSigning,anyExtendedKeyUsage,1.2.3.4');
      const beyond = ['codeSigning', 'ocspSigning', 'anyExtendedKeyUsage', '1.2.3.4'];
      assert.deepEqual(
        whats(csr),
        beyond.map((purpose) => `extended key usage ${purpose}`),
      );
    });

    it('asks to be called what the certificate will not say', () => {
      assert.deepEqual(whats(requested('/CN=API')), []);
      assert.deepEqual(whats(requested('/C=DE/O=Shop/OU=Web/CN=api.shop.test/emailAddress=a@shop.test')), [
        ...['subject C=DE', 'subject O=Shop', 'subject OU=Web', 'subject CN=api.shop.test', 'subject emailAddress=a@shop.test'],
      ]);
      const shop = { ...granted, subject: [[OID.organizationName, 'Shop'], ...granted.subject] } satisfies Granted;
      assert.deepEqual(askedBeyond(requested('/O=Shop/CN=api'), shop), []);
    });
  });

  it('keytool asks for the identifier of its key, which it gets', function () {
    needs('keytool').call(this);
    const store = ['-keystore', join(directory.path, 'new.p12'), '-storepass', 'changeit', '-alias', 'api'];
    const run = (...args: readonly string[]): void => assert.equal(spawnSync('keytool', args, { encoding: 'utf8' }).status, 0);
    run('-genkeypair', ...store, '-keyalg', 'EC', '-dname', 'CN=api');
    const out = join(directory.path, 'java.csr');
    run('-certreq', ...store, '-file', out, '-ext', 'SAN=dns:api');
    const csr = csrIn(readFileSync(out), out);
    assert.ok(csr.extensions.some((each) => each.oid === OID.subjectKeyIdentifier));
    assert.deepEqual(whats(csr), []);
  });
});
