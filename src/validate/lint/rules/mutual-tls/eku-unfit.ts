import { oidName } from '../../../../pki/oids.js';
import { isForTls } from '../../roles.js';
import { OF_TLS, certificateRule } from '../../rule.js';
import { listed } from '../../wording.js';

export const ekuUnfit = certificateRule({
  id: 'EKU_UNFIT',
  severity: 'warning',
  source: 'RFC 5280 §4.2.1.12',
  profiles: OF_TLS,
  title: 'a leaf that is neither for servers nor for clients',
  check: ({ certificate: { extendedKeyUsage }, isLeaf }) =>
    isLeaf && extendedKeyUsage !== undefined && !isForTls(extendedKeyUsage)
      ? [`expected serverAuth or clientAuth, found ${listed(extendedKeyUsage.map(oidName))}`]
      : [],
});
