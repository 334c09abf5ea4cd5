import { serialText } from '../../../../pki/fields.js';
import { OF_TLS, certificateRule } from '../../rule.js';

/** A serial number that can be guessed lets whoever can make collisions of a digest choose the certificate that is signed. */
export const serialGuessable = certificateRule({
  id: 'SERIAL_GUESSABLE',
  severity: 'warning',
  source: 'CA/Browser Forum BR §7.1',
  profiles: OF_TLS,
  title: 'a serial number too short to have 64 random bits',
  check: ({ certificate: { serial } }) => {
    const digits = serialText(serial).replace(/^0+/, '');
    const isShort = digits.length > 0 && digits.length <= SHORTEST && !/^[89a-f]/.test(serial);
    return isShort ? [`expected at least 64 random bits, found the serial number ${digits}`] : [];
  },
});

/** 64 random bits begin with a zero octet once in 256; with two, once in 65,536. */
const SHORTEST = 12;
