import { DerReader, TAG, context } from './der.js';
import { OID } from './oids.js';

/** One entry of certificatePolicies (RFC 5280 §4.2.1.4): the policy, and the identifiers of its qualifiers. */
export interface PolicyInformation {
  readonly policy: string;
  readonly qualifiers: readonly string[];
}

/** Reads the value of certificatePolicies. Throws DER_MALFORMED; a policy twice is refused (RFC 5280 §4.2.1.4). */
export function readCertificatePolicies(value: Buffer): PolicyInformation[] {
  const reader = DerReader.within(value);
  if (reader.atEnd) reader.fail('missing element', 'a policy');
  const found = new Map<string, PolicyInformation>();
  while (!reader.atEnd) {
    const item = reader.enter();
    const policy = item.oid();
    if (found.has(policy)) item.refuse('trailing bytes', `policy ${policy} a second time`);
    const list = item.enterOptional(TAG.sequence);
    item.end();
    found.set(policy, { policy, qualifiers: list === undefined ? [] : qualifiers(list) });
  }
  return [...found.values()];
}

function qualifiers(list: DerReader): string[] {
  if (list.atEnd) list.fail('missing element', 'a policy qualifier');
  const found: string[] = [];
  while (!list.atEnd) {
    const item = list.enter();
    found.push(item.oid());
    item.element();
    item.end();
  }
  return found;
}

/** One pair of policyMappings (RFC 5280 §4.2.1.5): what the issuer calls so is what the subject calls so. */
export interface PolicyMapping {
  readonly issuerDomain: string;
  readonly subjectDomain: string;
}

/** Reads the value of policyMappings. Throws DER_MALFORMED; whether anyPolicy is in it is for the validator (RFC 5280 §6.1.4 a). */
export function readPolicyMappings(value: Buffer): PolicyMapping[] {
  const reader = DerReader.within(value);
  if (reader.atEnd) reader.fail('missing element', 'a mapping');
  const found: PolicyMapping[] = [];
  while (!reader.atEnd) {
    const item = reader.enter();
    found.push({ issuerDomain: item.oid(), subjectDomain: item.oid() });
    item.end();
  }
  return found;
}

/** After how many further certificates a constraint begins (RFC 5280 §4.2.1.11); undefined where there is none. */
export interface PolicyConstraints {
  readonly requireExplicitPolicy: number | undefined;
  readonly inhibitPolicyMapping: number | undefined;
}

/** Reads the value of policyConstraints. Throws DER_MALFORMED; an empty one is refused (RFC 5280 §4.2.1.11). */
export function readPolicyConstraints(value: Buffer): PolicyConstraints {
  const reader = DerReader.within(value);
  if (reader.atEnd) reader.fail('missing element', 'requireExplicitPolicy or inhibitPolicyMapping');
  const requireExplicitPolicy = reader.peek() === context(0) ? reader.smallInteger(context(0)) : undefined;
  const inhibitPolicyMapping = reader.peek() === context(1) ? reader.smallInteger(context(1)) : undefined;
  reader.end();
  return { requireExplicitPolicy, inhibitPolicyMapping };
}

/** Reads the value of inhibitAnyPolicy (RFC 5280 §4.2.1.14). Throws DER_MALFORMED. */
export function readInhibitAnyPolicy(value: Buffer): number {
  const reader = new DerReader(value);
  const skip = reader.smallInteger();
  reader.end();
  return skip;
}

/** The qualifiers that RFC 5280 §4.2.1.4 defines, and that say something to people only. */
export const KNOWN_QUALIFIERS: ReadonlySet<string> = new Set([OID.cpsQualifier, OID.userNoticeQualifier]);
