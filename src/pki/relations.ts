import { createPublicKey } from 'node:crypto';
import { type PublicKeyInfo, verifySignature } from './algorithms.js';
import { type Certificate, fingerprint, isSelfIssued, isSignedBy } from './certificate.js';
import type { Crl } from './crl.js';
import { type Name, canonicalName } from './name.js';

/**
 * What may be spent on signatures and keys for all that is looked at together, in units of about 50 µs. Files that were
 * made to be slow (thousands of CAs of one name, keys that take milliseconds) end with `undefined`, which is "not known",
 * and not with a long wait.
 */
const UNITS = 5_000;

/** How many candidates of one name are tried for one certificate or CRL. */
const CANDIDATES = 16;

/** CAs of one name, in order, and by their key identifiers ('' for none): thousands of them must not be gone through for each. */
interface Namesakes {
  readonly all: Certificate[];
  readonly byKeyId: Map<string, Certificate[]>;
}

/** Who issued whom among certificates that were found together: found by name and key identifier, proven by signature. */
export class Relations {
  readonly #bySubject = new Map<string, Namesakes>();
  readonly #selfSigned = new Map<Certificate, boolean | undefined>();
  #left = UNITS;

  /** Certificates that stand there several times count once: the first stands for all. */
  constructor(certificates: readonly Certificate[]) {
    const seen = new Set<string>();
    for (const certificate of certificates) {
      const print = fingerprint(certificate);
      if (seen.has(print)) continue;
      seen.add(print);
      const { all, byKeyId } = entryOf(this.#bySubject, canonicalName(certificate.subject), () => ({ all: [], byKeyId: new Map() }));
      all.push(certificate);
      entryOf(byKeyId, certificate.subjectKeyId ?? '', () => []).push(certificate);
    }
  }

  /** Signed by its own key? */
  isSelfSigned(certificate: Certificate): boolean | undefined {
    if (!isSelfIssued(certificate)) return false;
    if (this.#selfSigned.has(certificate)) return this.#selfSigned.get(certificate);
    const signed = this.#affords(certificate.publicKey) ? isSignedBy(certificate, certificate) === 'valid' : undefined;
    this.#selfSigned.set(certificate, signed);
    return signed;
  }

  /** All that signed it, but itself: more than one where a CA has a certificate of another CA for the same key. */
  issuersOf(certificate: Certificate): readonly Certificate[] | undefined {
    const others = this.#candidates(certificate.issuer, certificate.authorityKeyId).filter(({ der }) => !der.equals(certificate.der));
    return this.#proven(others, (candidate) => isSignedBy(certificate, candidate) === 'valid');
  }

  /** All whose key signed the CRL. */
  signersOf({ issuer, authorityKeyId, signatureAlgorithm, tbs, signature }: Crl): readonly Certificate[] | undefined {
    const candidates = this.#candidates(issuer, authorityKeyId);
    return this.#proven(candidates, ({ publicKey }) => verifySignature(signatureAlgorithm, tbs, signature, publicKey) === 'valid');
  }

  /** The holders of a key: those with the same bytes, else those whose bytes are another encoding of it. */
  holdersOf<Holder extends { readonly publicKey: PublicKeyInfo }>(
    key: PublicKeyInfo,
    holders: readonly Holder[],
  ): readonly Holder[] | undefined {
    const same = holders.filter(({ publicKey }) => publicKey.der.equals(key.der));
    if (same.length > 0) return same;
    // a compressed point, a curve spelled out, absent parameters
    const alike = holders.filter(({ publicKey }) => publicKey.type === key.type && (publicKey.bits === key.bits || key.type === 'EC'));
    const found: Holder[] = [];
    for (const holder of alike) {
      if (!this.#affords(key)) return undefined;
      if (isSameKey(key, holder.publicKey)) found.push(holder);
    }
    return found;
  }

  /** Those of that name whose key identifier, where both have one, is the one that is asked for (RFC 5280 §4.2.1.1): a few more than are tried. */
  #candidates(name: Name, keyId: string | undefined): Certificate[] {
    const namesakes = this.#bySubject.get(canonicalName(name));
    if (namesakes === undefined) return [];
    const { all, byKeyId } = namesakes;
    const fitting = keyId === undefined ? [all] : [byKeyId.get(keyId) ?? [], byKeyId.get('') ?? []];
    return fitting.flatMap((some) => some.slice(0, CANDIDATES + 2));
  }

  #proven(candidates: readonly Certificate[], isProven: (candidate: Certificate) => boolean): readonly Certificate[] | undefined {
    const found: Certificate[] = [];
    for (const candidate of candidates.slice(0, CANDIDATES)) {
      if (!this.#affords(candidate.publicKey)) return undefined;
      if (isProven(candidate)) found.push(candidate);
    }
    return found.length === 0 && candidates.length > CANDIDATES ? undefined : found;
  }

  #affords(key: PublicKeyInfo): boolean {
    this.#left -= costOf(key);
    return this.#left >= 0;
  }
}

function entryOf<Key, Value>(map: Map<Key, Value>, key: Key, create: () => Value): Value {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = create();
  map.set(key, made);
  return made;
}

/** What a verification costs, loading the key included. An RSA exponent may be as long as the modulus. */
function costOf({ type, bits, exponent }: PublicKeyInfo): number {
  if (type === 'RSA') return 2 + (bits / 3_072) ** 2 * (1 + (exponent?.length ?? 0) / 4);
  if (type === 'DSA') return 4 * Math.max(1, bits / 1_024) ** 2;
  if (type !== 'EC') return type === 'Ed448' ? 10 : 4;
  return bits === 0 || bits > 384 ? 36 : bits <= 256 ? 4 : 20;
}

function isSameKey(a: PublicKeyInfo, b: PublicKeyInfo): boolean {
  try {
    const [first, second] = [a, b].map(({ der }) => createPublicKey({ key: der, format: 'der', type: 'spki' }));
    return first!.equals(second!);
  } catch {
    // a key that OpenSSL cannot load is nobody's
    return false;
  }
}
