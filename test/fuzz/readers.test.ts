import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { encodeItems, parseItems, placesIn } from '../../scripts/fuzz/elements.js';
import { nested } from '../../scripts/fuzz/mutate-der.js';
import { SEEDS, crlOfRoot, leaf, ocspOfLeaf } from '../../scripts/fuzz/seeds.js';
import { TARGETS, type Target } from '../../scripts/fuzz/targets.js';
import { Trial } from '../../scripts/fuzz/trial.js';
import { inspectLine } from '../../src/pki/batch.js';
import { countRevoked, findRevoked, readCrl } from '../../src/pki/crl.js';
import { TAG, context, contextConstructed } from '../../src/pki/der.js';
import { algorithm, element, embed, explicit, integer, octetString, oid, sequence, toDer } from '../../src/pki/encode.js';
import { crlFields } from '../../src/pki/fields.js';
import { OID, PKCS12_OID } from '../../src/pki/oids.js';
import { toPem } from '../../src/pki/pem.js';
import { readPkcs12 } from '../../src/pki/pkcs12.js';
import { answerLine } from '../../src/validate/batch.js';
import { dataInfo, pfxOf } from '../pki/pfx.js';
import { AT, certify, crlOf } from '../support/chains.js';
import { isEachWithinLimits, isWithinLimits } from './cost.js';
import { MEGABYTE, crowded, fill, inside, numberedOid, unknownExtension } from './crowded.js';

/** What a target's checks say of it, each of their steps in time; they throw where something is wrong. */
const examined = (target: Target, input: Buffer): string => isEachWithinLimits((trial) => target.check(input, trial));

describe('nested SEQUENCEs, 100,000 deep', function () {
  this.timeout(60_000);
  const deep = nested(Buffer.alloc(0), TAG.sequence, 100_000);
  const files: Readonly<Partial<Record<keyof typeof TARGETS, Buffer>>> = {
    certificate: leaf.certificate.der,
    crl: crlOfRoot.der,
    csr: SEEDS.requests()[0]!,
    ocsp: ocspOfLeaf,
  };
  for (const [name, der] of Object.entries(files)) {
    it(`are a verdict or a refusal in place of each element for ${name}`, () => {
      const target: Target = TARGETS[name as keyof typeof files];
      const count = placesIn(parseItems(der)!).length;
      for (let at = 0; at < count; at++) {
        const items = parseItems(der)!;
        const place = placesIn(items)[at]!;
        place.siblings[place.index] = { tag: TAG.sequence, content: deep, verbatim: deep };
        examined(target, encodeItems(items));
      }
    });
  }

  it('are refused in place of every kind of file', () => {
    for (const [name, target] of Object.entries(TARGETS)) {
      if (name !== 'ledger') examined(target, deep);
      if (name === 'pem')
        for (const label of ['CERTIFICATE', 'X509 CRL', 'CERTIFICATE REQUEST', 'PRIVATE KEY', 'PKCS12'])
          examined(target, Buffer.from(toPem(label, deep)));
    }
  });

  for (const text of [`${'['.repeat(100_000)}${']'.repeat(100_000)}`, `{"id":${'['.repeat(100_000)}${']'.repeat(100_000)}}`]) {
    it(`as JSON are refused as a line of a batch: ${text.slice(0, 8)}…`, () => {
      assert.equal(isWithinLimits(() => answerLine(text, AT)).valid, false);
      assert.equal(isWithinLimits(() => inspectLine(text)).ok, false);
    });
    it(`as JSON are refused as a line of the ledger: ${text.slice(0, 8)}…`, () => {
      assert.match(examined(TARGETS.ledger, Buffer.from(`${text.replace('"id"', '"event"')}\n`)), /^LEDGER_CORRUPT/);
    });
  }
});

describe('as much as fits into a megabyte', function () {
  this.timeout(60_000);
  const room = MEGABYTE - 2_000;
  const hex = (text: string) => (): Buffer => Buffer.from(text, 'hex');
  const letters = (i: number): Buffer => Buffer.from([97 + (i % 26), 97 + ((i / 26) % 26), 97 + ((i / 676) % 26)]);
  const values: Readonly<Record<string, readonly [dotted: string, item: (i: number) => Buffer]>> = {
    'empty DNS names': [OID.subjectAltName, hex('8200')],
    'DNS names': [OID.subjectAltName, (i) => element(context(2), [letters(i)])],
    addresses: [OID.subjectAltName, hex('87047f000001')],
    URIs: [OID.subjectAltName, (i) => element(context(6), [letters(i)])],
    mailboxes: [OID.subjectAltName, (i) => element(context(1), [letters(i)])],
    'directory names': [OID.subjectAltName, hex('a4023000')],
    'other names': [OID.subjectAltName, hex('a00706012aa0020500')],
    'names of kinds that nobody uses': [OID.subjectAltName, hex('8800')],
    purposes: [OID.extendedKeyUsage, hex('06012a')],
    'distribution points': [OID.crlDistributionPoints, hex('3000')],
    'names of distribution points': [OID.crlDistributionPoints, hex('3008a006a00486008200')],
    'excluded subtrees': [
      OID.nameConstraints,
      (i) => (i === 0 ? inside(fill(room - 9, hex('30028200')), contextConstructed(1)) : Buffer.alloc(MEGABYTE)),
    ],
    'networks as subtrees': [
      OID.nameConstraints,
      (i) => (i === 0 ? inside(fill(room - 9, hex('300a87087f000000ff000000')), contextConstructed(0)) : Buffer.alloc(MEGABYTE)),
    ],
    policies: [OID.certificatePolicies, (i) => inside(numberedOid(i), TAG.sequence)],
    mappings: [OID.policyMappings, (i) => element(TAG.sequence, [numberedOid(i), numberedOid(i + 1)])],
    'ways of access': [OID.authorityInfoAccess, hex('300506012a8600')],
  };
  for (const [what, [dotted, item]] of Object.entries(values)) {
    it(`of ${what} is read`, () => {
      const { certificate } = certify({ more: [crowded(dotted, room, item)] });
      assert.ok(certificate.der.length > 0.9 * MEGABYTE && certificate.der.length <= MEGABYTE);
      assert.match(examined(TARGETS.certificate, certificate.der), /leaf /);
      const line = JSON.stringify({ id: 'a', kind: 'certificate', data: certificate.der.toString('base64') });
      assert.equal(isWithinLimits(() => inspectLine(line)).ok, true);
    });
  }

  it('of extensions is read', () => {
    const { certificate } = certify({ more: [] });
    const more = (critical: boolean): Buffer => {
      const items = parseItems(certificate.der)!;
      const list = placesIn(items).find(({ item }) => item.tag === contextConstructed(3))!.item.content as { content: unknown }[];
      list[0]!.content = fill(room, (i) => unknownExtension(i, critical));
      return encodeItems(items);
    };
    for (const critical of [false, true]) assert.match(examined(TARGETS.certificate, more(critical)), /leaf /);
  });

  for (const [what, items] of Object.entries({
    'relative names': fill(room, hex('31073005060155' + '0500')),
    'attributes of one relative name': inside(fill(room, hex('300506012a0500')), TAG.set),
  })) {
    it(`of ${what} is read`, () => {
      const items_ = parseItems(leaf.certificate.der)!;
      const tbs = items_[0]!.content as ReturnType<typeof parseItems>;
      const body = tbs![0]!.content as NonNullable<ReturnType<typeof parseItems>>;
      body[5] = { tag: TAG.sequence, content: items };
      assert.match(examined(TARGETS.certificate, encodeItems(items_)), /leaf /);
    });
  }

  it('of attributes in a request is read', () => {
    const items = parseItems(SEEDS.requests()[2]!)!;
    const info = items[0]!.content as NonNullable<ReturnType<typeof parseItems>>;
    (info[0]!.content as NonNullable<ReturnType<typeof parseItems>>)[3]!.content = fill(room, hex('300506012a3100'));
    assert.match(examined(TARGETS.csr, encodeItems(items)), /true|false/);
  });

  it('of CRL entries with extensions is read', () => {
    const entry = Buffer.from('301a020101170d3236303630313030303030305a30063004060155' + '0400', 'hex');
    const list = element(TAG.sequence, [fill(room, () => fixed(entry))]);
    examined(TARGETS.crl, crlOf({ by: leaf, list }).der);
  });

  /** With the lengths that it should have. */
  const fixed = (der: Buffer): Buffer => {
    const inner = Buffer.from('020101170d3236303630313030303030305a', 'hex');
    return element(TAG.sequence, [inner, inside(Buffer.from('060155' + '0400', 'hex'), TAG.sequence, TAG.sequence), der.subarray(0, 0)]);
  };

  const bombs: Readonly<Record<string, string>> = {
    'BEGIN lines': '-----BEGIN A-----\n'.repeat(55_000),
    'BEGIN lines that are torn': '-----BEGIN '.repeat(90_000),
    'END lines': `-----BEGIN A-----\n${'-----END B-----\n'.repeat(62_000)}`,
    'the smallest blocks': '-----BEGIN A-----AAAA-----END A-----'.repeat(27_000),
    headers: `-----BEGIN A-----\n${'a: b\n'.repeat(190_000)}\nAAAA\n-----END A-----\n`,
    'blank lines': `-----BEGIN CERTIFICATE-----\n${'\n'.repeat(990_000)}-----END CERTIFICATE-----\n`,
    'lines of blanks and a colon': `-----BEGIN CERTIFICATE-----\n:${' \r'.repeat(490_000)}-----END CERTIFICATE-----\n`,
    padding: `-----BEGIN CERTIFICATE-----\n${'='.repeat(990_000)}-----END CERTIFICATE-----\n`,
    dashes: '-'.repeat(MEGABYTE),
    'certificates that are all the same': toPem('CERTIFICATE', leaf.certificate.der).repeat(1_400),
    'certificates that are none': '-----BEGIN CERTIFICATE-----MAAA-----END CERTIFICATE-----\n'.repeat(17_000),
  };
  for (const [what, text] of Object.entries(bombs)) {
    it(`of PEM is read or refused: ${what}`, () => {
      assert.ok(text.length <= MEGABYTE);
      examined(TARGETS.pem, Buffer.from(text));
    });
  }

  it('of ledger lines is read', () => {
    const line = '{"event":"crl","at":"2026-06-01T12:00:00Z","number":1}\n';
    examined(TARGETS.ledger, Buffer.from(line.repeat(MEGABYTE / line.length)));
    examined(TARGETS.ledger, Buffer.from('\n'.repeat(MEGABYTE)));
    examined(TARGETS.ledger, Buffer.from(`{"event":"${'a'.repeat(MEGABYTE - 20)}"}\n`));
  });
});

describe('a CRL of 1,000,000 entries', function () {
  this.timeout(60_000);
  it('is read, counted and searched', () => {
    const entry = Buffer.from('3015020400000000170d3236303630313030303030305a', 'hex');
    const list = Buffer.alloc(entry.length * 1_000_000, entry);
    for (let i = 0; i < 1_000_000; i++) list.writeUInt32BE(0x40000000 + i, i * entry.length + 4);
    const tbs = element(TAG.sequence, [
      toDer(algorithm(OID.ed25519, false)),
      leaf.certificate.subject.der,
      Buffer.from('170d3236303630313030303030305a', 'hex'),
      element(TAG.sequence, [list]),
    ]);
    const der = element(TAG.sequence, [tbs, toDer(algorithm(OID.ed25519, false)), Buffer.from('030200ff', 'hex')]);
    const crl = isWithinLimits(() => readCrl(der));
    assert.equal(
      isWithinLimits(() => countRevoked(crl)),
      1_000_000,
    );
    assert.equal(isWithinLimits(() => findRevoked(crl, '400f423f'))?.serial, '400f423f');
    assert.equal(isWithinLimits(() => crlFields(crl)).revokedCount, 1_000_000);
  });
});

describe('iterations of key derivation', function () {
  this.timeout(60_000);

  it('that a PKCS#12 file asks for, as many as it may, are done within two seconds', () => {
    const derivation = sequence(octetString(Buffer.alloc(8)), integer(4_990_000), algorithm(PKCS12_OID.hmacWithSha256, true));
    const scheme = sequence(
      sequence(oid(PKCS12_OID.pbkdf2), derivation),
      sequence(oid(PKCS12_OID.aes256Cbc), octetString(Buffer.alloc(16))),
    );
    const data = sequence(oid(PKCS12_OID.data), sequence(oid(PKCS12_OID.pbes2), scheme), embed(element(context(0), [Buffer.alloc(16)])));
    const encrypted = pfxOf(sequence(oid(PKCS12_OID.encryptedData), explicit(0, sequence(integer(0), data))));
    const mac = sequence(
      sequence(algorithm('2.16.840.1.101.3.4.2.1', true), octetString(Buffer.alloc(32))),
      octetString(Buffer.alloc(8)),
      integer(1_249_000),
    );
    const macked = toDer(sequence(integer(3), dataInfo(toDer(sequence())), mac));
    for (const der of [encrypted, macked]) {
      const { refused } = isWithinLimits(() => new Trial().attempt(['PASSPHRASE_WRONG'], () => readPkcs12(der, 'pass', 'x'))) as {
        refused: string;
      };
      assert.match(refused, /^PASSPHRASE_WRONG/);
    }
  });

  // in a process of its own: what hangs in OpenSSL is ended by nothing else
  it('that an encrypted key asks for, 2^31 - 1, are refused', () => {
    const derivation = sequence(octetString(Buffer.alloc(8)), integer(0x7fffffff), algorithm(PKCS12_OID.hmacWithSha256, true));
    const scheme = sequence(
      sequence(oid(PKCS12_OID.pbkdf2), derivation),
      sequence(oid(PKCS12_OID.aes256Cbc), octetString(Buffer.alloc(16))),
    );
    const pem = toPem('ENCRYPTED PRIVATE KEY', toDer(sequence(sequence(oid(PKCS12_OID.pbes2), scheme), octetString(Buffer.alloc(48)))));
    const module = new URL('../../src/pki/key.ts', import.meta.url).href;
    const program = `const { readPrivateKey } = await import('${module}'); readPrivateKey(Buffer.from(process.env.PEM), 'x', 'pass');`;
    const { status, stderr } = spawnSync(process.execPath, ['--import=tsx', '--input-type=module', '-e', program], {
      ...{
        cwd: fileURLToPath(new URL('../..', import.meta.url)),
        env: { ...process.env, PEM: pem },
        timeout: 5_000,
        killSignal: 'SIGKILL',
      },
    });
    assert.equal(status, 1, 'no answer within 5 s');
    assert.match(stderr.toString(), /MtlsError/);
  });
});
