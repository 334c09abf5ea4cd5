import { OF_RFC5280, certificateRule } from '../../rule.js';

export const rsaModulusSize = certificateRule({
  id: 'RSA_MODULUS_SIZE',
  severity: 'warning',
  source: 'CA/Browser Forum BR §6.1.5, FIPS 186-5 §5.1',
  profiles: OF_RFC5280,
  title: 'an RSA key whose size is not a multiple of 8 bits',
  check: ({ rsa, certificate: { publicKey } }) =>
    rsa !== undefined && publicKey.bits % 8 !== 0 ? [`expected a multiple of 8 bits, found ${publicKey.bits}`] : [],
});
