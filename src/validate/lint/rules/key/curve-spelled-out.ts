import { OF_RFC5280, certificateRule } from '../../rule.js';

/** Whoever may choose the generator has the key to every signature (CVE-2020-0601). */
export const curveSpelledOut = certificateRule({
  id: 'CURVE_SPELLED_OUT',
  severity: 'error',
  source: 'RFC 5480 §2.1.1',
  profiles: OF_RFC5280,
  title: 'a curve by its parameters and not by its name',
  check: ({ certificate: { publicKey } }) =>
    publicKey.type === 'EC' && publicKey.curve === undefined ? ['expected a named curve, found its parameters spelled out'] : [],
});
