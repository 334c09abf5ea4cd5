import { type KeyObject, createHash, createPrivateKey, generateKeyPairSync, sign } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { certId } from '../../src/pki/cert-id.js';
import { TAG, contextConstructed } from '../../src/pki/der.js';
import {
  type Node,
  algorithm,
  bitString,
  element,
  embed,
  enumerated,
  explicit,
  extension,
  generalNames,
  implicit,
  integer,
  name,
  namedBits,
  nothing,
  octetString,
  oid,
  sequence,
  set,
  toDer,
  utf8,
} from '../../src/pki/encode.js';
import { OID } from '../../src/pki/oids.js';
import { ocspRequestFor } from '../../src/pki/ocsp-request.js';
import { readPem, toPem } from '../../src/pki/pem.js';
import type { Signer } from '../../src/pki/sign.js';
import { csrOf, sanAttribute } from '../../test/pki/requests.js';
import { AT, authority, certify, crlOf, rsaKey, shifted } from '../../test/support/chains.js';

/** The same Ed25519 key in every run, so that a seed of the campaign means the same bytes. */
function fixedKey(label: string): KeyObject {
  const prefix = Buffer.from('302e020100300506032b657004220420', 'hex');
  const der = Buffer.concat([prefix, createHash('sha256').update(`mtls fuzz ${label}`).digest()]);
  return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
}

const constructed = (n: number, ...items: readonly Node[]): Node => embed(element(contextConstructed(n), items.map(toDer)));
const tagged = (tag: number, text: string | Buffer): Node => embed(element(tag, [Buffer.from(text)]));
const ocspTime = (text: string): Node => tagged(TAG.generalizedTime, text);

export const root = authority({ name: 'root', key: fixedKey('root') });
export const middle = authority({ name: 'middle', key: fixedKey('middle'), by: root });
const names = { dns: ['api.test', '*.api.test'], ip: ['127.0.0.1', '::1'], uri: ['spiffe://shop.test/ns/default/sa/api'] };
export const leaf = certify({ name: 'api', key: fixedKey('leaf'), by: middle, names, purposes: [OID.serverAuth, OID.clientAuth] });
export const crlOfRoot = crlOf({ by: root });
export const crlOfMiddle = crlOf({ by: middle, revoked: [{ certificate: root.certificate, reason: 'superseded' }] });

export const ocspOfLeaf = ocspBy(middle);

/** Whom the issuer of the leaf delegated its answers to. */
export const responder = certify({ name: 'responder', key: fixedKey('responder'), by: middle, purposes: [OID.ocspSigning] });

/** Signs what is not to be trusted: whatever these keys sign is bent, but for what is in `honest`. */
const stranger = authority({ name: 'root', key: fixedKey('stranger') });

/** All that the trusted keys signed: whatever differs from these by a bit may not count for anything. */
export const honest: ReadonlySet<string> = new Set(
  [...[root.certificate, middle.certificate, leaf.certificate, crlOfRoot, crlOfMiddle].map(({ der }) => der), ocspOfLeaf].map((der) =>
    der.toString('latin1'),
  ),
);

const directoryName = (node: Node): Node => explicit(4, node);
const uri = (text: string): Node => implicit(6, Buffer.from(text));
const dns = (text: string): Node => implicit(2, Buffer.from(text));

/** One RDN of two attributes, and every type of string. */
const oddName = sequence(
  set(
    embed(toDer(sequence(oid(OID.commonName), utf8('zwei')))),
    embed(toDer(sequence(oid(OID.organizationName), tagged(TAG.teletexString, 'Z\xfcrich')))),
  ),
  set(sequence(oid(OID.localityName), tagged(TAG.bmpString, Buffer.from('\0Z\0\u00fc', 'latin1')))),
  set(sequence(oid(OID.localityName), tagged(TAG.universalString, Buffer.from('0001f600', 'hex')))),
  set(sequence(oid(OID.emailAddress), tagged(TAG.ia5String, 'a@b.test'))),
  set(sequence(oid('1.2.3.4'), nothing())),
);
const otherName = constructed(0, oid(OID.smtpUtf8Mailbox), explicit(0, utf8('ü@b.test')));
const subtree = (...base: readonly Node[]): Node => sequence(...base);
const point = constructed(0, constructed(0, uri('http://crl.test/a.crl')));

const EXTENSIONS: Readonly<Record<string, readonly Node[]>> = {
  'every kind of name': [
    extension(
      OID.subjectAltName,
      false,
      sequence(
        dns('a.test'),
        uri('https://a.test/'),
        implicit(1, Buffer.from('a@a.test')),
        implicit(7, Buffer.alloc(16, 1)),
        directoryName(oddName),
        otherName,
        constructed(3, nothing()),
        constructed(5, nothing()),
        implicit(8, Buffer.from([42, 3])),
      ),
    ),
  ],
  'name constraints': [
    extension(
      OID.nameConstraints,
      true,
      sequence(
        constructed(
          0,
          ...[dns('test'), dns('.test'), uri('.test'), implicit(1, Buffer.from('a.test'))].map((base) => subtree(base)),
          subtree(implicit(7, Buffer.from('7f000000ff000000', 'hex'))),
          subtree(directoryName(name([[OID.commonName, 'api']]))),
        ),
        constructed(1, subtree(dns('evil.test')), subtree(implicit(7, Buffer.alloc(32, 0xff))), subtree(otherName)),
      ),
    ),
  ],
  policies: [
    extension(
      OID.certificatePolicies,
      true,
      sequence(
        sequence(oid('1.2.3'), sequence(sequence(oid(OID.cpsQualifier), tagged(TAG.ia5String, 'https://a.test/cps')))),
        sequence(oid('1.2.4'), sequence(sequence(oid(OID.userNoticeQualifier), sequence(utf8('notice'))))),
        sequence(oid(OID.anyPolicy)),
      ),
    ),
    extension(OID.policyMappings, true, sequence(sequence(oid('1.2.3'), oid('1.2.4')), sequence(oid('1.2.4'), oid('2.999.1')))),
    extension(OID.policyConstraints, true, sequence(implicit(0, Buffer.from([0])), implicit(1, Buffer.from([3])))),
    extension(OID.inhibitAnyPolicy, true, integer(2)),
  ],
  'places and access': [
    extension(
      OID.crlDistributionPoints,
      false,
      sequence(
        sequence(point),
        sequence(point, implicit(1, Buffer.from([1, 0x7e])), constructed(2, directoryName(name([[OID.commonName, 'root']])))),
        sequence(constructed(0, constructed(1, sequence(oid(OID.commonName), utf8('relative'))))),
      ),
    ),
    extension(OID.freshestCrl, false, sequence(sequence(point))),
    extension(
      OID.authorityInfoAccess,
      false,
      sequence(sequence(oid(OID.ocsp), uri('http://ocsp.test/')), sequence(oid(OID.caIssuers), uri('http://ca.test/'))),
    ),
    extension(OID.issuerAltName, false, generalNames({ dns: ['ca.test'], ip: [], uri: [] })),
    extension(OID.tlsFeature, false, sequence(integer(5))),
    extension(OID.ocspNoCheck, false, nothing()),
    extension('1.2.3.4.5', true, utf8('unknown')),
  ],
};

const issuerAndSerial = extension(
  OID.authorityKeyIdentifier,
  false,
  sequence(implicit(0, Buffer.alloc(20, 7)), constructed(1, directoryName(oddName)), implicit(2, Buffer.from([5]))),
);

function certificates(): Buffer[] {
  const keys = [
    ...['P-256', 'P-384', 'P-521', 'secp256k1', 'brainpoolP384r1'].map(
      (namedCurve) => generateKeyPairSync('ec', { namedCurve }).privateKey,
    ),
    generateKeyPairSync('ec', { namedCurve: 'P-256', paramEncoding: 'explicit' }).privateKey,
    generateKeyPairSync('ed448').privateKey,
    rsaKey(2048),
    generateKeyPairSync('rsa-pss', { modulusLength: 1024, hashAlgorithm: 'sha256', mgf1HashAlgorithm: 'sha256' }).privateKey,
    generateKeyPairSync('dsa', { modulusLength: 1024, divisorLength: 160 }).privateKey,
  ];
  const byEc = authority({ name: 'ec root' });
  const many = Array.from({ length: 300 }, (_, i) => `host-${i}.test`);
  return [
    ...fixtures('certs', 'CERTIFICATE'),
    ...[root, middle, leaf, byEc, certify({ by: byEc, names }), certify({ key: rsaKey(2048) })].map(({ certificate }) => certificate.der),
    ...keys.map((key) => certify({ name: 'of another key', key, by: stranger }).certificate.der),
    ...Object.values(EXTENSIONS).map((more) => certify({ by: stranger, more, keyUsage: null }).certificate.der),
    // of the key that signed the leaf: a trust anchor whose constraints count
    ...Object.values(EXTENSIONS).map((more) => authority({ name: 'middle', key: middle.key, by: stranger, more }).certificate.der),
    authority({ name: 'middle', key: middle.key, by: stranger, pathLength: 0, more: Object.values(EXTENSIONS).slice(1).flat() }).certificate
      .der,
    certify({ by: stranger, bare: true }).certificate.der,
    certify({ by: stranger, authorityKeyId: issuerAndSerial, notAfter: new Date('2050-01-01T00:00:00Z') }).certificate.der,
    certify({ by: stranger, names: { dns: many } }).certificate.der,
  ];
}

function crls(): Buffer[] {
  const entry = (serial: number): Node => sequence(integer(serial), embed(element(TAG.utcTime, [Buffer.from('260601000000Z')])));
  const invalidity = extension(OID.invalidityDate, false, tagged(TAG.generalizedTime, '20260101000000Z'));
  const issuer = extension(OID.certificateIssuer, true, sequence(directoryName(name([[OID.commonName, 'root']]))));
  const odd = sequence(integer(1), tagged(TAG.generalizedTime, '20500101000000Z'), sequence(invalidity, issuer));
  const scope = sequence(
    point,
    embed(Buffer.from('8101ff', 'hex')),
    implicit(3, Buffer.from([1, 0x7e])),
    embed(Buffer.from('8401ff', 'hex')),
  );
  const list = (count: number): Buffer =>
    element(
      TAG.sequence,
      Array.from({ length: count }, (_, i) => toDer(entry(i))),
    );
  return [
    ...fixtures('crls', 'X509 CRL'),
    ...[crlOfRoot, crlOfMiddle].map(({ der }) => der),
    crlOf({
      by: stranger,
      revoked: [
        { certificate: middle.certificate, reason: 'keyCompromise' },
        { certificate: leaf.certificate, reason: 99 },
      ],
    }).der,
    crlOf({ by: stranger, list: element(TAG.sequence, [toDer(odd), toDer(entry(300))]) }).der,
    crlOf({ by: stranger, nextUpdate: null, withoutKeyId: true, more: [extension(OID.issuingDistributionPoint, true, scope)] }).der,
    crlOf({
      by: stranger,
      more: [extension(OID.deltaCrlIndicator, true, integer(1)), extension(OID.freshestCrl, false, sequence(sequence(point)))],
    }).der,
    crlOf({ by: stranger, thisUpdate: shifted(-1), list: list(100) }).der,
    crlOf({ by: stranger, list: list(4000) }).der,
  ];
}

function requests(): Buffer[] {
  const key = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  const challenge = sequence(oid('1.2.840.113549.1.9.7'), set(utf8('challenge')));
  const extensions = sequence(oid(OID.extensionRequest), set(sequence(...Object.values(EXTENSIONS).flat().slice(0, 1))));
  const usage = sequence(oid(OID.extensionRequest), set(sequence(extension(OID.keyUsage, true, namedBits([0])))));
  return [
    csrOf(key, names),
    csrOf(key, names, { attributes: null }),
    csrOf(key, names, { attributes: [] }),
    csrOf(key, names, { attributes: [challenge, sanAttribute(names)] }),
    csrOf(key, names, { attributes: [extensions] }),
    csrOf(key, names, { attributes: [usage] }),
  ];
}

interface OcspParts {
  readonly status?: Node;
  readonly responder?: Node;
  readonly digest?: string;
  readonly single?: readonly Node[];
  readonly more?: readonly Node[];
  readonly certificates?: readonly Buffer[];
}

/** A response about the leaf: good and in force, by the name of `by`, unless told otherwise. */
function ocspBy(by: Signer, parts: OcspParts = {}): Buffer {
  const {
    status = embed(Buffer.from('8000', 'hex')),
    responder = constructed(1, embed(by.certificate.subject.der)),
    digest = 'sha1',
  } = parts;
  const { single = [constructed(0, ocspTime('20260601130000Z'))], more = [], certificates = [] } = parts;
  const hashed = (bytes: Buffer): Node => octetString(createHash(digest).update(bytes).digest());
  const about = sequence(
    algorithm(digest === 'sha1' ? '1.3.14.3.2.26' : '2.16.840.1.101.3.4.2.1', true),
    hashed(middle.certificate.subject.der),
    hashed(middle.certificate.publicKey.key),
    integer(Buffer.from(leaf.certificate.serial, 'hex')),
  );
  const answer = sequence(about, status, ocspTime('20260601110000Z'), ...single);
  const data = toDer(sequence(responder, ocspTime('20260601110000Z'), sequence(answer), ...more));
  const basic = sequence(
    embed(data),
    algorithm(OID.ed25519, false),
    bitString(sign(null, data, by.key)),
    ...(certificates.length === 0 ? [] : [constructed(0, sequence(...certificates.map(embed)))]),
  );
  return toDer(sequence(enumerated(0), explicit(0, sequence(oid('1.3.6.1.5.5.7.48.1.1'), octetString(toDer(basic))))));
}

function responses(): Buffer[] {
  const nonce = constructed(1, sequence(extension('1.3.6.1.5.5.7.48.1.2', false, octetString(Buffer.alloc(16, 1)))));
  const byKey = constructed(2, octetString(createHash('sha1').update(stranger.certificate.publicKey.key).digest()));
  const revoked = constructed(1, ocspTime('20260601000000Z'), constructed(0, enumerated(1)));
  const delegate = certify({ name: 'delegate', key: fixedKey('delegate'), by: stranger, purposes: [OID.ocspSigning] });
  return [
    ocspOfLeaf,
    ocspBy(stranger, { responder: byKey, digest: 'sha256' }),
    ocspBy(stranger, { status: revoked, single: [], more: [nonce] }),
    ocspBy(stranger, { status: embed(Buffer.from('8200', 'hex')), single: [constructed(0, ocspTime('20260601130000Z')), nonce] }),
    ocspBy(delegate, { certificates: [delegate.certificate.der, stranger.certificate.der] }),
    Buffer.from('30030a0106', 'hex'),
  ];
}

function ocspRequests(): Buffer[] {
  const about = ({ certificate }: Signer, by: Signer): Node => sequence(certId(certificate, by.certificate));
  const nonce = extension(OID.ocspNonce, false, octetString(Buffer.alloc(16, 1)));
  const locator = extension('1.3.6.1.5.5.7.48.1.7', false, sequence(embed(middle.certificate.subject.der)));
  const signature = sequence(
    algorithm(OID.ed25519, false),
    bitString(Buffer.alloc(64, 1)),
    explicit(0, sequence(embed(leaf.certificate.der))),
  );
  const whole = sequence(
    explicit(1, directoryName(oddName)),
    sequence(about(leaf, middle), sequence(certId(stranger.certificate, root.certificate), explicit(0, sequence(locator)))),
    explicit(2, sequence(nonce)),
  );
  return [
    ocspRequestFor(leaf.certificate, middle.certificate),
    toDer(sequence(sequence(sequence(about(leaf, middle)), explicit(2, sequence(nonce))))),
    toDer(sequence(whole, explicit(0, signature))),
    toDer(sequence(sequence(sequence(...Array.from({ length: 40 }, () => about(leaf, middle)))))),
  ];
}

function pems(): Buffer[] {
  const key = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const closed = { format: 'pem', cipher: 'aes-128-cbc', passphrase: 'pass' } as const;
  const certificate = toPem('CERTIFICATE', leaf.certificate.der);
  const bundle = [leaf, middle, root].map(({ certificate: { der } }) => toPem('CERTIFICATE', der)).join('');
  const all = `${bundle}${toPem('X509 CRL', crlOfRoot.der)}${toPem('CERTIFICATE REQUEST', requests()[0]!)}`;
  const line = {
    id: 'a',
    leaf: certificate,
    intermediates: [toPem('CERTIFICATE', middle.certificate.der)],
    crls: [],
    at: AT.toISOString(),
  };
  const options = { purpose: 'server', host: 'api.test', maxDepth: 3, allowSha1: true, policy: { explicit: true, initial: ['1.2.3'] } };
  return [
    ...['certs', 'crls'].flatMap((directory) => fixtureFiles(directory)),
    ...[certificate, bundle, all, certificate.replaceAll('\n', '\r\n'), `\ufeffwords\n${certificate} more\n${bundle}`],
    certificate.replaceAll('\n', ''),
    toPem('TRUSTED CERTIFICATE', Buffer.concat([leaf.certificate.der, Buffer.from('3000', 'hex')])),
    ...[toPem('PKCS12', Buffer.from('3000', 'hex')), toPem('UNKNOWN', Buffer.from('x'))],
    key.privateKey.export({ format: 'pem', type: 'pkcs8' }),
    key.privateKey.export({ ...closed, type: 'pkcs8' }),
    key.privateKey.export({ ...closed, type: 'sec1' }),
    rsaKey(2048).export({ format: 'pem', type: 'pkcs1' }),
    key.publicKey.export({ format: 'pem', type: 'spki' }),
    JSON.stringify({ ...line, roots: [toPem('CERTIFICATE', root.certificate.der)] }),
    JSON.stringify({ ...line, roots: [bundle], ...options }),
    ...(['certificate', 'crl', 'csr'] as const).map((kind) =>
      JSON.stringify({ id: 'b', kind, data: (kind === 'crl' ? crlOfRoot : leaf.certificate).der.toString('base64') }),
    ),
  ].map((text) => Buffer.from(text));
}

function ledgers(): Buffer[] {
  const issued = {
    ...{ event: 'issued', at: AT, serial: '0f00d5', name: 'api', namespace: 'default', profile: 'server' },
    ...{ uri: 'spiffe://shop.test/ns/default/sa/api', notBefore: AT, notAfter: shifted(1000), sha256: 'ab'.repeat(32) },
  };
  const revoked = { event: 'revoked', at: AT, serial: '0f00d5', reason: 'keyCompromise' };
  const signed = { event: 'crl', at: AT, number: 1 };
  const lines = (...entries: readonly object[]): string => entries.map((entry) => `${JSON.stringify(entry)}\n`).join('');
  return [
    '',
    lines(issued),
    lines(signed),
    lines(issued, revoked, signed),
    `${lines(issued, signed)}{"event":"is`,
    lines(...Array<object>(500).fill(issued)),
  ].map((text) => Buffer.from(text));
}

const FIXTURES = fileURLToPath(new URL('../../fixtures/', import.meta.url));
const fixtureFiles = (directory: string): Buffer[] =>
  readdirSync(join(FIXTURES, directory))
    .sort()
    .map((file) => readFileSync(join(FIXTURES, directory, file)));

function fixtures(directory: string, label: string): Buffer[] {
  return fixtureFiles(directory).flatMap((bytes) => {
    if (bytes[0] === TAG.sequence) return [bytes];
    try {
      return readPem(bytes.toString('latin1')).flatMap((block) => (block.label === label ? [block.der] : []));
    } catch {
      return [];
    }
  });
}

export const SEEDS = { certificates, crls, requests, responses, ocspRequests, pems, ledgers };
