import { type Certificate, isSelfIssued, isSelfSigned, namesIssuer } from '../pki/certificate.js';
import type { Crl } from '../pki/crl.js';
import { labelOf } from '../pki/name.js';
import type { Finding } from './findings.js';
import type { NameQuery } from './names.js';
import { refusedByOpenssl } from './openssl.js';
import { checkRevocation } from './revocation.js';
import { checkLeaf, checkPath } from './rules.js';

/** What is asked: is `leaf` good, by these anchors, at this instant, for this purpose and name? */
export interface VerifyRequest {
  readonly leaf: Certificate;
  readonly intermediates: readonly Certificate[];
  /** Trust anchors, self-signed or not; their own dates and constraints count. */
  readonly roots: readonly Certificate[];
  /** When not empty, every certificate below the anchor needs a CRL of its issuer that is in force. */
  readonly crls: readonly Crl[];
  readonly purpose?: 'server' | 'client';
  readonly name?: NameQuery;
  readonly at: Date;
  /** How many intermediates a path may have; 8 unless told otherwise. */
  readonly maxDepth?: number;
  /** 2048 unless told otherwise. */
  readonly minRsaBits?: number;
  readonly allowSha1?: boolean;
}

/** The answer. `path` is the good path, or the most promising one: leaf first, anchor (where one was reached) last. */
export interface Verdict {
  readonly valid: boolean;
  readonly errors: readonly Finding[];
  readonly path: readonly Certificate[];
}

const DEFAULT_DEPTH = 8;
/** How many steps the search for a path may take in all: enough for every honest PKI, and for 4,096 issuers of one name that key identifiers tell apart. */
const STEP_LIMIT = 20_000;
/** How many complete paths are examined. */
const PATH_LIMIT = 200;

/**
 * Validates a certificate (RFC 5280 §6). Every path to every anchor is tried before a refusal; a refusal explains the
 * most promising one: an anchor reached counts more than none, fewer errors more than many. Never throws for what a
 * certificate holds.
 */
export function verify(request: VerifyRequest): Verdict {
  const leafFindings = checkLeaf(request);
  let best: { readonly path: readonly Certificate[]; readonly errors: readonly Finding[] } | undefined;
  for (const { path, dead } of paths(request)) {
    const errors = dead === undefined ? checkWhole(path, request) : [...checkPath(path, request, false), dead];
    if (errors.length === 0 && leafFindings.length === 0) return { valid: true, errors: [], path };
    // the search was cut short and had come to an anchor before: both are said
    if (best !== undefined && dead !== undefined) best = { path: best.path, errors: [...best.errors, dead] };
    else if (best === undefined || errors.length < best.errors.length) best = { path, errors };
  }
  return { valid: false, errors: [...leafFindings, ...(best?.errors ?? [])], path: best?.path ?? [request.leaf] };
}

function checkWhole(path: readonly Certificate[], request: VerifyRequest): Finding[] {
  const findings = [...checkPath(path, request, true), ...checkRevocation(path, request)];
  return findings.length > 0 ? findings : refusedByOpenssl(path);
}

interface Candidate {
  readonly path: readonly Certificate[];
  /** Why the path ends before an anchor. */
  readonly dead?: Finding;
}

/** All paths to an anchor, shortest steps first; when there is none, the longest that the search came to. */
function* paths(request: VerifyRequest): Generator<Candidate> {
  const { leaf, roots, intermediates, maxDepth = DEFAULT_DEPTH } = request;
  const issuers = distinct([...roots, ...intermediates]);
  const isRoot = (certificate: Certificate): boolean => roots.some((root) => root.der.equals(certificate.der));
  let steps = 0;
  let found = 0;
  let longest: readonly Certificate[] = [leaf];

  function* extend(path: readonly Certificate[]): Generator<Candidate> {
    if (path.length > longest.length) longest = path;
    const last = path.at(-1)!;
    if (isRoot(last)) yield { path };
    if (path.length > 1 && isRoot(last)) return;
    for (const issuer of issuers) {
      if (++steps > STEP_LIMIT) return;
      if (!namesIssuer(last, issuer) || path.some((member) => member.der.equals(issuer.der))) continue;
      const anchor = isRoot(issuer);
      if (!anchor && intermediatesIn(path) >= maxDepth && !isSelfIssued(issuer)) continue;
      yield* extend([...path, issuer]);
    }
  }

  for (const candidate of extend([leaf])) {
    if (++found > PATH_LIMIT) break;
    yield candidate;
  }
  const limits = `${STEP_LIMIT} steps and ${PATH_LIMIT} paths`;
  if (steps > STEP_LIMIT || found > PATH_LIMIT)
    yield { path: longest, dead: { code: 'SEARCH_LIMIT', message: `no good path within ${limits}` } };
  else if (found === 0) yield { path: longest, dead: deadEnd(longest.at(-1)!, roots, maxDepth, longest.length) };
}

/** Each once, where it first stands: a bundle may repeat a certificate as often as it likes. */
function distinct(certificates: readonly Certificate[]): Certificate[] {
  return [...new Map(certificates.map((certificate) => [certificate.der.toString('latin1'), certificate])).values()];
}

/** How many count: self-issued certificates do not (RFC 5280 §4.2.1.9), nor does the leaf. */
const intermediatesIn = (path: readonly Certificate[]): number => path.slice(1).filter((certificate) => !isSelfIssued(certificate)).length;

function deadEnd(last: Certificate, roots: readonly Certificate[], maxDepth: number, length: number): Finding {
  const subject = labelOf(last.subject);
  if (isSelfSigned(last)) {
    const namesake = roots.some((root) => root.subject.der.equals(last.subject.der));
    const message = `${subject} is self-signed and ${namesake ? 'has the name of a trusted CA, but another key' : 'not among the trust anchors'}`;
    return { code: 'SELF_SIGNED_UNTRUSTED', message, subject };
  }
  const issuer = labelOf(last.issuer);
  const namesake = roots.find((root) => root.subject.der.equals(last.issuer.der));
  const message =
    namesake !== undefined
      ? `${subject} was issued by ${issuer} with key ${last.authorityKeyId}; the trusted CA of that name has key ${namesake.subjectKeyId}`
      : `no certificate of ${issuer} at hand, the issuer of ${subject}${length > maxDepth ? ` (at most ${maxDepth} intermediates)` : ''}`;
  return { code: 'ISSUER_NOT_FOUND', message, subject };
}
