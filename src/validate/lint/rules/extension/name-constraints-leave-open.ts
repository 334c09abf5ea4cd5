import { OF_TLS, certificateRule } from '../../rule.js';

/** What no subtree of its kind permits or excludes is permitted: a CA held to one domain may still name any address. */
export const nameConstraintsLeaveOpen = certificateRule({
  id: 'NAME_CONSTRAINTS_LEAVE_OPEN',
  severity: 'notice',
  source: 'RFC 5280 §4.2.1.10',
  profiles: OF_TLS,
  title: 'constrains names of one kind, and leaves another open',
  check: ({ values: { nameConstraints } }) => {
    const named = new Set((nameConstraints?.permitted ?? []).map(({ kind }) => kind));
    const held = new Set([...named, ...(nameConstraints?.excluded ?? []).map(({ kind }) => kind)]);
    const open = KINDS.filter((kind) => !held.has(kind));
    return named.size > 0 && open.length > 0 ? [`expected subtrees for dns, ip and uri names, found none for ${open.join(', ')}`] : [];
  },
});

const KINDS = ['dns', 'ip', 'uri'] as const;
