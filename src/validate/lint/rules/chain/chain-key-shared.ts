import { OF_TLS, chainRule } from '../../rule.js';
import { labelled } from '../../wording.js';

export const chainKeyShared = chainRule({
  id: 'CHAIN_KEY_SHARED',
  severity: 'error',
  source: 'NIST SP 800-57 part 1 §5.2',
  profiles: OF_TLS,
  title: 'a leaf with the key of a CA',
  check: ({ certificates, leaf }) =>
    certificates
      .filter(
        ({ basicConstraints, publicKey }) =>
          leaf !== undefined && basicConstraints?.ca === true && publicKey.der.equals(leaf.publicKey.der),
      )
      .slice(0, 1)
      .map(({ subject }) => `expected a key of its own, found that of ${labelled(subject)}`),
});
