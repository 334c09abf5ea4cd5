import type { Certificate } from '../pki/certificate.js';
import { serialText } from '../pki/fields.js';
import { formatName } from '../pki/name.js';
import { type FindingCode, identityOf, verify } from '../validate/index.js';
import type { Credentials } from './credentials.js';
import type { Peers } from './peers.js';

/** What was decided about a peer; stable, part of the audit's contract. */
export type DecisionCode =
  | 'ALLOWED'
  | 'NO_CERTIFICATE'
  | 'CERTIFICATE_MALFORMED'
  | 'CERTIFICATE_UNTRUSTED'
  | 'CERTIFICATE_EXPIRED'
  | 'CERTIFICATE_NOT_YET_VALID'
  | 'CERTIFICATE_REVOKED'
  | 'CERTIFICATE_PURPOSE'
  | 'CERTIFICATE_INVALID'
  | 'CRL_UNUSABLE'
  | 'NO_IDENTITY'
  | 'NOT_ALLOWED';

/** A decision about a peer, with the reason for whoever runs the sidecar: the peer never sees it. */
export interface Decision {
  readonly allowed: boolean;
  readonly code: DecisionCode;
  readonly reason: string;
  readonly identity: string | null;
  readonly serial: string | null;
  readonly subject: string | null;
  /** The entry of --allow or --expect that decided. */
  readonly rule: string | null;
  /** Until when it holds, in milliseconds since 1970: then a certificate or a CRL ends, and it is to be asked again. */
  readonly until: number;
}

/** What a peer showed: the certificate and what it sent with it, or the fault of the one that could not be read. */
export type Shown = { readonly chain: readonly Certificate[] } | { readonly malformed: string };

/** What decides. */
export interface Terms {
  readonly credentials: Credentials;
  readonly peers: Peers;
  readonly purpose: 'client' | 'server';
}

/**
 * The one place where it is decided whether a peer may pass: asked on every accept, resumed or not, and again of live
 * connections. The certificate is judged afresh each time (RFC 5280 §6, CRLs of every CA), then who it is.
 */
export function decide(shown: Shown, { credentials, peers, purpose }: Terms, now: Date): Decision {
  if ('malformed' in shown) return refuse('CERTIFICATE_MALFORMED', `its certificate cannot be read: ${shown.malformed}`);
  const [leaf, ...intermediates] = shown.chain;
  if (leaf === undefined) return refuse('NO_CERTIFICATE', 'it showed no certificate');
  const identity = identityOf(leaf)?.id ?? null;
  const about = { identity, serial: serialText(leaf.serial), subject: formatName(leaf.subject) };
  const { roots, crls } = credentials;
  const { valid, errors, path } = verify({ leaf, intermediates, roots, crls, purpose, at: now });
  if (!valid) {
    const worst = errors.toSorted((a, b) => RANKS.indexOf(CODES[a.code]) - RANKS.indexOf(CODES[b.code]))[0]!;
    return { ...refuse(CODES[worst.code], worst.message), ...about };
  }
  // a CRL that is out of date already is not what this rests on
  const ends = [...path.map(({ notAfter }) => notAfter), ...crls.flatMap(({ nextUpdate }) => nextUpdate ?? [])];
  const until = Math.min(...ends.filter((end) => end >= now.getTime()));
  const rule = peers.find(identity, leaf.subjectAltName.dns);
  if (rule !== undefined) return { allowed: true, code: 'ALLOWED', reason: `${rule.text} is allowed`, rule: rule.text, until, ...about };
  const expected = peers.text;
  if (identity === null) return { ...refuse('NO_IDENTITY', `its certificate has no SPIFFE ID; expected ${expected}`), ...about };
  return { ...refuse('NOT_ALLOWED', `${identity} is not allowed; expected ${expected}`), ...about };
}

const refuse = (code: DecisionCode, reason: string): Decision => ({
  ...{ allowed: false, code, reason },
  ...{ identity: null, serial: null, subject: null, rule: null, until: Infinity },
});

/** Which reason is told when there are several: the one that makes the others idle comes first. */
const RANKS: readonly DecisionCode[] = [
  'CERTIFICATE_UNTRUSTED',
  'CERTIFICATE_REVOKED',
  'CERTIFICATE_EXPIRED',
  'CERTIFICATE_NOT_YET_VALID',
  'CERTIFICATE_PURPOSE',
  'CERTIFICATE_INVALID',
  'CRL_UNUSABLE',
];

const CODES: Readonly<Record<FindingCode, DecisionCode>> = {
  CERT_MALFORMED: 'CERTIFICATE_MALFORMED',
  CERT_EXPIRED: 'CERTIFICATE_EXPIRED',
  CERT_NOT_YET_VALID: 'CERTIFICATE_NOT_YET_VALID',
  ISSUER_NOT_FOUND: 'CERTIFICATE_UNTRUSTED',
  SELF_SIGNED_UNTRUSTED: 'CERTIFICATE_UNTRUSTED',
  SIGNATURE_INVALID: 'CERTIFICATE_UNTRUSTED',
  SEARCH_LIMIT: 'CERTIFICATE_UNTRUSTED',
  EXTENDED_KEY_USAGE: 'CERTIFICATE_PURPOSE',
  KEY_USAGE: 'CERTIFICATE_PURPOSE',
  CERT_REVOKED: 'CERTIFICATE_REVOKED',
  CRL_NOT_FOUND: 'CRL_UNUSABLE',
  CRL_EXPIRED: 'CRL_UNUSABLE',
  CRL_NOT_YET_VALID: 'CRL_UNUSABLE',
  CRL_SIGNATURE_INVALID: 'CRL_UNUSABLE',
  CRL_SIGN_MISSING: 'CRL_UNUSABLE',
  CRL_UNSUPPORTED: 'CRL_UNUSABLE',
  CRL_MALFORMED: 'CRL_UNUSABLE',
  SIGNATURE_UNSUPPORTED: 'CERTIFICATE_INVALID',
  ALGORITHM_MISMATCH: 'CERTIFICATE_INVALID',
  WEAK_SIGNATURE: 'CERTIFICATE_INVALID',
  WEAK_KEY: 'CERTIFICATE_INVALID',
  NOT_A_CA: 'CERTIFICATE_INVALID',
  KEY_CERT_SIGN_MISSING: 'CERTIFICATE_INVALID',
  PATH_LENGTH_EXCEEDED: 'CERTIFICATE_INVALID',
  CRITICAL_EXTENSION_UNSUPPORTED: 'CERTIFICATE_INVALID',
  NAME_MISMATCH: 'CERTIFICATE_INVALID',
  NAME_CONSTRAINT: 'CERTIFICATE_INVALID',
  EXTENSION_MALFORMED: 'CERTIFICATE_INVALID',
  POLICY_NOT_VALID: 'CERTIFICATE_INVALID',
  POLICY_MAPPING_ANY: 'CERTIFICATE_INVALID',
  OCSP_MALFORMED: 'CRL_UNUSABLE',
  OCSP_UNUSABLE: 'CRL_UNUSABLE',
};
