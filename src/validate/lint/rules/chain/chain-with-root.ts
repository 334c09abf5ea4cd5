import { OF_TLS, chainRule } from '../../rule.js';
import { labelled } from '../../wording.js';

export const chainWithRoot = chainRule({
  id: 'CHAIN_WITH_ROOT',
  severity: 'notice',
  source: 'RFC 8446 §4.4.2',
  profiles: OF_TLS,
  title: 'the root in the chain: who does not have it will not take it from there',
  check: ({ path, selfSigned }) =>
    path
      .slice(1)
      .filter((certificate) => selfSigned.has(certificate))
      .map(({ subject }) => `expected the chain to end below the root, found ${labelled(subject)}`),
});
