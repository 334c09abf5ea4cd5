import type { FindingCode } from '../../src/validate/findings.js';
import { ALONE, MAPPED_ANY } from './variations/story.js';
import { ANOTHER_PATH, ANOTHER_SIGNER, type Answers } from './differential.js';

/** Why two validators do not say the same of a chain, and who is right. */
export interface Difference {
  /** What was done to the chain: any of these. */
  readonly kinds: readonly string[];
  /** And any of these too, where it takes two. */
  readonly and?: readonly string[];
  /** Our codes, any of these; none: we accept. */
  readonly ours: readonly FindingCode[];
  /** Error numbers of OpenSSL (x509_vfy.h), any of these; none: it accepts. */
  readonly openssl: readonly number[];
  readonly right: 'we' | 'OpenSSL' | 'both';
  /** Needs two things done at once: met in the long form, and hardly in the short one. */
  readonly rare?: true;
  readonly reason: string;
}

const each = (...whats: readonly string[]): string[] => whats.flatMap((what) => [`leaf: ${what}`, `CA: ${what}`]);

/** All that there is. A row that explains nothing any more is to be taken out. */
export const DIFFERENCES: readonly Difference[] = [
  // ---- we accept, OpenSSL refuses
  {
    kinds: ['key identifier of another issuer', 'issuer and serial number of another issuer'],
    ours: [],
    openssl: [20],
    right: 'we',
    reason:
      'RFC 5280 §4.2.1.1: the authority key identifier is a means to find the issuer and no part of §6.1; RFC 4158 §3.5.12 has it as a hint. Names and signature say who issued it',
  },
  {
    kinds: ['last second'],
    ours: [],
    openssl: [10],
    right: 'we',
    reason: 'RFC 5280 §4.1.2.5: valid through notAfter, inclusive',
  },
  {
    kinds: ['CRL to the last second'],
    ours: [],
    openssl: [12],
    right: 'we',
    reason: 'RFC 5280 §5.1.2.5: the next CRL comes no later than nextUpdate, so that this one holds until then',
  },
  {
    kinds: ['any purpose at the leaf', 'any purpose at a CA'],
    ours: [],
    openssl: [26],
    right: 'both',
    reason: 'RFC 5280 §4.2.1.12: anyExtendedKeyUsage restricts nothing; an application MAY still want the purpose by its name',
  },
  {
    kinds: ['email in the subject and another in the SAN'],
    ours: [],
    openssl: [47],
    right: 'we',
    reason: 'RFC 5280 §4.2.1.10: constraints on mailboxes bind emailAddress in the subject where the SAN does not have the mailboxes',
  },
  {
    kinds: ['common name not permitted'],
    ours: [],
    openssl: [47],
    right: 'we',
    reason:
      'RFC 9525 §2 and RFC 5280 §4.2.1.10: a common name is no host name, and constraints on host names are about the SAN. We never match it either',
  },
  {
    kinds: ['empty uri permitted', 'empty email permitted'],
    ours: [],
    openssl: [47],
    right: 'both',
    reason: 'RFC 5280 §4.2.1.10 does not say what an empty base is. We take it as for host names: all of them. Excluded, it refuses all',
  },
  {
    kinds: ['uri with user and port', 'uri with a query behind its host'],
    ours: [],
    openssl: [47],
    right: 'we',
    reason: 'RFC 5280 §4.2.1.10: the constraint is on the host, which begins behind the user and ends before the query (RFC 3986 §3.2)',
  },
  {
    kinds: ['leaf: a key that is no point of its curve'],
    ours: [],
    openssl: [66],
    right: 'both',
    reason:
      'RFC 5280 §6.1 does not look into the key of the last certificate. Nobody can prove to hold such a key, so that nothing is lost',
  },
  {
    kinds: ['leaf: key usage with no bits'],
    ours: [],
    openssl: [20],
    right: 'OpenSSL',
    reason: 'RFC 5280 §4.2.1.3: at least one bit MUST be set. We refuse such a leaf for any purpose (KEY_USAGE), and accept it for none',
  },
  {
    kinds: [ALONE, 'leaf that is an anchor', 'anchor that is not self-signed'],
    ours: [],
    openssl: [3, 35],
    right: 'we',
    reason:
      'RFC 5280 §6.1: the anchor is no part of the path, so that nobody asks whether it is revoked. OpenSSL asks for a CRL of its issuer, or of its own',
  },
  {
    kinds: ['root revoked by itself'],
    ours: [],
    openssl: [23],
    right: 'we',
    reason: 'RFC 5280 §6.1, §6.3: the anchor is no part of the path. Who does not trust it any more takes it from the anchors',
  },
  {
    kinds: ['CRL for users only'],
    ours: [],
    openssl: [44, 12],
    right: 'we',
    reason:
      'RFC 5280 §6.3.3 (b): this CRL covers the leaf. OpenSSL wants one for the anchor too, which is no part of the path (§6.1), and may come upon a stale one',
  },
  {
    kinds: [
      ...['cross-signed CA', 'cross-signed root', 'leaf that is an anchor', 'namesake of a CA, no key identifiers'],
      ...['duplicate of a CA that is no CA', 'duplicate of a CA with a shorter path length'],
    ],
    ours: [],
    openssl: [ANOTHER_PATH],
    right: 'we',
    reason:
      'RFC 5280 §6.1 is about a path, RFC 4158 §2.4 about finding it: one good path is enough. OpenSSL takes the first issuer that looks right and does not come back; given our path alone it accepts',
  },
  {
    kinds: ['namesake of a CA, no key identifiers', 'namesake of the root trusted'],
    ours: [],
    openssl: [8],
    right: 'we',
    reason:
      'RFC 5280 §6.3.3 (g): the CRL of a CA is the one that its key signed. OpenSSL takes the first with its name, and does not come back',
  },
  {
    kinds: ['namesake of a CA', 'self-issued CA'],
    and: [
      'CRL of another distribution point than the one that is named',
      'CRL of a distribution point that nobody names',
      'CRL of another CA of that name',
      'CRL with another algorithm inside',
    ],
    ours: [],
    openssl: [3, 8, 44, ANOTHER_SIGNER],
    right: 'we',
    rare: true,
    reason:
      'RFC 5280 §6.3.3 (f): the CRL of a CA may be signed by another key of that name which leads to the same anchor. Where the one of the key in the path is no good or about something else, OpenSSL looks no further',
  },
  {
    kinds: ['self-issued CA', 'self-issued CA with names that are not permitted'],
    and: ['no key identifiers', 'key identifiers of other lengths'],
    ours: [],
    openssl: [7, 19],
    right: 'we',
    rare: true,
    reason:
      'RFC 5280 §6.1: self-issued is not self-signed. OpenSSL takes the one for the other where no key identifiers tell them apart, and ends the path there',
  },
  // ---- we refuse, OpenSSL accepts
  {
    kinds: each(
      'FALSE written out',
      'unknown extension twice',
      'key usage twice',
      'bytes behind the certificate',
      'key usage with bytes behind it',
      'SAN in BER',
    ),
    ours: ['CERT_MALFORMED'],
    openssl: [],
    right: 'we',
    reason:
      'RFC 5280 §4.1, §4.2: DER (X.690 §11.5, §10.1), with nothing behind it and each extension once. Two readers of what is no DER may see two certificates',
  },
  {
    kinds: [
      ...[
        'leaf: basic constraints with FALSE written out',
        'CA: basic constraints with TRUE as 01',
        'CA: basic constraints with bytes behind them',
      ],
      ...['leaf: key usage with bits set that are not used', 'CA: key usage with bits set that are not used'],
    ],
    ours: ['CERT_MALFORMED'],
    openssl: [],
    right: 'we',
    reason: 'X.690 §11.1, §11.2, §11.5: not DER, which RFC 5280 §4.2 wants of the values of extensions',
  },
  {
    kinds: each('empty SAN', 'empty extended key usage', 'malformed distribution points'),
    ours: ['CERT_MALFORMED'],
    openssl: [],
    right: 'we',
    reason: 'RFC 5280 §4.2.1.6, §4.2.1.12, §4.2.1.13: SEQUENCE SIZE (1..MAX)',
  },
  {
    kinds: ['SAN with a constructed host', 'SAN with a host that is not ASCII', 'SAN with an address of five octets'],
    ours: ['CERT_MALFORMED'],
    openssl: [],
    right: 'we',
    reason:
      'RFC 5280 §4.2.1.6: an IA5String, in DER a primitive one; an address of 4 or 16 octets. Names that cannot be read cannot be constrained',
  },
  {
    kinds: [...each('malformed policies'), 'policy twice'],
    ours: ['EXTENSION_MALFORMED'],
    openssl: [],
    right: 'we',
    reason:
      'RFC 5280 §4.2.1.4: SEQUENCE SIZE (1..MAX), a policy MUST NOT appear more than once. OpenSSL looks at them only where there is more than one certificate and the policies above have not died out',
  },
  {
    kinds: ['name constraints that are empty', 'constraint with a wildcard', 'constraint on addresses with holes in its mask'],
    ours: ['EXTENSION_MALFORMED'],
    openssl: [],
    right: 'we',
    reason:
      'RFC 5280 §4.2.1.10: MUST NOT be empty; a DNS name; a mask in the style of CIDR (RFC 4632). What nobody understands constrains nothing',
  },
  {
    kinds: ['constraint with a minimum', 'constraint with a maximum', 'constraint on addresses that is too short'],
    ours: ['EXTENSION_MALFORMED'],
    openssl: [],
    right: 'we',
    reason:
      'RFC 5280 §4.2.1.10: minimum 0, no maximum, 8 or 32 octets. OpenSSL refuses only when there is a name of that kind below; who cannot read a critical extension refuses (§4.2)',
  },
  {
    kinds: ['critical policy with an unknown qualifier'],
    ours: ['CRITICAL_EXTENSION_UNSUPPORTED'],
    openssl: [],
    right: 'we',
    reason: 'RFC 5280 §4.2.1.4: when critical, path validation MUST interpret the qualifiers or refuse',
  },
  {
    kinds: [MAPPED_ANY],
    ours: ['POLICY_NOT_VALID'],
    openssl: [],
    right: 'we',
    reason:
      'RFC 5280 §6.1.3 (d) (2), §6.1.4 (b) (1): an inhibited anyPolicy makes no node, so that there is none that the mapping could be of. OpenSSL makes nodes of the mapping first, and asks for the inhibition after',
  },
  {
    kinds: ['wildcard over an excluded name'],
    ours: ['NAME_CONSTRAINT'],
    openssl: [],
    right: 'we',
    reason: 'RFC 5280 §4.2.1.10 with RFC 9525 §6.3: the wildcard stands for the excluded name too (CVE-2025-61727)',
  },
  {
    kinds: ['empty uri excluded'],
    ours: ['NAME_CONSTRAINT'],
    openssl: [],
    right: 'both',
    reason: 'RFC 5280 §4.2.1.10 does not say what an empty base is. We take it as for host names: all of them are excluded',
  },
  {
    kinds: ['uri with a user before an excluded host'],
    ours: ['NAME_CONSTRAINT'],
    openssl: [],
    right: 'we',
    reason:
      'RFC 5280 §4.2.1.10, RFC 3986 §3.2: the host begins behind the user. OpenSSL takes both together for the host, and finds nothing excluded',
  },
  {
    kinds: ['uri of an address, excluded'],
    ours: ['NAME_CONSTRAINT'],
    openssl: [],
    right: 'we',
    reason: 'RFC 5280 §4.2.1.10: a constrained URI whose host is an address MUST be refused',
  },
  {
    kinds: ['common name only', 'common name beside an address'],
    ours: ['NAME_MISMATCH'],
    openssl: [],
    right: 'we',
    reason: 'RFC 9525 §2: the common name is never matched',
  },
  {
    kinds: ['leaf that is an anchor'],
    ours: ['CERT_MALFORMED', 'KEY_USAGE'],
    openssl: [],
    right: 'we',
    rare: true,
    reason:
      'RFC 5280 §4.2: our contract has what anchors say count. OpenSSL does not look at the extensions of a leaf that is an anchor itself',
  },
  {
    kinds: ['CRL for attribute certificates only'],
    ours: [],
    openssl: [44],
    right: 'we',
    rare: true,
    reason:
      'RFC 5280 §6.3.3 (f): a CA is known by its name, and another of its keys, which leads to the same anchor, signed a CRL that covers the certificate',
  },
  {
    kinds: ['SAN with NUL in a host'],
    ours: ['NAME_CONSTRAINT'],
    openssl: [],
    right: 'we',
    reason:
      'RFC 5280 §4.2.1.6: a name in the preferred name syntax, which this is not: nobody can tell whether it is outside of what is excluded',
  },
  {
    kinds: ['wildcard within a label', 'wildcard at the end of a label'],
    ours: ['NAME_MISMATCH', 'NAME_CONSTRAINT'],
    openssl: [],
    right: 'we',
    reason:
      'RFC 9525 §6.3: a wildcard is the whole of the left-most label. Anything else is no name, of which nobody can tell whether it is permitted',
  },
  {
    kinds: ['root of version 1'],
    ours: ['NOT_A_CA'],
    openssl: [],
    right: 'we',
    reason:
      'RFC 5280 §6.1.4 (k): of version 1, to be known as a CA by other means, which the list of anchors could be; our contract has the constraints of anchors count',
  },
  {
    kinds: ['root with a signature that has a wrong bit'],
    ours: ['SIGNATURE_INVALID'],
    openssl: [],
    right: 'both',
    reason: 'RFC 5280 §6.1: nobody needs to look at the signature of an anchor. One that is wrong is no certificate that anybody issued',
  },
  {
    kinds: ['leaf with parameters that are left out, or too many', 'CA with parameters that are left out, or too many'],
    ours: ['SIGNATURE_UNSUPPORTED'],
    openssl: [],
    right: 'we',
    reason: 'RFC 4055 §5: NULL MUST be there; RFC 5758 §3.2, RFC 8410 §3: it MUST NOT',
  },
  {
    kinds: ['leaf: RSA with exponent 1', 'leaf: RSA with an even exponent'],
    ours: ['WEAK_KEY'],
    openssl: [],
    right: 'we',
    reason: 'RFC 8017 §3.1: an odd exponent of 3 or more. With 1 everybody can sign',
  },
  {
    kinds: ['leaf: a key of X25519'],
    ours: ['WEAK_KEY'],
    openssl: [],
    right: 'we',
    reason: 'RFC 8410 §3, §9: a key for agreement only, with which nothing is ever signed in a handshake',
  },
  {
    kinds: ['CRL with SHA-1'],
    ours: ['CRL_SIGNATURE_INVALID'],
    openssl: [],
    right: 'we',
    reason: 'RFC 9155, and our contract: SHA-1 is refused. OpenSSL does not apply its security level to CRLs',
  },
  {
    kinds: ['CRL without an end'],
    ours: ['CRL_UNSUPPORTED'],
    openssl: [],
    right: 'we',
    reason: 'RFC 5280 §5.1.2.5: nextUpdate MUST be there. Without it nobody can tell whether the CRL is in force',
  },
  {
    kinds: ['CRL with a certificate issuer in an entry'],
    ours: ['CRL_UNSUPPORTED'],
    openssl: [],
    right: 'we',
    reason: 'RFC 5280 §5.3.3: critical, and in indirect CRLs only, which are not supported and refused',
  },
  {
    kinds: ['leaf removed from the CRL'],
    ours: ['CERT_REVOKED'],
    openssl: [],
    right: 'we',
    reason: 'RFC 5280 §5.3.1: removeFromCRL is for delta CRLs; in a complete one the certificate is on the list',
  },
  {
    kinds: ['leaf revoked by a delta CRL'],
    ours: ['CERT_REVOKED'],
    openssl: [],
    right: 'both',
    reason: 'RFC 5280 §5.2.4: applications need not read delta CRLs. We take from them that something is revoked, never that it is not',
  },
  {
    kinds: ['leaf revoked by the elder of two CRLs in force'],
    ours: ['CERT_REVOKED'],
    openssl: [],
    right: 'both',
    reason:
      'RFC 5280 §5.3.1: only a hold is ever taken back, and both CRLs are in force (§6.3.3 tells not which to take). OpenSSL asks the younger alone',
  },
];

/**
 * The rows that explain why the answers differ, each with the kind that it is used for; undefined when something is left
 * that none explains. Empty when the answers agree.
 */
export function explanationOf({ labels, ours, theirs }: Answers): readonly (readonly [row: Difference, kind: string])[] | undefined {
  if ((ours.length === 0) === (theirs.length === 0)) return [];
  const explaining = (isAbout: (row: Difference) => boolean): (readonly [Difference, string])[] =>
    DIFFERENCES.filter((row) => isAbout(row) && (row.and?.some((kind) => labels.includes(kind)) ?? true)).flatMap((row) =>
      row.kinds.filter((kind) => labels.includes(kind)).map((kind) => [row, kind] as const),
    );
  const found =
    ours.length === 0
      ? theirs.map((number) => explaining(({ openssl }) => openssl.includes(number)))
      : ours.map((code) => explaining((row) => (row.ours as readonly string[]).includes(code)));
  return found.every((rows) => rows.length > 0) ? found.flat() : undefined;
}
