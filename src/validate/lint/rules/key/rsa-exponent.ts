import { OF_RFC5280, certificateRule } from '../../rule.js';

export const rsaExponent = certificateRule({
  id: 'RSA_EXPONENT',
  severity: 'error',
  source: 'RFC 8017 §3.1',
  profiles: OF_RFC5280,
  title: 'an RSA exponent that is even, or below 3',
  check: ({ rsa }) => {
    if (rsa === undefined) return [];
    const { exponent } = rsa;
    const isOdd = (exponent.at(-1) ?? 0) % 2 === 1;
    const isFit = isOdd && exponent[0]! < 0x80 && (exponent.length > 1 || exponent[0]! >= 3);
    return isFit ? [] : [`expected an odd exponent of at least 3, found 0x${exponent.subarray(0, 8).toString('hex')}`];
  },
});
