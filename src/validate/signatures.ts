import type { PublicKeyInfo } from '../pki/algorithms.js';
import { type Certificate, isSignedBy } from '../pki/certificate.js';
import type { Work } from './work.js';

type Checked = ReturnType<typeof isSignedBy>;

/** A CA is asked about for every leaf of a batch, and a search meets the same key on many paths: each is computed once. */
const known = new WeakMap<Certificate, Map<string, Checked>>();

/** Is the signature of `certificate` by the key of `issuer`? */
export function signatureOf(certificate: Certificate, issuer: Certificate, work: Work): Checked {
  let byKey = known.get(certificate);
  if (byKey === undefined) known.set(certificate, (byKey = new Map()));
  const key = issuer.publicKey.der.toString('latin1');
  const before = byKey.get(key);
  if (before !== undefined) return before;
  work.spend(costOf(issuer.publicKey));
  const checked = isSignedBy(certificate, issuer);
  byKey.set(key, checked);
  return checked;
}

/** What a verification costs, loading the key included, in the units of `Work`. */
export function costOf({ type, bits }: PublicKeyInfo): number {
  if (type === 'RSA') return 2 + (bits / 3072) ** 2;
  if (type !== 'EC') return type === 'Ed448' ? 10 : 4;
  return bits <= 256 ? 4 : bits <= 384 ? 20 : 36;
}
