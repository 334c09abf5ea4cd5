import { OID } from '../../../../pki/oids.js';
import { OF_RFC5280, certificateRule } from '../../rule.js';

export const keyUsageTrailingZeros = certificateRule({
  id: 'KEY_USAGE_TRAILING_ZEROS',
  severity: 'error',
  source: 'X.690 §11.2.2',
  profiles: OF_RFC5280,
  title: 'a key usage with zero bits at its end',
  check: ({ certificate: { extensions } }) => {
    const value = extensions.find(({ oid }) => oid === OID.keyUsage)?.value;
    if (value === undefined || value.length < 4) return [];
    const [unused, last] = [value[2]!, value[value.length - 1]!];
    const lowest = last & -last;
    return lowest === 1 << unused ? [] : [`expected the shortest bit string that holds the usages, found ${value.toString('hex')}`];
  },
});
