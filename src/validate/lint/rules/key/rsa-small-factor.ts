import { OF_RFC5280, certificateRule } from '../../rule.js';

export const rsaSmallFactor = certificateRule({
  id: 'RSA_SMALL_FACTOR',
  severity: 'error',
  source: 'NIST SP 800-89 §5.3.3, CA/Browser Forum BR §6.1.6',
  profiles: OF_RFC5280,
  title: 'an RSA modulus with a small factor',
  check: ({ rsa }) => {
    if (rsa === undefined || rsa.modulus.length === 0 || rsa.modulus.length > LARGEST) return [];
    const modulus = BigInt(`0x${rsa.modulus.toString('hex')}`);
    const factor = SMALL_PRIMES.find((prime) => modulus % prime === 0n);
    return factor === undefined ? [] : [`expected a product of two large primes, found the factor ${factor}`];
  },
});

/** OpenSSL takes no larger key; so many octets. */
const LARGEST = 2_049;
const SMALL_PRIMES = Array.from({ length: 751 }, (_, i) => i + 2)
  .filter((n) => Array.from({ length: Math.floor(Math.sqrt(n)) - 1 }, (_, i) => i + 2).every((d) => n % d !== 0))
  .map(BigInt);
