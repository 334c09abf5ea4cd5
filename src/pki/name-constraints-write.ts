import { type Node, implicit, sequence, tagged } from './encode.js';
import type { NameConstraints, Subtree } from './name-constraints.js';

/** What can be written: DNS names, hosts of URIs, networks. */
export type WritableSubtree = { readonly kind: 'dns' | 'uri'; readonly base: string } | Extract<Subtree, { readonly kind: 'ip' }>;

/** Name constraints that can be written. */
export interface WritableConstraints extends NameConstraints {
  readonly permitted: readonly WritableSubtree[];
  readonly excluded: readonly WritableSubtree[];
}

/** The value of the extension (RFC 5280 §4.2.1.10); at least one of the lists must have an entry. */
export function nameConstraints({ permitted, excluded }: WritableConstraints): Node {
  return sequence(
    ...(permitted.length === 0 ? [] : [tagged(0, ...permitted.map(subtree))]),
    ...(excluded.length === 0 ? [] : [tagged(1, ...excluded.map(subtree))]),
  );
}

function subtree(base: WritableSubtree): Node {
  if (base.kind === 'ip') return sequence(implicit(7, Buffer.concat([base.address, base.mask])));
  return sequence(implicit(base.kind === 'dns' ? 2 : 6, Buffer.from(base.base, 'latin1')));
}
