import { type Certificate, isSelfIssued, namesIssuer } from '../pki/certificate.js';
import { canonicalName } from '../pki/name.js';
import type { VerifyRequest } from './request.js';
import { checkAuthority } from './rules/authority.js';
import { checkDates } from './rules/dates.js';
import { checkExtensions } from './rules/extensions.js';
import { checkKey } from './rules/keys.js';
import { checkExtendedKeyUsage } from './rules/purpose.js';
import { algorithmFault } from './rules/signature.js';
import { signatureOf } from './signatures.js';
import type { Work } from './work.js';

const DEFAULT_DEPTH = 8;
/** How many of the same name are tried though their key identifiers say that they are somebody else. */
const NAMESAKES_TRIED = 32;
/** Self-issued certificates do not count for the depth: somewhere there is an end to them too. */
const LENGTH_LIMIT = 64;

/** Where a search may go next: the certificates at hand, each once, by the name that they have. */
export class Issuers {
  readonly #bySubject = new Map<string, Certificate[]>();
  readonly #isAnchor: (certificate: Certificate) => boolean;
  readonly #request: VerifyRequest;
  /** The names from which an anchor can be reached, going by names alone, and in how many steps: a search that leaves them is lost. */
  readonly #distances: ReadonlyMap<string, number>;
  readonly #faulty = new Map<Certificate, boolean>();

  constructor(request: VerifyRequest) {
    this.#request = request;
    this.#isAnchor = membership(request.roots);
    for (const certificate of distinct([...request.roots, ...request.intermediates])) {
      const subject = canonicalName(certificate.subject);
      const namesakes = this.#bySubject.get(subject);
      if (namesakes === undefined) this.#bySubject.set(subject, [certificate]);
      else namesakes.push(certificate);
    }
    this.#distances = this.#walkDown();
  }

  isAnchor(certificate: Certificate): boolean {
    return this.#isAnchor(certificate);
  }

  /**
   * Those whose name is that of the issuer, the likeliest first: by the key identifier, which is a hint and no rule
   * (RFC 5280 §4.2.1.1, RFC 4158 §3.5.12), then what is fit to issue, then what is nearer to an anchor.
   */
  of(certificate: Certificate): Certificate[] {
    const found = this.#bySubject.get(canonicalName(certificate.issuer)) ?? [];
    if (found.length < 2) return found;
    const rank = (issuer: Certificate): number =>
      (this.isFaulty(issuer) ? 2 * LENGTH_LIMIT : 0) + Math.min(LENGTH_LIMIT, this.distance(issuer));
    const byRank = (issuers: readonly Certificate[]): Certificate[] =>
      issuers
        .map((issuer) => ({ issuer, rank: rank(issuer) }))
        .sort((a, b) => a.rank - b.rank)
        .map(({ issuer }) => issuer);
    const named = found.filter((issuer) => namesIssuer(certificate, issuer));
    const others = found.filter((issuer) => !namesIssuer(certificate, issuer));
    return [...byRank(named), ...byRank(others.slice(0, NAMESAKES_TRIED))];
  }

  /** How many steps there are to an anchor, at the least; Infinity when there is no way. */
  distance(certificate: Certificate): number {
    return this.isAnchor(certificate) ? 0 : (this.#distances.get(canonicalName(certificate.issuer)) ?? Infinity);
  }

  /** Is there a fault in the certificate itself for which no path through it can be good? */
  isFaulty(issuer: Certificate): boolean {
    const known = this.#faulty.get(issuer);
    if (known !== undefined) return known;
    const { purpose } = this.#request;
    const faulty =
      checkDates(issuer, 1, this.#request).length > 0 ||
      checkAuthority(issuer, 1).length > 0 ||
      checkKey(issuer, 1, this.#request).length > 0 ||
      checkExtensions(issuer, 1).length > 0 ||
      (purpose !== undefined && checkExtendedKeyUsage(issuer, 1, purpose).length > 0) ||
      (!this.isAnchor(issuer) && algorithmFault(issuer, this.#request) !== undefined);
    this.#faulty.set(issuer, faulty);
    return faulty;
  }

  /** From the anchors down: whoever names one of these names as its issuer leads to an anchor. */
  #walkDown(): ReadonlyMap<string, number> {
    const below = new Map<string, string[]>();
    for (const [subject, namesakes] of this.#bySubject) {
      for (const certificate of namesakes) {
        const issuer = canonicalName(certificate.issuer);
        const subjects = below.get(issuer);
        if (subjects === undefined) below.set(issuer, [subject]);
        else subjects.push(subject);
      }
    }
    const distances = new Map(this.#request.roots.map(({ subject }) => [canonicalName(subject), 1]));
    const waiting = [...distances.keys()];
    for (let i = 0; i < waiting.length; i++) {
      for (const subject of below.get(waiting[i]!) ?? []) {
        if (distances.has(subject)) continue;
        distances.set(subject, distances.get(waiting[i]!)! + 1);
        waiting.push(subject);
      }
    }
    return distances;
  }
}

/** A way that was gone: to an anchor, or to where it went no further. */
export interface Way {
  readonly certificates: readonly Certificate[];
  readonly anchored: boolean;
  /** It ended because it would have been too long. */
  readonly tooDeep: boolean;
}

/**
 * All ways from the leaf to an anchor that could be good, the likeliest first: no certificate that is faulty in itself,
 * every signature right, no CA twice. A way that this passes over is no good, whatever else holds (RFC 4158 §2.4).
 */
export function* goodWays(request: VerifyRequest, issuers: Issuers, work: Work): Generator<Way> {
  yield* extend([request.leaf], {
    ...{ request, issuers, work },
    isOpen: (last, issuer) =>
      issuers.distance(issuer) < Infinity && !issuers.isFaulty(issuer) && signatureOf(last, issuer, work) === 'valid',
  });
}

/** All ways, good or not, the likeliest first, those that end nowhere too: what a refusal is explained by. */
export function* anyWays(request: VerifyRequest, issuers: Issuers, work: Work): Generator<Way> {
  const isIssuer = (last: Certificate, issuer: Certificate): boolean =>
    // of another key by its identifier, and by the signature too: somebody of the same name, who did not issue this
    namesIssuer(last, issuer) || signatureOf(last, issuer, work) === 'valid';
  yield* extend([request.leaf], { request, issuers, work, isOpen: isIssuer });
}

interface Search {
  readonly request: VerifyRequest;
  readonly issuers: Issuers;
  readonly work: Work;
  /** May the search go on from `last` to `issuer`? */
  readonly isOpen: (last: Certificate, issuer: Certificate) => boolean;
}

function* extend(path: readonly Certificate[], search: Search): Generator<Way> {
  const { issuers, work, isOpen } = search;
  const last = path.at(-1)!;
  if (issuers.isAnchor(last)) {
    yield { certificates: path, anchored: true, tooDeep: false };
    // above the leaf an anchor is the end; a leaf that is one may also have been issued by another
    if (path.length > 1) return;
  }
  let went = false;
  let tooDeep = false;
  for (const issuer of issuers.of(last)) {
    work.spend(path.length / 50);
    if (path.some((member) => isSameCa(member, issuer))) continue;
    if (!isOpen(last, issuer)) continue;
    if (path.length >= LENGTH_LIMIT || isTooDeep(path, issuer, search)) {
      tooDeep = true;
      continue;
    }
    went = true;
    yield* extend([...path, issuer], search);
  }
  if (!went && !issuers.isAnchor(last)) yield { certificates: path, anchored: false, tooDeep };
}

function isTooDeep(path: readonly Certificate[], issuer: Certificate, { request: { maxDepth = DEFAULT_DEPTH }, issuers }: Search): boolean {
  if (issuers.isAnchor(issuer) || isSelfIssued(issuer)) return false;
  return path.slice(1).filter((certificate) => !isSelfIssued(certificate)).length >= maxDepth;
}

/** The same name and key: going through it twice is a loop, however its certificates differ (RFC 4158 §2.4.2). */
function isSameCa(a: Certificate, b: Certificate): boolean {
  return a === b || (a.publicKey.der.equals(b.publicKey.der) && canonicalName(a.subject) === canonicalName(b.subject));
}

/** Up to so many certificates are compared one by one: that is faster than to make keys of them. */
const FEW = 8;
const octets = ({ der }: Certificate): string => der.toString('latin1');

/** Each once: a bundle may repeat a certificate as often as it likes. */
function distinct(certificates: readonly Certificate[]): readonly Certificate[] {
  if (certificates.length <= FEW) return certificates.filter((one, i) => certificates.findIndex(({ der }) => der.equals(one.der)) === i);
  return [...new Map(certificates.toReversed().map((one) => [octets(one), one])).values()].toReversed();
}

/** Is a certificate one of these, octet by octet? */
function membership(certificates: readonly Certificate[]): (certificate: Certificate) => boolean {
  if (certificates.length <= FEW) return (wanted) => certificates.some((one) => one === wanted || one.der.equals(wanted.der));
  const known = new Set(certificates.map(octets));
  return (wanted) => known.has(octets(wanted));
}
