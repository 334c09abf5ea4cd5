import { DerReader, context, contextConstructed } from './der.js';
import { type GeneralNames, readGeneralNames } from './general-name.js';
import { type NameAttribute, readRelativeName } from './name.js';

/** The bits of ReasonFlags by number (RFC 5280 §4.2.1.13); bit 0 is unused. */
export const REASON_FLAGS = [
  'unused',
  'keyCompromise',
  'cACompromise',
  'affiliationChanged',
  'superseded',
  'cessationOfOperation',
  'certificateHold',
  'privilegeWithdrawn',
  'aACompromise',
] as const;

/** Where a CRL is found: by whole names, or by what is put behind the name of the CRL's issuer. */
export type DistributionPointName = { readonly full: GeneralNames } | { readonly relative: readonly NameAttribute[] };

/** One place where a CRL is to be found (RFC 5280 §4.2.1.13). `reasons` are bit numbers of REASON_FLAGS; undefined: all. */
export interface DistributionPoint {
  readonly name: DistributionPointName | undefined;
  readonly reasons: readonly number[] | undefined;
  readonly crlIssuer: GeneralNames | undefined;
}

/** The URIs at which the CRLs of these points are to be had. */
export const crlUris = (points: readonly DistributionPoint[]): string[] =>
  points.flatMap(({ name }) => (name !== undefined && 'full' in name ? name.full.uri : []));

/**
 * Reads the value of cRLDistributionPoints, or of freshestCRL, which has the same form. Throws DER_MALFORMED.
 *
 *     DistributionPoint ::= SEQUENCE { [0] DistributionPointName, [1] ReasonFlags, [2] cRLIssuer }
 */
export function readDistributionPoints(value: Buffer): DistributionPoint[] {
  const reader = DerReader.within(value);
  if (reader.atEnd) reader.fail('missing element', 'a distribution point');
  const found: DistributionPoint[] = [];
  while (!reader.atEnd) {
    const point = reader.enter();
    const name = pointName(point.enterOptional(contextConstructed(0)));
    const reasons = point.peek() === context(1) ? point.namedBits(context(1)) : undefined;
    const issuer = point.enterOptional(contextConstructed(2));
    const crlIssuer = issuer === undefined ? undefined : readGeneralNames(issuer);
    point.end();
    found.push({ name, reasons, crlIssuer });
  }
  return found;
}

/** What a CRL covers (RFC 5280 §5.2.5). */
export interface IssuingDistributionPoint {
  readonly name: DistributionPointName | undefined;
  readonly onlyContainsUserCerts: boolean;
  readonly onlyContainsCACerts: boolean;
  readonly onlySomeReasons: readonly number[] | undefined;
  readonly indirectCrl: boolean;
  readonly onlyContainsAttributeCerts: boolean;
}

/** Reads the value of issuingDistributionPoint. Throws DER_MALFORMED. */
export function readIssuingDistributionPoint(value: Buffer): IssuingDistributionPoint {
  const reader = DerReader.within(value);
  const name = pointName(reader.enterOptional(contextConstructed(0)));
  const onlyContainsUserCerts = flag(reader, 1);
  const onlyContainsCACerts = flag(reader, 2);
  const onlySomeReasons = reader.peek() === context(3) ? reader.namedBits(context(3)) : undefined;
  const indirectCrl = flag(reader, 4);
  const onlyContainsAttributeCerts = flag(reader, 5);
  reader.end();
  return { name, onlyContainsUserCerts, onlyContainsCACerts, onlySomeReasons, indirectCrl, onlyContainsAttributeCerts };
}

/** `[0] { [0] fullName | [1] nameRelativeToCRLIssuer }` */
function pointName(reader: DerReader | undefined): DistributionPointName | undefined {
  if (reader === undefined) return undefined;
  const full = reader.enterOptional(contextConstructed(0));
  const name = full === undefined ? { relative: readRelativeName(reader, contextConstructed(1)) } : { full: readGeneralNames(full) };
  reader.end();
  return name;
}

/** `[n] IMPLICIT BOOLEAN DEFAULT FALSE` */
function flag(reader: DerReader, n: number): boolean {
  if (reader.peek() !== context(n)) return false;
  const content = reader.content(context(n));
  if (content.length !== 1 || content[0] !== 0xff) reader.refuse('default value encoded', 'a flag');
  return true;
}
