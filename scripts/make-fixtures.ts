/**
 * Makes fixtures/ again: `npx tsx scripts/make-fixtures.ts`. Each file has the one defect that it is named by. Keys are
 * made here and thrown away, so that a second run changes every byte and the meaning of none; all dates are fixed.
 */
import { type KeyObject, generateKeyPairSync, sign } from 'node:crypto';
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { TAG } from '../src/pki/der.js';
import {
  type Node,
  algorithm,
  bitString,
  boolean,
  element,
  embed,
  enumerated,
  explicit,
  extension,
  generalNames,
  integer,
  name,
  namedBits,
  octetString,
  oid,
  sequence,
  time,
  toDer,
} from '../src/pki/encode.js';
import { generateKey, keyIdentifier, publicKeyInfo } from '../src/pki/key.js';
import { OID } from '../src/pki/oids.js';
import { toPem } from '../src/pki/pem.js';

const FIXTURES = fileURLToPath(new URL('../fixtures/', import.meta.url));
const FROM = new Date('2024-01-01T00:00:00Z');
const UNTIL = new Date('2044-01-01T00:00:00Z');
const SPIFFE = 'spiffe://shop.test/ns/default/sa/api';

const ca = generateKey('ecdsa-p256');
const leaf = generateKey('ecdsa-p256');
const CA_NAME = name([[OID.commonName, 'fixture root']]);

const raw = (tag: number, hex: string): Node => embed(element(tag, [Buffer.from(hex, 'hex')]));
const generalizedTime = (date: Date): Node =>
  embed(element(TAG.generalizedTime, [Buffer.from(date.toISOString().replace(/[-:T]|\.\d{3}/g, ''))]));

const san = (uris: readonly string[] = [SPIFFE], dns: readonly string[] = ['api.test']): Node =>
  extension(OID.subjectAltName, false, generalNames({ uri: uris, dns, ip: [] }));
const usage = (bits: readonly number[] = [0]): Node => extension(OID.keyUsage, true, namedBits(bits));
const constraints = (...fields: readonly Node[]): Node => extension(OID.basicConstraints, true, sequence(...fields));
const GOOD: readonly Node[] = [
  constraints(),
  usage(),
  extension(OID.extendedKeyUsage, false, sequence(oid(OID.serverAuth), oid(OID.clientAuth))),
  extension(OID.subjectKeyIdentifier, false, octetString(keyIdentifier(publicKeyInfo(leaf)))),
  san(),
];

interface Parts {
  readonly version?: Node | null;
  readonly serial?: Node;
  readonly validity?: Node;
  readonly key?: KeyObject;
  readonly extensions?: readonly Node[] | null;
  readonly signer?: KeyObject;
  readonly scheme?: Node;
  readonly digest?: string;
}

/** A certificate that is right but for what is asked. */
function certificate(parts: Parts = {}): Buffer {
  const { version = explicit(0, integer(2)), serial = integer(Buffer.from('0f00d5', 'hex')), extensions = GOOD } = parts;
  const { validity = sequence(time(FROM), time(UNTIL)), signer = ca, digest = 'sha256' } = parts;
  const scheme = parts.scheme ?? algorithm(OID.ecdsaWithSha256, false);
  const tbs = toDer(
    sequence(
      ...(version === null ? [] : [version]),
      serial,
      scheme,
      CA_NAME,
      validity,
      name([[OID.commonName, 'api']]),
      embed(publicKeyInfo(parts.key ?? leaf).der),
      ...(extensions === null ? [] : [explicit(3, sequence(...extensions))]),
    ),
  );
  return toDer(sequence(embed(tbs), scheme, bitString(sign(digest, tbs, signer))));
}

function crl(version: Node | null, entry: Node): Buffer {
  const scheme = algorithm(OID.ecdsaWithSha256, false);
  const tbs = toDer(sequence(...(version === null ? [] : [version]), scheme, CA_NAME, time(FROM), time(UNTIL), sequence(entry)));
  return toDer(sequence(embed(tbs), scheme, bitString(sign('sha256', tbs, ca))));
}

const pem = (der: Buffer, label = 'CERTIFICATE'): string => toPem(label, der);
const rsa1024 = generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey;
const rsaCa = generateKey('rsa-2048');
const good = certificate();
const reason = sequence(extension(OID.reasonCode, false, enumerated(1)));
const otherName = embed(element(0xa0, [toDer(oid('1.3.6.1.4.1.311.20.2.3')), element(0xa0, [toDer(octetString(Buffer.from('x')))])]));

const FILES: Readonly<Record<string, string | Buffer>> = {
  'certs/good.pem': pem(good),
  'certs/utf8-bom.pem': `\ufeff${pem(good)}`,
  'certs/crlf.pem': pem(good).replaceAll('\n', '\r\n'),
  'certs/truncated.pem': pem(good).slice(0, 300),
  'certs/mislabelled.pem': pem(good, 'X509 CRL'),
  'certs/utf16.pem': Buffer.from(`\ufeff${pem(good)}`, 'utf16le'),
  'certs/not-der-indefinite-length.der': Buffer.concat([Buffer.from([0x30, 0x80]), good.subarray(4), Buffer.from([0, 0])]),
  'certs/not-der-long-length.der': Buffer.concat([Buffer.from([0x30, 0x83, 0]), good.subarray(2)]),
  'certs/trailing-byte.pem': pem(Buffer.concat([good, Buffer.from([0])])),
  'certs/expired.pem': pem(
    certificate({ validity: sequence(time(new Date('2020-01-01T00:00:00Z')), time(new Date('2021-01-01T00:00:00Z'))) }),
  ),
  'certs/date-no-seconds.pem': pem(
    certificate({ validity: sequence(raw(TAG.utcTime, Buffer.from('2401010000Z').toString('hex')), time(UNTIL)) }),
  ),
  'certs/date-31-february.pem': pem(
    certificate({ validity: sequence(raw(TAG.utcTime, Buffer.from('240231000000Z').toString('hex')), time(UNTIL)) }),
  ),
  'certs/generalized-time-before-2050.pem': pem(certificate({ validity: sequence(generalizedTime(FROM), generalizedTime(UNTIL)) })),
  'certs/negative-serial.pem': pem(certificate({ serial: raw(TAG.integer, 'ff00d5') })),
  'certs/serial-not-minimal.pem': pem(certificate({ serial: raw(TAG.integer, '000001') })),
  'certs/version-1.pem': pem(certificate({ version: null, extensions: null })),
  'certs/version-1-with-extensions.pem': pem(certificate({ version: null })),
  'certs/version-1-encoded.pem': pem(certificate({ version: explicit(0, integer(0)), extensions: null })),
  'certs/duplicate-extension.pem': pem(certificate({ extensions: [...GOOD, san([SPIFFE], ['other.test'])] })),
  'certs/cn-only.pem': pem(certificate({ extensions: GOOD.slice(0, -1) })),
  'certs/empty-san.pem': pem(certificate({ extensions: [...GOOD.slice(0, -1), san([], [])] })),
  'certs/two-uris.pem': pem(certificate({ extensions: [...GOOD.slice(0, -1), san([SPIFFE, 'spiffe://shop.test/ns/default/sa/web'])] })),
  'certs/other-name.pem': pem(
    certificate({ extensions: [...GOOD.slice(0, -1), extension(OID.subjectAltName, false, sequence(otherName))] }),
  ),
  'certs/key-usage-empty.pem': pem(certificate({ extensions: [constraints(), usage([]), san()] })),
  'certs/path-length-without-ca.pem': pem(certificate({ extensions: [constraints(integer(0)), usage(), san()] })),
  'certs/false-encoded.pem': pem(certificate({ extensions: [constraints(boolean(false)), usage(), san()] })),
  'certs/sha1-signed.pem': pem(certificate({ signer: rsaCa, scheme: algorithm(OID.sha1WithRsa, true), digest: 'sha1' })),
  'certs/rsa-1024.pem': pem(certificate({ key: rsa1024 })),
  'crls/version-1.pem': pem(crl(null, sequence(integer(5), time(FROM))), 'X509 CRL'),
  'crls/version-1-with-entry-extensions.pem': pem(crl(null, sequence(integer(5), time(FROM), reason)), 'X509 CRL'),
};

for (const directory of ['certs', 'crls']) {
  mkdirSync(join(FIXTURES, directory), { recursive: true });
  for (const old of readdirSync(join(FIXTURES, directory))) if (!(`${directory}/${old}` in FILES)) rmSync(join(FIXTURES, directory, old));
}
for (const [path, data] of Object.entries(FILES)) {
  mkdirSync(dirname(join(FIXTURES, path)), { recursive: true });
  writeFileSync(join(FIXTURES, path), data);
}
console.log(`${Object.keys(FILES).length} fixtures in ${FIXTURES}`);
