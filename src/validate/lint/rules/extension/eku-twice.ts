import { oidName } from '../../../../pki/oids.js';
import { OF_RFC5280, certificateRule } from '../../rule.js';
import { listed } from '../../wording.js';

export const ekuTwice = certificateRule({
  id: 'EKU_TWICE',
  severity: 'warning',
  source: 'RFC 5280 §4.2.1.12',
  profiles: OF_RFC5280,
  title: 'the same purpose twice',
  check: ({ certificate: { extendedKeyUsage = [] } }) => {
    const twice = [...new Set(extendedKeyUsage)];
    return twice.length < extendedKeyUsage.length ? [`expected each purpose once, found ${listed(extendedKeyUsage.map(oidName))}`] : [];
  },
});
