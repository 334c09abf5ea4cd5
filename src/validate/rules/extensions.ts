import { MtlsError, isError } from '../../errors.js';
import type { Certificate } from '../../pki/certificate.js';
import { type Extension, decodeExtension } from '../../pki/extensions.js';
import { readNameConstraints } from '../../pki/name-constraints.js';
import { OID, oidName } from '../../pki/oids.js';
import {
  KNOWN_QUALIFIERS,
  readCertificatePolicies,
  readInhibitAnyPolicy,
  readPolicyConstraints,
  readPolicyMappings,
} from '../../pki/policies.js';
import type { Finding } from '../findings.js';
import { type Rule, all, each, finding } from './rule.js';

/** The extensions that this validator applies; any other refuses when critical (RFC 5280 §4.2). */
const UNDERSTOOD: ReadonlySet<string> = new Set([
  ...[OID.basicConstraints, OID.keyUsage, OID.extendedKeyUsage, OID.subjectAltName, OID.crlDistributionPoints],
  ...[OID.nameConstraints, OID.certificatePolicies, OID.policyMappings, OID.policyConstraints, OID.inhibitAnyPolicy],
]);

/** What is read when a path is examined, and not before: it may be long, and says nothing until then. */
const READ_LATE = {
  [OID.nameConstraints]: readNameConstraints,
  [OID.certificatePolicies]: readCertificatePolicies,
  [OID.policyMappings]: readPolicyMappings,
  [OID.policyConstraints]: readPolicyConstraints,
  [OID.inhibitAnyPolicy]: readInhibitAnyPolicy,
} as const;
type Late = keyof typeof READ_LATE;

const late = new WeakMap<Extension, unknown>();

/** The value of an extension that is read late; undefined when it is not there, or is not what RFC 5280 says (which `extensions` refuses). */
export function valueOf<Oid extends Late>(certificate: Certificate, oid: Oid): ReturnType<(typeof READ_LATE)[Oid]> | undefined {
  const extension = certificate.extensions.find((candidate) => candidate.oid === oid);
  if (extension === undefined) return undefined;
  const value = read(extension, READ_LATE[oid]);
  return value instanceof MtlsError ? undefined : (value as ReturnType<(typeof READ_LATE)[Oid]>);
}

function read(extension: Extension, decode: (value: Buffer) => unknown): unknown {
  if (late.has(extension)) return late.get(extension);
  let value: unknown;
  try {
    value = decodeExtension(extension, decode);
  } catch (error) {
    if (!isError(error, 'DER_MALFORMED')) throw error;
    value = error;
  }
  late.set(extension, value);
  return value;
}

export function checkExtensions(certificate: Certificate, at: number): Finding[] {
  const findings: Finding[] = [];
  for (const extension of certificate.extensions) {
    if (findings.length < FINDINGS_TOLD) findings.push(...checkExtension(extension, certificate, at));
  }
  return findings;
}

/** Nobody reads more of them. */
const FINDINGS_TOLD = 20;

function checkExtension(extension: Extension, certificate: Certificate, at: number): Finding[] {
  const { oid, critical } = extension;
  if (critical && !UNDERSTOOD.has(oid)) {
    const why = MUST_NOT_BE_CRITICAL[oid];
    const message = why === undefined ? `${oidName(oid)} is not supported: refused` : `${oidName(oid)} must not be critical (${why})`;
    return [finding('CRITICAL_EXTENSION_UNSUPPORTED', certificate, at, message)];
  }
  const decode = Object.hasOwn(READ_LATE, oid) ? READ_LATE[oid as Late] : undefined;
  const value = decode === undefined ? undefined : read(extension, decode);
  if (value instanceof MtlsError) return [finding('EXTENSION_MALFORMED', certificate, at, value.message)];
  if (oid !== OID.certificatePolicies || !critical) return [];
  return checkQualifiers(value as ReturnType<typeof readCertificatePolicies>, certificate, at);
}

/** Extensions that we know and that a CA must not make critical: who does so means something that we do not know. */
const MUST_NOT_BE_CRITICAL: Readonly<Record<string, string>> = {
  [OID.subjectKeyIdentifier]: 'RFC 5280 §4.2.1.2',
  [OID.authorityKeyIdentifier]: 'RFC 5280 §4.2.1.1',
  [OID.authorityInfoAccess]: 'RFC 5280 §4.2.2.1',
  [OID.subjectInfoAccess]: 'RFC 5280 §4.2.2.2',
  [OID.freshestCrl]: 'RFC 5280 §4.2.1.15',
};

/** Qualifiers of critical policies must be understood (RFC 5280 §4.2.1.4); the two that are defined bind people, not programs. */
function checkQualifiers(policies: ReturnType<typeof readCertificatePolicies>, certificate: Certificate, at: number): Finding[] {
  const unknown = policies.flatMap(({ qualifiers }) => qualifiers).find((qualifier) => !KNOWN_QUALIFIERS.has(qualifier));
  if (unknown === undefined) return [];
  return [finding('CRITICAL_EXTENSION_UNSUPPORTED', certificate, at, `the policy qualifier ${unknown} is not supported: refused`)];
}

export const extensions: Rule = {
  id: 'extensions',
  title: 'critical extensions understood',
  source: 'RFC 5280 §6.1.4 (o), §6.1.5 (f), §4.2',
  concerns: all,
  check: each(all, checkExtensions),
};
