import { MtlsError } from '../errors.js';
import { parseSpiffeId } from '../validate/index.js';

/** One entry of a list of peers. */
interface PeerRule {
  readonly text: string;
  readonly matches: (identity: string | null, dns: readonly string[]) => boolean;
}

/** Who may be at the other end: a closed list, or anybody of this CA. */
export interface Peers {
  readonly text: string;
  /** The first entry that this peer matches. */
  readonly find: (identity: string | null, dns: readonly string[]) => PeerRule | undefined;
}

/** Reads a list of SPIFFE IDs (a segment `*` is any one segment) and `dns:NAME`. Throws VALUE_INVALID for anything else. */
export function parsePeers(entries: readonly string[] | 'any', what: '--allow' | '--expect'): Peers {
  const rules = entries === 'any' ? [ANYBODY] : entries.map((entry) => parseRule(entry, what));
  return {
    text: rules.map(({ text }) => text).join(' or '),
    find: (identity, dns) => rules.find((rule) => rule.matches(identity, dns)),
  };
}

const ANYBODY: PeerRule = { text: 'any certificate of this CA', matches: () => true };

function parseRule(text: string, what: string): PeerRule {
  if (text.startsWith('dns:') && /^[a-z0-9._-]+$/i.test(text.slice(4))) {
    const name = text.slice(4).toLowerCase();
    return { text, matches: (_identity, dns) => dns.some((each) => each.toLowerCase() === name) };
  }
  const wanted = text.split('/');
  // a star stands for a whole segment of the path, never for a trust domain
  const isPattern = parseSpiffeId(wanted.map((segment, i) => (i > 2 && segment === '*' ? 'any' : segment)).join('/')) !== undefined;
  if (!isPattern) throw new MtlsError('VALUE_INVALID', { what, found: text, expected: 'a SPIFFE ID (a segment may be *) or dns:NAME' });
  return { text, matches: (identity) => identity !== null && matchesSegments(identity.split('/'), wanted) };
}

const matchesSegments = (found: readonly string[], wanted: readonly string[]): boolean =>
  found.length === wanted.length && wanted.every((segment, i) => (segment === '*' && i > 2) || segment === found[i]);
