import { toHex } from '../base/bytes.js';
import { MtlsError, isError } from '../errors.js';
import { DerReader, context, contextConstructed } from './der.js';
import { type DistributionPoint, readDistributionPoints } from './distribution-points.js';
import { type GeneralNames, NO_NAMES, readGeneralNames } from './general-name.js';
import { OID, oidName } from './oids.js';

/** One extension as it stands: its value is the content of the OCTET STRING. */
export interface Extension {
  readonly oid: string;
  readonly critical: boolean;
  readonly value: Buffer;
}

/** The bits of KeyUsage by their names (RFC 5280 §4.2.1.3), in order. */
export const KEY_USAGES = [
  'digitalSignature',
  'nonRepudiation',
  'keyEncipherment',
  'dataEncipherment',
  'keyAgreement',
  'keyCertSign',
  'cRLSign',
  'encipherOnly',
  'decipherOnly',
] as const;
export type KeyUsage = (typeof KEY_USAGES)[number];

/** The extensions of a certificate that this program reads, as values; absent ones are undefined, names are empty. */
export interface CertificateExtensions {
  readonly basicConstraints: { readonly ca: boolean; readonly pathLength: number | undefined } | undefined;
  readonly keyUsage: readonly KeyUsage[] | undefined;
  readonly extendedKeyUsage: readonly string[] | undefined;
  readonly subjectAltName: GeneralNames;
  readonly subjectKeyId: string | undefined;
  readonly authorityKeyId: string | undefined;
  readonly crlDistributionPoints: readonly DistributionPoint[];
}

/** Reads `Extensions ::= SEQUENCE OF Extension`; `reader` stands before it. The same extension twice is refused (RFC 5280 §4.2). */
export function readExtensions(reader: DerReader): Extension[] {
  const list = reader.enter();
  if (list.atEnd) list.fail('missing element', 'an extension');
  const extensions: Extension[] = [];
  const seen = new Set<string>();
  while (!list.atEnd) {
    const item = list.enter();
    const oid = item.oid();
    const critical = item.booleanDefaultFalse();
    const value = item.octetString();
    item.end();
    if (seen.has(oid)) list.refuse('trailing bytes', `extension ${oidName(oid)} a second time`);
    seen.add(oid);
    extensions.push({ oid, critical, value });
  }
  return extensions;
}

/** Decodes the extensions that we know. Throws DER_MALFORMED when one of these is not what RFC 5280 §4.2.1 says. */
export function decodeCertificateExtensions(extensions: readonly Extension[]): CertificateExtensions {
  const read = <T>(oid: string, decode: (value: Buffer) => T): T | undefined => {
    const extension = extensions.find((candidate) => candidate.oid === oid);
    return extension === undefined ? undefined : decodeExtension(extension, decode);
  };
  return {
    basicConstraints: read(OID.basicConstraints, basicConstraints),
    keyUsage: read(OID.keyUsage, keyUsage),
    extendedKeyUsage: read(OID.extendedKeyUsage, extendedKeyUsage),
    subjectAltName: read(OID.subjectAltName, (value) => readGeneralNames(DerReader.within(value))) ?? NO_NAMES,
    subjectKeyId: read(OID.subjectKeyIdentifier, subjectKeyId),
    authorityKeyId: read(OID.authorityKeyIdentifier, authorityKeyId),
    crlDistributionPoints: read(OID.crlDistributionPoints, readDistributionPoints) ?? [],
  };
}

/** Runs `decode` on the value of an extension; what it refuses is said with the extension's name, the offset counts from the value. */
export function decodeExtension<T>({ oid, value }: Pick<Extension, 'oid' | 'value'>, decode: (value: Buffer) => T): T {
  try {
    return decode(value);
  } catch (error) {
    if (!isError(error, 'DER_MALFORMED')) throw error;
    const { fault, offset, what } = error.facts;
    const place = `in the value of ${oidName(oid)}`;
    throw new MtlsError('DER_MALFORMED', { fault, offset, what: what === undefined ? place : `${what}, ${place}` }, { cause: error });
  }
}

function basicConstraints(value: Buffer): { ca: boolean; pathLength: number | undefined } {
  const reader = DerReader.within(value);
  const ca = reader.booleanDefaultFalse();
  const pathLength = reader.atEnd ? undefined : reader.smallInteger();
  reader.end();
  return { ca, pathLength };
}

function keyUsage(value: Buffer): KeyUsage[] {
  const reader = new DerReader(value);
  const bits = reader.namedBits();
  reader.end();
  return bits.flatMap((bit) => KEY_USAGES[bit] ?? []);
}

function extendedKeyUsage(value: Buffer): string[] {
  const reader = DerReader.within(value);
  if (reader.atEnd) reader.fail('missing element', 'a key purpose');
  const purposes: string[] = [];
  while (!reader.atEnd) purposes.push(reader.oid());
  return purposes;
}

function subjectKeyId(value: Buffer): string {
  const reader = new DerReader(value);
  const id = reader.octetString();
  reader.end();
  return toHex(id);
}

/** The keyIdentifier; the other two fields are read for their form only. */
export function authorityKeyId(value: Buffer): string | undefined {
  const reader = DerReader.within(value);
  const id = reader.peek() === context(0) ? toHex(reader.octetString(context(0))) : undefined;
  const issuer = reader.enterOptional(contextConstructed(1));
  if (issuer !== undefined) readGeneralNames(issuer);
  if (reader.peek() === context(2)) reader.integer(context(2));
  reader.end();
  return id;
}
