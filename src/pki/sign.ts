import { type KeyObject, randomBytes } from 'node:crypto';
import { signerFor } from './algorithms.js';
import { type Certificate, readCertificate } from './certificate.js';
import { type Crl, REASONS, type Reason, readCrl } from './crl.js';
import {
  type Node,
  type SubjectNames,
  algorithm,
  authorityKeyIdentifier,
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
  nothing,
  octetString,
  oid,
  sequence,
  time,
  toDer,
} from './encode.js';
import { TAG } from './der.js';
import { type Extension, KEY_USAGES, type KeyUsage } from './extensions.js';
import { keyIdentifier } from './key.js';
import type { PublicKeyInfo } from './algorithms.js';
import type { Name } from './name.js';
import { type WritableConstraints, nameConstraints } from './name-constraints-write.js';
import { OID } from './oids.js';
import { distributionPoint, ocspAccess } from './places-write.js';

/** Who signs: a CA's certificate and its private key. */
export interface Signer {
  readonly certificate: Certificate;
  readonly key: KeyObject;
}

/** What goes into a certificate. All names must be valid already. */
export interface CertificateTemplate {
  /** Attributes in order, or a name as it stands in another certificate. */
  readonly subject: readonly (readonly [type: string, value: string])[] | Name;
  readonly publicKey: PublicKeyInfo;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly ca?: { readonly pathLength?: number };
  readonly keyUsage: readonly KeyUsage[];
  readonly extendedKeyUsage?: readonly string[];
  readonly names?: SubjectNames;
  /** To be written, or as they stand in another certificate. */
  readonly nameConstraints?: WritableConstraints | Extension;
  /** Where the CRL of the issuer is to be had. */
  readonly crlUrls?: readonly string[];
  /** Where an OCSP responder answers for it. */
  readonly ocspUrls?: readonly string[];
  /** Nobody need ask whether it is revoked: that of an OCSP responder, which does not live long (RFC 6960 §4.2.2.2.1). */
  readonly ocspNoCheck?: true;
}

/** A serial number of 128 random bits, positive and never zero (RFC 5280 §4.1.2.2; 17 octets at most). */
function randomSerial(): Buffer {
  const serial = randomBytes(16);
  return serial.every((octet) => octet === 0) ? randomSerial() : serial;
}

/** Signs a version 3 certificate; without `issuer` it is self-signed by `key`. */
export function signCertificate(template: CertificateTemplate, by: Signer | { readonly key: KeyObject }): Certificate {
  const issuer = 'certificate' in by ? by.certificate : undefined;
  const { oid: signature, nullParameters, sign } = signerFor(by.key);
  const subject = 'der' in template.subject ? embed(template.subject.der) : name(template.subject);
  const tbs = sequence(
    explicit(0, integer(2)),
    integer(randomSerial()),
    algorithm(signature, nullParameters),
    issuer === undefined ? subject : embed(issuer.subject.der),
    sequence(time(template.notBefore), time(template.notAfter)),
    subject,
    embed(template.publicKey.der),
    explicit(3, sequence(...extensionsOf(template, issuer))),
  );
  return readCertificate(signed(toDer(tbs), algorithm(signature, nullParameters), sign));
}

function extensionsOf(template: CertificateTemplate, issuer: Certificate | undefined): Node[] {
  const { ca, keyUsage, extendedKeyUsage = [], names, crlUrls = [], ocspUrls = [] } = template;
  const ownId = keyIdentifier(template.publicKey);
  const issuerId = issuer === undefined ? ownId : Buffer.from(issuer.subjectKeyId ?? '', 'hex');
  const constraints = ca === undefined ? [] : [boolean(true), ...(ca.pathLength === undefined ? [] : [integer(ca.pathLength)])];
  return [
    extension(OID.basicConstraints, true, sequence(...constraints)),
    // at least one bit, or no extension (RFC 5280 §4.2.1.3)
    ...(keyUsage.length === 0 ? [] : [extension(OID.keyUsage, true, namedBits(keyUsage.map((usage) => KEY_USAGES.indexOf(usage))))]),
    ...(extendedKeyUsage.length === 0 ? [] : [extension(OID.extendedKeyUsage, false, sequence(...extendedKeyUsage.map(oid)))]),
    extension(OID.subjectKeyIdentifier, false, octetString(ownId)),
    ...(issuerId.length === 0 ? [] : [authorityKeyIdentifier(issuerId)]),
    ...(template.nameConstraints === undefined ? [] : [extension(OID.nameConstraints, true, constraintsValue(template.nameConstraints))]),
    // critical when the subject is empty (RFC 5280 §4.2.1.6)
    ...(names === undefined || isEmpty(names) ? [] : [extension(OID.subjectAltName, isNobody(template.subject), generalNames(names))]),
    ...(crlUrls.length === 0 ? [] : [extension(OID.crlDistributionPoints, false, distributionPoint(crlUrls))]),
    ...(ocspUrls.length === 0 ? [] : [extension(OID.authorityInfoAccess, false, ocspAccess(ocspUrls))]),
    ...(template.ocspNoCheck === true ? [extension(OID.ocspNoCheck, false, nothing())] : []),
  ];
}

const constraintsValue = (given: WritableConstraints | Extension): Node => ('value' in given ? embed(given.value) : nameConstraints(given));

const isNobody = (subject: CertificateTemplate['subject']): boolean =>
  ('der' in subject ? subject.attributes.length : subject.length) === 0;

/** GeneralNames has at least one name, or the extension is not there (RFC 5280 §4.2.1.6). */
const isEmpty = (names: SubjectNames): boolean => names.dns.length + names.ip.length + names.uri.length === 0;

/** What goes into a CRL. */
export interface CrlTemplate {
  readonly number: bigint;
  readonly thisUpdate: Date;
  readonly nextUpdate: Date;
  readonly revoked: Iterable<{ readonly serial: string; readonly date: Date; readonly reason: Reason }>;
}

/** Signs a version 2 CRL with its number and the issuer's key identifier (RFC 5280 §5.2). */
export function signCrl(template: CrlTemplate, by: Signer): Crl {
  const { oid: signature, nullParameters, sign } = signerFor(by.key);
  const entries = revokedDer(template.revoked);
  const tbs = element(TAG.sequence, [
    toDer(integer(1)),
    toDer(algorithm(signature, nullParameters)),
    by.certificate.subject.der,
    toDer(time(template.thisUpdate)),
    toDer(time(template.nextUpdate)),
    // absent when nothing is revoked (RFC 5280 §5.1.2.6)
    ...(entries.length === 0 ? [] : [element(TAG.sequence, entries)]),
    toDer(
      explicit(
        0,
        sequence(
          authorityKeyIdentifier(issuerKeyId(by.certificate)),
          extension(OID.crlNumber, false, integer(Buffer.from(template.number.toString(16).replace(/^(.(..)*)$/, '0$1'), 'hex'))),
        ),
      ),
    ),
  ]);
  return readCrl(signed(tbs, algorithm(signature, nullParameters), sign));
}

/** A CRL needs its issuer's key identifier (RFC 5280 §5.2.1), even when the issuer's certificate says none. */
const issuerKeyId = ({ subjectKeyId, publicKey }: Certificate): Uint8Array =>
  subjectKeyId === undefined ? keyIdentifier(publicKey) : Buffer.from(subjectKeyId, 'hex');

/** The entries, one behind the other: a tree of a million of them would not fit. Few days and reasons occur, their DER is kept. */
function revokedDer(revoked: CrlTemplate['revoked']): Buffer[] {
  const known = new Map<number, Buffer>();
  const blocks: Buffer[] = [];
  let block = Buffer.allocUnsafe(BLOCK);
  let used = 0;
  for (const { serial, date, reason } of revoked) {
    // a number: a million keys of text would cost more than the entries
    const key = Math.floor(date.getTime() / 1000) * REASONS.length + REASONS.indexOf(reason);
    let rest = known.get(key);
    if (rest === undefined) {
      // unspecified is said by leaving the reason out (RFC 5280 §5.3.1)
      rest = Buffer.concat([toDer(time(date)), ...(reason === 'unspecified' ? [] : [toDer(sequence(reasonCode(reason)))])]);
      if (known.size < 10_000) known.set(key, rest);
    }
    if (used > BLOCK - LONGEST_ENTRY) {
      blocks.push(block.subarray(0, used));
      block = Buffer.allocUnsafe(BLOCK);
      used = 0;
    }
    used = writeEntry(block, used, serial, rest);
  }
  return used === 0 ? blocks : [...blocks, block.subarray(0, used)];
}

const BLOCK = 1 << 20;
/** Of a serial number of 21 octets, a time and a reason: every length in it takes one octet. */
const LONGEST_ENTRY = 0x80;

/** `SEQUENCE { serial INTEGER, rest }` at `at`; answers where it ends. `serial` is in hex, of at most 21 octets. */
function writeEntry(block: Buffer, at: number, serial: string, rest: Buffer): number {
  const start = at + 4;
  let end = writeHex(block, start, serial);
  const isMinimal = end > start && block[start]! < 0x80 && (block[start] !== 0 || (end > start + 1 && block[start + 1]! >= 0x80));
  if (!isMinimal) {
    const minimal = toDer(integer(Buffer.from(serial, 'hex')));
    end = at + 2 + minimal.copy(block, at + 2);
  } else {
    block[at + 2] = TAG.integer;
    block[at + 3] = end - start;
  }
  // octet by octet: so few are written sooner than copied by a call
  for (let i = 0; i < rest.length; i++) block[end++] = rest[i]!;
  block[at] = TAG.sequence;
  block[at + 1] = end - at - 2;
  return end;
}

/** As `block.write(hex, at, 'hex')`, which is a call into Node for each of a million; answers where it ends. */
function writeHex(block: Buffer, at: number, hex: string): number {
  for (let i = 1; i < hex.length; i += 2) block[at++] = (digit(hex.charCodeAt(i - 1)) << 4) | digit(hex.charCodeAt(i));
  return at;
}

/** What a hex digit stands for: those above 9 are letters, 0x41 or 0x61 the first of them. */
const digit = (code: number): number => (code & 0x0f) + (code >> 6) * 9;

const reasonCode = (reason: Reason): Node => extension(OID.reasonCode, false, enumerated(REASONS.indexOf(reason)));

function signed(tbs: Buffer, signature: Node, sign: (data: Uint8Array) => Buffer): Buffer {
  return element(TAG.sequence, [tbs, toDer(signature), toDer(bitString(sign(tbs)))]);
}
