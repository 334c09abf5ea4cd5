import type { Subtree } from '../../../../pki/name-constraints.js';
import { isPrivateEnd } from '../../hosts.js';
import { OF_TLS, certificateRule } from '../../rule.js';
import { shown } from '../../wording.js';

export const nameConstraintsWide = certificateRule({
  id: 'NAME_CONSTRAINTS_WIDE',
  severity: 'warning',
  source: 'RFC 5280 §4.2.1.10',
  profiles: OF_TLS,
  title: "a permitted name space that is everybody's",
  check: ({ values: { nameConstraints } }) =>
    (nameConstraints?.permitted ?? []).flatMap((subtree) => {
      const found = wideness(subtree);
      return found === undefined ? [] : [`expected a domain or network of one's own, found ${found} permitted`];
    }),
});

/** By the octets of an address: 10.0.0.0/8 and fc00::/7 are the largest networks that are one's own (RFC 1918, RFC 4193). */
const NARROWEST: Readonly<Record<number, number>> = { 4: 8, 16: 7 };

function wideness(subtree: Subtree): string | undefined {
  if (subtree.kind === 'other' || subtree.kind === 'directory') return undefined;
  if (subtree.kind === 'ip') {
    const bits = [...subtree.mask].map((octet) => octet.toString(2).padStart(8, '0')).join('');
    const prefix = bits.includes('0') ? bits.indexOf('0') : bits.length;
    return prefix < NARROWEST[subtree.mask.length]! ? `a network of /${prefix}` : undefined;
  }
  const base = subtree.base.replace(/^\./, '');
  if (base === '') return `every ${subtree.kind} name`;
  return !base.includes('.') && !base.includes('@') && !isPrivateEnd(base) ? `all of ${shown(subtree.base)}` : undefined;
}
