import { ipToBytes } from '../../src/base/bytes.js';
import { contextConstructed } from '../../src/pki/der.js';
import {
  type Node,
  boolean,
  element,
  embed,
  extension,
  implicit,
  integer,
  name as nameOf,
  namedBits,
  oid,
  sequence,
  toDer,
} from '../../src/pki/encode.js';
import { OID } from '../../src/pki/oids.js';

/** Extensions as tests want them, good or bad. Each is a whole extension, for the `more` of a recipe. */

type Attributes = readonly (readonly [type: string, value: string])[];

/** Bases of subtrees by kind: `ip` as address/mask, `directory` as attributes. */
export interface Bases {
  readonly dns?: readonly string[];
  readonly email?: readonly string[];
  readonly uri?: readonly string[];
  readonly ip?: readonly string[];
  readonly directory?: readonly Attributes[];
  /** General names as they are. */
  readonly raw?: readonly Node[];
}

/** One GeneralName of each that is given; an address has a mask behind `/`, or stands alone. */
export function generalNamesOf({ dns = [], email = [], uri = [], ip = [], directory = [], raw = [] }: Bases): Node[] {
  const text = (tag: number, values: readonly string[]): Node[] => values.map((value) => implicit(tag, Buffer.from(value, 'latin1')));
  return [
    ...text(1, email),
    ...text(2, dns),
    ...directory.map((attributes) => embed(element(contextConstructed(4), [toDer(nameOf(attributes))]))),
    ...text(6, uri),
    ...ip.map((network) => implicit(7, Buffer.concat(network.split('/').map((part) => ipToBytes(part)!)))),
    ...raw,
  ];
}

const subtrees = (tag: number, bases: Bases): Node[] => {
  const found = generalNamesOf(bases).map((base) => toDer(sequence(base)));
  return found.length === 0 ? [] : [embed(element(contextConstructed(tag), found))];
};

export function constraints(permittedBases: Bases, excludedBases: Bases = {}, critical = true): Node {
  return extension(OID.nameConstraints, critical, sequence(...subtrees(0, permittedBases), ...subtrees(1, excludedBases)));
}
export const permitted = (bases: Bases): Node => constraints(bases);
export const excluded = (bases: Bases): Node => constraints({}, bases);

export const policies = (...identifiers: readonly string[]): Node =>
  extension(OID.certificatePolicies, false, sequence(...identifiers.map((policy) => sequence(oid(policy)))));

export const mappings = (...pairs: readonly (readonly [issuer: string, subject: string])[]): Node =>
  extension(OID.policyMappings, true, sequence(...pairs.map(([issuer, subject]) => sequence(oid(issuer), oid(subject)))));

export function policyConstraints({ explicit, mapping }: { readonly explicit?: number; readonly mapping?: number }): Node {
  const skip = (tag: number, count: number | undefined): Node[] => (count === undefined ? [] : [implicit(tag, Buffer.from([count]))]);
  return extension(OID.policyConstraints, true, sequence(...skip(0, explicit), ...skip(1, mapping)));
}

export const inhibitAny = (skip: number): Node => extension(OID.inhibitAnyPolicy, true, integer(skip));

const pointName = (names: Bases): Node =>
  embed(element(contextConstructed(0), [element(contextConstructed(0), generalNamesOf(names).map(toDer))]));

/** Distribution points: each with names, reasons (bit numbers), or another issuer. */
export function distributionPoints(
  ...points: readonly { readonly names?: Bases; readonly reasons?: readonly number[]; readonly issuer?: Bases }[]
): Node {
  const encoded = points.map(({ names, reasons, issuer }) =>
    sequence(
      ...(names === undefined ? [] : [pointName(names)]),
      ...(reasons === undefined ? [] : [implicit(1, contentOf(namedBits(reasons)))]),
      ...(issuer === undefined ? [] : [embed(element(contextConstructed(2), generalNamesOf(issuer).map(toDer)))]),
    ),
  );
  return extension(OID.crlDistributionPoints, false, sequence(...encoded));
}

/** What a CRL is about; `flags` are the numbers of the BOOLEANs: 1 users, 2 CAs, 4 indirect, 5 attributes. */
export function issuingDistributionPoint({
  names,
  flags = [],
  reasons,
}: {
  readonly names?: Bases;
  readonly flags?: readonly (1 | 2 | 4 | 5)[];
  readonly reasons?: readonly number[];
}): Node {
  const flag = (n: 1 | 2 | 4 | 5): Node[] => (flags.includes(n) ? [implicit(n, contentOf(boolean(true)))] : []);
  return extension(
    OID.issuingDistributionPoint,
    true,
    sequence(
      ...(names === undefined ? [] : [pointName(names)]),
      ...[...flag(1), ...flag(2)],
      ...(reasons === undefined ? [] : [implicit(3, contentOf(namedBits(reasons)))]),
      ...[...flag(4), ...flag(5)],
    ),
  );
}

/** The content octets of an element shorter than 128 octets. */
const contentOf = (node: Node): Buffer => toDer(node).subarray(2);
