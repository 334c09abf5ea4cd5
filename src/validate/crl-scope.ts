import { isError } from '../errors.js';
import type { Certificate } from '../pki/certificate.js';
import type { Crl } from '../pki/crl.js';
import { type DistributionPointName, type IssuingDistributionPoint, readIssuingDistributionPoint } from '../pki/distribution-points.js';
import { decodeExtension } from '../pki/extensions.js';
import type { GeneralNames } from '../pki/general-name.js';
import { type Name, canonicalName, isSameName } from '../pki/name.js';
import { OID } from '../pki/oids.js';

/** What a CRL says that it is about; `malformed` when it cannot be told, undefined when it is about everything. */
export function scopeOf(crl: Crl): IssuingDistributionPoint | 'malformed' | undefined {
  const extension = crl.extensions.find(({ oid }) => oid === OID.issuingDistributionPoint);
  if (extension === undefined) return undefined;
  try {
    return decodeExtension(extension, readIssuingDistributionPoint);
  } catch (error) {
    if (!isError(error, 'DER_MALFORMED')) throw error;
    return 'malformed';
  }
}

/** The bits of ReasonFlags 1 to 8 (RFC 5280 §4.2.1.13). */
export const ALL_REASONS = 0b1_1111_1110;

const maskOf = (reasons: readonly number[] | undefined): number =>
  reasons === undefined ? ALL_REASONS : reasons.reduce((mask, bit) => mask | (1 << bit), 0) & ALL_REASONS;

/**
 * For which reasons a CRL of the certificate's issuer says whether the certificate is revoked: a mask of ReasonFlags, 0
 * when the certificate is none of its business (RFC 5280 §6.3.3 b 2, d). `scope` is that of the CRL.
 */
export function coverage(scope: IssuingDistributionPoint | undefined, certificate: Certificate): number {
  if (scope === undefined) return ALL_REASONS;
  const isCa = certificate.basicConstraints?.ca === true;
  if (scope.onlyContainsAttributeCerts || (scope.onlyContainsUserCerts && isCa) || (scope.onlyContainsCACerts && !isCa)) return 0;
  const reasons = maskOf(scope.onlySomeReasons);
  const { name } = scope;
  if (name === undefined) return reasons;
  // without a distribution point of its own a certificate belongs to the CRL that has its issuer's name (RFC 5280 §6.3.3, end)
  if (certificate.crlDistributionPoints.length === 0) return isPointNamed(name, certificate.issuer) ? reasons : 0;
  let covered = 0;
  for (const point of certificate.crlDistributionPoints) {
    // what another issuer's CRL says of this certificate would be an indirect one
    if (point.crlIssuer !== undefined || point.name === undefined) continue;
    if (isSamePoint(name, point.name, certificate.issuer)) covered |= reasons & maskOf(point.reasons);
  }
  return covered;
}

const isPointNamed = (name: DistributionPointName, issuer: Name): boolean =>
  'full' in name && name.full.directory.some((directory) => isSameName(directory, issuer));

/** Have the two points a name in common (RFC 5280 §6.3.3 b 2 i)? A relative one stands behind the name of the CRL's issuer. */
function isSamePoint(a: DistributionPointName, b: DistributionPointName, issuer: Name): boolean {
  if ('full' in a && 'full' in b) return hasCommonName(a.full, b.full);
  const [wholeA, wholeB] = [wholeNames(a, issuer), wholeNames(b, issuer)];
  const known = new Set(wholeB);
  return wholeA.some((name) => known.has(name));
}

function hasCommonName(a: GeneralNames, b: GeneralNames): boolean {
  const common = (one: readonly string[], other: readonly string[]): boolean => {
    const known = new Set(other);
    return one.some((name) => known.has(name));
  };
  const folded = (names: readonly string[]): string[] => names.map((name) => name.toLowerCase());
  return (
    common(a.uri, b.uri) ||
    common(folded(a.dns), folded(b.dns)) ||
    common(a.ip, b.ip) ||
    common(a.email, b.email) ||
    common(a.directory.map(canonicalName), b.directory.map(canonicalName))
  );
}

/** The directory names that a point has, as texts that are the same for the same name. */
function wholeNames(name: DistributionPointName, issuer: Name): string[] {
  if ('full' in name) return name.full.directory.map(canonicalName);
  const rdn = (issuer.attributes.at(-1)?.rdn ?? -1) + 1;
  const whole = { der: Buffer.alloc(0), attributes: [...issuer.attributes, ...name.relative.map((attribute) => ({ ...attribute, rdn }))] };
  return [canonicalName(whole)];
}

/** Is it a delta CRL: what changed since another one (RFC 5280 §5.2.4)? */
export const isDelta = (crl: Crl): boolean => crl.extensions.some(({ oid }) => oid === OID.deltaCrlIndicator);
