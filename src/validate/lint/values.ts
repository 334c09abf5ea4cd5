import { type MtlsError, isError } from '../../errors.js';
import { type AccessDescription, readAccessDescriptions } from '../../pki/access.js';
import type { PublicKeyInfo } from '../../pki/algorithms.js';
import { DerReader, context, contextConstructed } from '../../pki/der.js';
import {
  type DistributionPoint,
  type IssuingDistributionPoint,
  readDistributionPoints,
  readIssuingDistributionPoint,
} from '../../pki/distribution-points.js';
import { type Extension, decodeExtension } from '../../pki/extensions.js';
import { type GeneralNames, readGeneralNames } from '../../pki/general-name.js';
import { type NameConstraints, readNameConstraints } from '../../pki/name-constraints.js';
import { OID } from '../../pki/oids.js';
import {
  type PolicyConstraints,
  type PolicyInformation,
  type PolicyMapping,
  readCertificatePolicies,
  readInhibitAnyPolicy,
  readPolicyConstraints,
  readPolicyMappings,
} from '../../pki/policies.js';

/** The values of extensions that only some readers need. What cannot be read is absent, and among the faults. */
export interface ExtensionValues {
  readonly nameConstraints?: NameConstraints;
  readonly certificatePolicies?: readonly PolicyInformation[];
  readonly policyMappings?: readonly PolicyMapping[];
  readonly policyConstraints?: PolicyConstraints;
  readonly inhibitAnyPolicy?: number;
  readonly authorityInfoAccess?: readonly AccessDescription[];
  readonly subjectInfoAccess?: readonly AccessDescription[];
  readonly freshestCrl?: readonly DistributionPoint[];
  readonly issuerAltName?: GeneralNames;
  readonly authorityKeyIdentifier?: AuthorityKey;
  readonly issuingDistributionPoint?: IssuingDistributionPoint;
  readonly deltaCrlIndicator?: string;
  readonly crlNumber?: string;
}

/** Which of the three fields of AuthorityKeyIdentifier are there (RFC 5280 §4.2.1.1). */
interface AuthorityKey {
  readonly keyId: boolean;
  readonly issuer: boolean;
  readonly serial: boolean;
}

const READERS: { readonly [Key in keyof ExtensionValues]-?: (value: Buffer) => NonNullable<ExtensionValues[Key]> } = {
  nameConstraints: readNameConstraints,
  certificatePolicies: readCertificatePolicies,
  policyMappings: readPolicyMappings,
  policyConstraints: readPolicyConstraints,
  inhibitAnyPolicy: readInhibitAnyPolicy,
  authorityInfoAccess: readAccessDescriptions,
  subjectInfoAccess: readAccessDescriptions,
  freshestCrl: readDistributionPoints,
  issuerAltName: (value) => readGeneralNames(DerReader.within(value)),
  authorityKeyIdentifier: readAuthorityKey,
  issuingDistributionPoint: readIssuingDistributionPoint,
  deltaCrlIndicator: readNumber,
  crlNumber: readNumber,
};

const READER_OF: ReadonlyMap<string, keyof ExtensionValues> = new Map(
  Object.keys(READERS).map((key) => [OID[key as keyof ExtensionValues], key as keyof ExtensionValues]),
);

/** Reads what can be read; `faults` say why the rest cannot. */
export function readValues(extensions: readonly Extension[]): { readonly values: ExtensionValues; readonly faults: readonly string[] } {
  const values: Record<string, unknown> = {};
  const faults: string[] = [];
  for (const extension of extensions) {
    const key = READER_OF.get(extension.oid);
    if (key === undefined) continue;
    try {
      values[key] = decodeExtension<unknown>(extension, READERS[key]);
    } catch (error) {
      if (!isError(error, 'DER_MALFORMED')) throw error;
      faults.push(error.message);
    }
  }
  return { values, faults };
}

function readAuthorityKey(value: Buffer): AuthorityKey {
  const reader = DerReader.within(value);
  const has = (tag: number): boolean => {
    if (reader.peek() !== tag) return false;
    reader.element();
    return true;
  };
  const found = { keyId: has(context(0)), issuer: has(contextConstructed(1)), serial: has(context(2)) };
  reader.end();
  return found;
}

function readNumber(value: Buffer): string {
  const reader = new DerReader(value);
  const number = reader.integer();
  reader.end();
  return number.toString('hex');
}

/** Is this extension there, and is it critical? */
export function criticality(extensions: readonly Extension[], oid: string): boolean | undefined {
  return extensions.find((extension) => extension.oid === oid)?.critical;
}

/** The two numbers of an RSA key (RFC 8017 §A.1.1). */
export interface RsaKey {
  readonly modulus: Buffer;
  readonly exponent: Buffer;
}

/** Undefined for keys of another kind. */
export function readRsaKey({ type, key }: PublicKeyInfo): RsaKey | undefined {
  if (type !== 'RSA') return undefined;
  const reader = DerReader.within(key);
  return { modulus: reader.integer(), exponent: reader.integer() };
}

/** Faults that BER allows: the value can be read, and DER would write it differently (X.690 §10, §11). */
const BER_FAULTS: ReadonlySet<string> = new Set([
  ...['indefinite length', 'length not minimal', 'integer not minimal', 'boolean neither 00 nor FF', 'default value encoded'],
  ...['bad unused bits', 'set not in order'],
]);

/** Is it a fault that only DER knows? */
export const isOtherwiseBer = (fault: string | undefined): boolean => fault !== undefined && BER_FAULTS.has(fault);

/** Why reading failed: the fault of the DER where there is one. */
export function derFaultOf(error: MtlsError): string | undefined {
  const { cause } = error;
  return isError(cause, 'DER_MALFORMED') ? cause.facts.fault : undefined;
}
