import { OF_TLS, certificateRule } from '../../rule.js';

export const curveUnusual = certificateRule({
  id: 'CURVE_UNUSUAL',
  severity: 'warning',
  source: 'RFC 8446 §4.2.3',
  profiles: OF_TLS,
  title: 'a curve that TLS 1.3 does not sign with',
  check: ({ certificate: { publicKey } }) => {
    const { type, curve } = publicKey;
    return type === 'EC' && curve !== undefined && !OF_TLS_1_3.has(curve) ? [`expected P-256, P-384 or P-521, found ${curve}`] : [];
  },
});

const OF_TLS_1_3: ReadonlySet<string> = new Set(['P-256', 'P-384', 'P-521']);
