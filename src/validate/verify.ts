import { isSelfIssued, isSignedBy, namesIssuer } from '../pki/certificate.js';
import { isSameName, labelOf } from '../pki/name.js';
import type { Finding } from './findings.js';
import { Issuers, type Way, anyWays, goodWays } from './paths.js';
import type { Path, Verdict, VerifyRequest } from './request.js';
import { Revocation } from './revocation.js';
import { PATH_RULES } from './rules/index.js';
import { Work, WorkExceeded } from './work.js';

/** How many ways a refusal looks at for the most promising one, and what that may cost: the answer is known by then. */
const WAYS_EXPLAINED = 64;
const WORK_EXPLAINING = 4_000;

/**
 * Validates a certificate (RFC 5280 §6). Every path to every anchor is tried before a refusal, within fixed limits of
 * work and depth; a refusal explains the most promising path: an anchor reached counts more than none, fewer findings
 * more than many. Never throws for what a certificate holds.
 */
export function verify(request: VerifyRequest): Verdict {
  const issuers = new Issuers(request);
  let exhausted = false;
  try {
    const work = new Work();
    for (const { certificates, anchored } of goodWays(request, issuers, work)) {
      const path = { certificates, anchored };
      if (!anchored || PATH_RULES.some(({ check }) => check(path, request, work).length > 0)) continue;
      const { errors, warnings } = new Revocation(request, work, verify).check(path);
      if (errors.length === 0) return { valid: true, errors: [], warnings, path: certificates, anchored: true };
    }
  } catch (error) {
    if (!(error instanceof WorkExceeded)) throw error;
    exhausted = true;
  }
  const { errors, path } = explain(request, issuers);
  const limit: Finding = { code: 'SEARCH_LIMIT', message: 'no good path was found within the work that one verdict may cost' };
  const { certificates, anchored } = path;
  return {
    valid: false,
    errors: exhausted || errors.length === 0 ? [...errors, limit] : errors,
    warnings: [],
    path: certificates,
    anchored,
  };
}

interface Refusal {
  readonly errors: readonly Finding[];
  readonly path: Path;
}

/** The most promising way, and all that is wrong with it. */
function explain(request: VerifyRequest, issuers: Issuers): Refusal {
  const start: Way = { certificates: [request.leaf], anchored: issuers.isAnchor(request.leaf), tooDeep: false };
  let best: Refusal | undefined;
  let longest = start;
  const work = new Work(WORK_EXPLAINING);
  try {
    let looked = 0;
    for (const way of anyWays(request, issuers, work)) {
      if (way.certificates.length > longest.certificates.length) longest = way;
      if (way.anchored) {
        const errors = [...faults(way, request, work), ...new Revocation(request, work, verify).check(way).errors];
        if (best === undefined || weightOf(errors) < weightOf(best.errors)) best = { errors, path: way };
      }
      if (++looked === WAYS_EXPLAINED) break;
    }
  } catch (error) {
    if (!(error instanceof WorkExceeded)) throw error;
  }
  if (best !== undefined) return best;
  try {
    return { errors: [...faults(longest, request, new Work()), deadEnd(longest, request)], path: longest };
  } catch (error) {
    if (!(error instanceof WorkExceeded)) throw error;
    return { errors: [], path: longest };
  }
}

/** A way over somebody who did not sign is hardly the one that was meant. */
const weightOf = (errors: readonly Finding[]): number => errors.reduce((sum, { code }) => sum + (code === 'SIGNATURE_INVALID' ? 10 : 1), 0);

const faults = (path: Path, request: VerifyRequest, work: Work): Finding[] =>
  PATH_RULES.flatMap(({ check }) => [...check(path, request, work)]);

/** Why the longest way ends before an anchor. */
function deadEnd({ certificates, tooDeep }: Way, { roots, intermediates, maxDepth = 8 }: VerifyRequest): Finding {
  const last = certificates.at(-1)!;
  const at = certificates.length - 1;
  const subject = labelOf(last.subject);
  const found = (code: 'ISSUER_NOT_FOUND' | 'SELF_SIGNED_UNTRUSTED', message: string): Finding => ({ code, message, subject, at });
  if (isSelfIssued(last) && isSignedBy(last, last) === 'valid') {
    const namesake = roots.some((root) => isSameName(root.subject, last.subject));
    const what = namesake ? 'has the name of a trusted CA, but another key' : 'not among the trust anchors';
    return found('SELF_SIGNED_UNTRUSTED', `${subject} is self-signed and ${what}`);
  }
  const issuer = labelOf(last.issuer);
  if (tooDeep) return found('ISSUER_NOT_FOUND', `no path of at most ${maxDepth} intermediates: ${subject} needs one more, ${issuer}`);
  const namesake = [...roots, ...intermediates].find(
    (root) => isSameName(root.subject, last.issuer) && !namesIssuer(last, root) && !certificates.includes(root),
  );
  if (namesake === undefined) return found('ISSUER_NOT_FOUND', `no certificate of ${issuer} at hand, the issuer of ${subject}`);
  const which = roots.includes(namesake) ? 'the trusted CA' : 'the certificate at hand';
  return found(
    'ISSUER_NOT_FOUND',
    `${subject} was issued by ${issuer} with key ${last.authorityKeyId}; ${which} of that name has key ${namesake.subjectKeyId}`,
  );
}
