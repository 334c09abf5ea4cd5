import { createHash } from 'node:crypto';
import { ipToText, toHex } from '../base/bytes.js';
import type { Json } from '../base/json.js';
import { isError } from '../errors.js';
import { type AccessDescription, readAccessDescriptions } from './access.js';
import type { PublicKeyInfo } from './algorithms.js';
import { type Certificate, fingerprint } from './certificate.js';
import { type Crl, countRevoked, revokedEntries } from './crl.js';
import type { Csr } from './csr.js';
import { DerReader } from './der.js';
import {
  type DistributionPoint,
  type DistributionPointName,
  REASON_FLAGS,
  readDistributionPoints,
  readIssuingDistributionPoint,
} from './distribution-points.js';
import { type Extension, decodeCertificateExtensions, decodeExtension } from './extensions.js';
import type { GeneralNames } from './general-name.js';
import { type NameConstraints, type Subtree, readNameConstraints } from './name-constraints.js';
import { formatName, printable, stringOf, valuesOf } from './name.js';
import { OID, oidName } from './oids.js';
import { readCertificatePolicies, readInhibitAnyPolicy, readPolicyConstraints, readPolicyMappings } from './policies.js';

/** The fields of a certificate by stable names: `inspect --json` and `inspect --batch` print them. Times in ISO 8601, octets in hex. */
export function certificateFields(certificate: Certificate) {
  const { subjectAltName: names, publicKey, basicConstraints } = certificate;
  return {
    serial: serialText(certificate.serial),
    version: certificate.version,
    notBefore: isoTime(certificate.notBefore),
    notAfter: isoTime(certificate.notAfter),
    sha256: fingerprint(certificate),
    sigAlgOid: certificate.signatureAlgorithm.oid,
    cn: valuesOf(certificate.subject, OID.commonName),
    issuerCn: valuesOf(certificate.issuer, OID.commonName),
    keyType: publicKey.type,
    keyBits: publicKey.bits,
    extensions: certificate.extensions.map(({ oid, critical }) => [oid, critical] as const),
    ca: basicConstraints?.ca ?? false,
    pathLen: basicConstraints?.pathLength ?? null,
    keyUsage: certificate.keyUsage ?? [],
    eku: certificate.extendedKeyUsage ?? [],
    dns: names.dns,
    ip: names.ip,
    uri: names.uri,
    email: names.email,
    ski: certificate.subjectKeyId ?? null,
  } satisfies Record<string, Json>;
}

/** The fields of a CRL: how many entries, and the first five of them. */
export function crlFields(crl: Crl) {
  const revoked: (readonly [string, string])[] = [];
  for (const { serial, date } of revokedEntries(crl)) {
    if (revoked.length === 5) break;
    revoked.push([serialText(serial), isoTime(date)]);
  }
  return {
    thisUpdate: isoTime(crl.thisUpdate),
    nextUpdate: crl.nextUpdate === undefined ? null : isoTime(crl.nextUpdate),
    sigAlgOid: crl.signatureAlgorithm.oid,
    issuerCn: valuesOf(crl.issuer, OID.commonName),
    revokedCount: countRevoked(crl),
    revoked,
    crlNumber: crl.number === undefined ? null : serialText(crl.number),
  } satisfies Record<string, Json>;
}

/** The fields of a certification request. */
export function csrFields({ subject, signatureAlgorithm, publicKey, subjectAltName }: Csr) {
  return {
    cn: valuesOf(subject, OID.commonName),
    sigAlgOid: signatureAlgorithm.oid,
    keyType: publicKey.type,
    keyBits: publicKey.bits,
    dns: subjectAltName.dns,
    ip: subjectAltName.ip,
    uri: subjectAltName.uri,
  } satisfies Record<string, Json>;
}

/** An INTEGER's octets as people and other tools write a serial number: without the octet that only says "positive". */
export function serialText(octets: string): string {
  return octets.length > 2 && octets.startsWith('00') ? octets.slice(2) : octets;
}

/** ISO 8601 in UTC, to the second: X.509 knows no less. */
export function isoTime(time: number | Date): string {
  return `${new Date(time).toISOString().slice(0, -5)}Z`;
}

/**
 * What a certificate says beyond the fields of the contract, by stable names: absent is null or empty. An extension that
 * says nothing that RFC 5280 understands is among `otherExtensions`, with its problem.
 */
export function certificateDetails(certificate: Certificate) {
  const read = new ExtensionReading(certificate.extensions);
  const { authorityKeyId, subjectAltName, crlDistributionPoints, publicKey, der } = certificate;
  const access = read.value(OID.authorityInfoAccess, readAccessDescriptions) ?? [];
  return {
    names: namesInWords(subjectAltName),
    aki: authorityKeyId ?? null,
    ...keyPins(publicKey),
    sha1: createHash('sha1').update(der).digest('hex'),
    nameConstraints: nameConstraintsOf(read.value(OID.nameConstraints, readNameConstraints)),
    policies: (read.value(OID.certificatePolicies, readCertificatePolicies) ?? []).map(({ policy, qualifiers }) => ({
      policy,
      name: knownName(policy),
      qualifiers: [...qualifiers],
    })),
    policyMappings: [...(read.value(OID.policyMappings, readPolicyMappings) ?? [])].map((mapping) => ({ ...mapping })),
    policyConstraints: policyConstraintsOf(read),
    crlDistributionPoints: crlDistributionPoints.map(pointOf),
    freshestCrl: (read.value(OID.freshestCrl, readDistributionPoints) ?? []).map(pointOf),
    ocsp: placesOf(access, OID.ocsp),
    caIssuers: placesOf(access, OID.caIssuers),
    otherAccess: [...access, ...(read.value(OID.subjectInfoAccess, readAccessDescriptions) ?? [])]
      .filter(({ method }) => method !== OID.ocsp && method !== OID.caIssuers)
      .map(({ method, location }) => ({ method, at: namesInWords(location) })),
    mustStaple: read.value(OID.tlsFeature, tlsFeatures)?.includes(STATUS_REQUEST) ?? false,
    otherExtensions: read.others(DECODED),
  } satisfies Record<string, Json>;
}

/** What a CRL says beyond the fields of the contract. */
export function crlDetails(crl: Crl) {
  const read = new ExtensionReading(crl.extensions);
  const scope = read.value(OID.issuingDistributionPoint, readIssuingDistributionPoint);
  return {
    sha256: fingerprint(crl),
    aki: crl.authorityKeyId ?? null,
    scope:
      scope === undefined
        ? null
        : {
            at: scope.name === undefined ? [] : pointNameInWords(scope.name),
            onlyContainsUserCerts: scope.onlyContainsUserCerts,
            onlyContainsCACerts: scope.onlyContainsCACerts,
            onlyContainsAttributeCerts: scope.onlyContainsAttributeCerts,
            onlySomeReasons: scope.onlySomeReasons === undefined ? null : reasonNames(scope.onlySomeReasons),
            indirectCrl: scope.indirectCrl,
          },
    freshestCrl: (read.value(OID.freshestCrl, readDistributionPoints) ?? []).map(pointOf),
    deltaOf: read.value(OID.deltaCrlIndicator, wholeInteger) ?? null,
    reasons: firstReasons(crl),
    otherExtensions: read.others(DECODED_OF_CRL),
  } satisfies Record<string, Json>;
}

/** What a certification request asks for beyond names; its own words only, nothing is granted by them. */
export function csrDetails({ extensions, subjectAltName, publicKey }: Csr) {
  const { basicConstraints, keyUsage, extendedKeyUsage } = decodeCertificateExtensions(extensions);
  return {
    names: namesInWords(subjectAltName),
    ...keyPins(publicKey),
    asksFor: { ca: basicConstraints?.ca ?? false, keyUsage: [...(keyUsage ?? [])], eku: [...(extendedKeyUsage ?? [])] },
    otherExtensions: new ExtensionReading(extensions).others(DECODED),
  } satisfies Record<string, Json>;
}

/** SHA-256 of SubjectPublicKeyInfo: in hex, and as a pin of RFC 7469 §2.4 in the form that curl takes. */
export function keyPins({ der }: Pick<PublicKeyInfo, 'der'>): { spkiSha256: string; pin: string } {
  const digest = createHash('sha256').update(der).digest();
  return { spkiSha256: toHex(digest), pin: `sha256//${digest.toString('base64')}` };
}

/** The bytes of one extension, for whoever must judge it: `value` is hex. */
interface OtherExtension {
  readonly oid: string;
  readonly name: string | null;
  readonly critical: boolean;
  readonly value: string;
  /** Why it could not be read, where it should have been. */
  readonly problem: string | null;
}

/** Reads extensions that may be malformed: one that is becomes bytes with a problem, and the rest is read all the same. */
class ExtensionReading {
  readonly #extensions: ReadonlyMap<string, Extension>;
  readonly #problems = new Map<string, string>();

  constructor(extensions: readonly Extension[]) {
    this.#extensions = new Map(extensions.map((extension) => [extension.oid, extension]));
  }

  value<T>(oid: string, decode: (value: Buffer) => T): T | undefined {
    const extension = this.#extensions.get(oid);
    if (extension === undefined) return undefined;
    try {
      return decodeExtension(extension, decode);
    } catch (error) {
      if (!isError(error, 'DER_MALFORMED')) throw error;
      this.#problems.set(oid, error.message);
      return undefined;
    }
  }

  /** All that are not among `known`, or could not be read. */
  others(known: ReadonlySet<string>): Readonly<OtherExtension & Record<string, Json>>[] {
    return [...this.#extensions.values()]
      .filter(({ oid }) => !known.has(oid) || this.#problems.has(oid))
      .map(({ oid, critical, value }) => {
        return { oid, name: knownName(oid), critical, value: toHex(value), problem: this.#problems.get(oid) ?? null };
      });
  }
}

/** What this program calls an object identifier; null when it has no name for it. */
const knownName = (oid: string): string | null => (oidName(oid) === oid ? null : oidName(oid));

/** The extensions of a certificate whose content is among its fields. */
const DECODED: ReadonlySet<string> = new Set([
  ...[OID.basicConstraints, OID.keyUsage, OID.extendedKeyUsage, OID.subjectAltName, OID.subjectKeyIdentifier],
  ...[OID.authorityKeyIdentifier, OID.nameConstraints, OID.certificatePolicies, OID.policyMappings, OID.policyConstraints],
  ...[OID.inhibitAnyPolicy, OID.crlDistributionPoints, OID.freshestCrl, OID.authorityInfoAccess, OID.subjectInfoAccess],
  OID.tlsFeature,
]);

const DECODED_OF_CRL: ReadonlySet<string> = new Set([
  ...[OID.crlNumber, OID.authorityKeyIdentifier, OID.issuingDistributionPoint, OID.deltaCrlIndicator, OID.freshestCrl],
]);

/** Names in words that are safe for a terminal: `api`, `10.0.0.1`, `spiffe://…`; those of rare kinds with what they are. */
function namesInWords(names: GeneralNames): string[] {
  return [
    ...[...names.uri, ...names.dns, ...names.ip, ...names.email].map(printable),
    ...names.directory.map((name) => `directory ${formatName(name)}`),
    ...names.otherName.map(({ type, value }) => `${oidName(type)} ${otherNameText(value)}`),
    ...names.other.filter((tag) => tag !== 0).map((tag) => RARE_NAMES[tag] ?? `a name of kind ${tag}`),
  ];
}

const RARE_NAMES: Readonly<Record<number, string>> = { 3: 'an X.400 address', 5: 'an EDI party name', 8: 'a registered identifier' };

function otherNameText(value: Buffer): string {
  const { tag, content } = new DerReader(value).element();
  return printable(stringOf(tag, content) ?? `#${toHex(value)}`);
}

function nameConstraintsOf(constraints: NameConstraints | undefined) {
  if (constraints === undefined) return null;
  return { permitted: constraints.permitted.map(subtreeOf), excluded: constraints.excluded.map(subtreeOf) };
}

/** A subtree with its base as people write it: a CIDR block, a name of RFC 5280's form. */
function subtreeOf(subtree: Subtree): { readonly kind: string; readonly base: string } {
  switch (subtree.kind) {
    case 'ip':
      return { kind: 'ip', base: `${ipToText(subtree.address)}/${prefixLength(subtree.mask)}` };
    case 'directory':
      return { kind: 'directory', base: formatName(subtree.base) };
    case 'other':
      return { kind: 'other', base: RARE_NAMES[subtree.tag] ?? 'otherName' };
    default:
      return { kind: subtree.kind, base: printable(subtree.base) };
  }
}

/** How many ones a mask begins with; it has been checked that zeros follow. */
const prefixLength = (mask: Buffer): number => mask.reduce((sum, octet) => sum + octet.toString(2).replaceAll('0', '').length, 0);

function policyConstraintsOf(read: ExtensionReading) {
  const constraints = read.value(OID.policyConstraints, readPolicyConstraints);
  return {
    requireExplicitPolicy: constraints?.requireExplicitPolicy ?? null,
    inhibitPolicyMapping: constraints?.inhibitPolicyMapping ?? null,
    inhibitAnyPolicy: read.value(OID.inhibitAnyPolicy, readInhibitAnyPolicy) ?? null,
  };
}

/** `reasons` and `crlIssuer` are null where the point covers all reasons, and the certificate's own issuer. */
function pointOf({ name, reasons, crlIssuer }: DistributionPoint) {
  return {
    at: name === undefined ? [] : pointNameInWords(name),
    reasons: reasons === undefined ? null : reasonNames(reasons),
    crlIssuer: crlIssuer === undefined ? null : namesInWords(crlIssuer),
  };
}

function pointNameInWords(name: DistributionPointName): string[] {
  if ('full' in name) return namesInWords(name.full);
  return [`below its issuer: ${name.relative.map(({ type, value }) => `${oidName(type)}=${printable(value)}`).join('+')}`];
}

const reasonNames = (bits: readonly number[]): string[] => bits.map((bit) => REASON_FLAGS[bit] ?? String(bit));

const placesOf = (access: readonly AccessDescription[], wanted: string): string[] =>
  access.flatMap(({ method, location }) => (method === wanted ? namesInWords(location) : []));

/** `Features ::= SEQUENCE OF INTEGER` (RFC 7633 §4.1); status_request, which makes a server staple, is 5. */
const STATUS_REQUEST = 5;
function tlsFeatures(value: Buffer): number[] {
  const reader = DerReader.within(value);
  const found: number[] = [];
  while (!reader.atEnd) found.push(reader.smallInteger());
  return found;
}

function wholeInteger(value: Buffer): string {
  const reader = new DerReader(value);
  const octets = reader.integer();
  reader.end();
  return serialText(toHex(octets));
}

/** The reasons of the entries that the fields show, by their RFC names; null where none is given. */
function firstReasons(crl: Crl): (string | null)[] {
  const reasons: (string | null)[] = [];
  for (const { reason } of revokedEntries(crl)) {
    if (reasons.length === 5) break;
    reasons.push(reason === undefined ? null : String(reason));
  }
  return reasons;
}
