import type { Certificate } from './certificate.js';
import { Relations } from './relations.js';

/** More than any chain has. */
const LENGTH_LIMIT = 20;

/** A chain, and above its last certificate whoever issued it, and so on, as far as `authorities` have them: up to a root. */
export function chainUpTo(authorities: readonly Certificate[], chain: readonly Certificate[]): Certificate[] {
  const relations = new Relations(authorities);
  const found = [...chain];
  while (found.length < LENGTH_LIMIT) {
    const last = found.at(-1)!;
    const issuer = relations.issuersOf(last)?.find(({ der }) => !found.some((known) => known.der.equals(der)));
    if (issuer === undefined || relations.isSelfSigned(last) === true) break;
    found.push(issuer);
  }
  return found;
}
