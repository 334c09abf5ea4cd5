import { labelOf } from '../../../../pki/name.js';
import { OF_TLS, chainRule } from '../../rule.js';
import { listed, labelled } from '../../wording.js';

export const chainGap = chainRule({
  id: 'CHAIN_GAP',
  severity: 'error',
  source: 'RFC 8446 §4.4.2, RFC 5280 §6.1',
  profiles: OF_TLS,
  title: 'an intermediate is missing between the leaf and the root',
  check: ({ certificates, path, related, selfSigned }) => {
    const top = path.at(-1);
    if (top === undefined || selfSigned.has(top)) return [];
    const roots = certificates.filter((certificate) => selfSigned.has(certificate) && !related.has(certificate));
    return roots.length > 0
      ? [
          `expected ${labelled(top.issuer)}, the issuer of ${labelled(top.subject)}, found only ${listed(roots.map(({ subject }) => labelOf(subject)))}`,
        ]
      : [];
  },
});
