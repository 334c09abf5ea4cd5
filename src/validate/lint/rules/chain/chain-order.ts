import type { Certificate } from '../../../../pki/certificate.js';
import { labelOf } from '../../../../pki/name.js';
import { OF_TLS, chainRule } from '../../rule.js';
import { listed } from '../../wording.js';

export const chainOrder = chainRule({
  id: 'CHAIN_ORDER',
  severity: 'error',
  source: 'RFC 5246 §7.4.2, RFC 8446 §4.4.2',
  profiles: OF_TLS,
  title: 'certificates in the wrong order',
  check: ({ certificates, path }) => {
    const onPath = new Set(path);
    const found = [...new Set(certificates.filter((certificate) => onPath.has(certificate)))];
    const isInOrder = path.length === 0 || (certificates[0] === path[0] && path.every((certificate, i) => certificate === found[i]));
    return isInOrder
      ? []
      : [`expected the leaf, then each one's issuer: ${listed(path.map(labelled))}, found ${listed(certificates.map(labelled))}`];
  },
});

const labelled = ({ subject }: Certificate): string => labelOf(subject);
