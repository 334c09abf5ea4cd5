import { OF_RFC5280, certificateRule } from '../../rule.js';

export const rsaExponentUnusual = certificateRule({
  id: 'RSA_EXPONENT_UNUSUAL',
  severity: 'warning',
  source: 'FIPS 186-5 §A.1.1, CA/Browser Forum BR §6.1.6',
  profiles: OF_RFC5280,
  title: 'an RSA exponent below 65537 or above 2^256',
  check: ({ rsa }) => {
    if (rsa === undefined) return [];
    const { exponent } = rsa;
    // the largest that is usual has 32 octets, and one before them for the sign
    const isUsual = exponent.length <= 33 && BigInt(`0x${exponent.toString('hex') || '0'}`) >= 65_537n;
    return isUsual ? [] : [`expected an exponent from 65537 to 2^256, found one of ${exponent.length} octets`];
  },
});
