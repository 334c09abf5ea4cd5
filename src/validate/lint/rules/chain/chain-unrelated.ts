import { labelOf } from '../../../../pki/name.js';
import { OF_TLS, chainRule } from '../../rule.js';
import { listed, labelled } from '../../wording.js';

export const chainUnrelated = chainRule({
  id: 'CHAIN_UNRELATED',
  severity: 'warning',
  source: 'RFC 8446 §4.4.2',
  profiles: OF_TLS,
  title: 'a certificate that has nothing to do with the leaf',
  check: ({ certificates, path, related, selfSigned }) => {
    const top = path.at(-1);
    if (top === undefined) return [];
    // a root that is not reached is told as a gap
    const strays = certificates.filter((certificate) => !related.has(certificate) && (selfSigned.has(top) || !selfSigned.has(certificate)));
    return strays.length > 0
      ? [`expected ${labelled(path[0]!.subject)} and its issuers, found ${listed(strays.map(({ subject }) => labelOf(subject)))}`]
      : [];
  },
});
