import { OF_RFC5280, certificateRule } from '../../rule.js';

export const akiWithoutKey = certificateRule({
  id: 'AKI_WITHOUT_KEY',
  severity: 'error',
  source: 'RFC 5280 §4.2.1.1',
  profiles: OF_RFC5280,
  title: "an authority key identifier without the key's",
  check: ({ values: { authorityKeyIdentifier }, isSelfSigned }) =>
    authorityKeyIdentifier?.keyId === false && !isSelfSigned ? ['expected a keyIdentifier in it, found none'] : [],
});
