import { fingerprint } from '../../../../pki/certificate.js';
import { labelOf } from '../../../../pki/name.js';
import { OF_TLS, chainRule } from '../../rule.js';
import { listed } from '../../wording.js';

export const chainDuplicate = chainRule({
  id: 'CHAIN_DUPLICATE',
  severity: 'warning',
  source: 'RFC 8446 §4.4.2',
  profiles: OF_TLS,
  title: 'a certificate twice',
  check: ({ certificates }) => {
    const seen = new Set<string>();
    const twice = certificates.filter((certificate) => {
      const print = fingerprint(certificate);
      const known = seen.has(print);
      seen.add(print);
      return known;
    });
    return twice.length > 0 ? [`expected each certificate once, found ${listed(twice.map(({ subject }) => labelOf(subject)))} again`] : [];
  },
});
