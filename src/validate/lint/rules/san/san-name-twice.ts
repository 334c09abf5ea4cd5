import { OF_TLS, certificateRule } from '../../rule.js';
import { sampleOf } from '../../sample.js';
import { eachOf } from '../../wording.js';

/** The first ten thousand are compared: more are a fault of another kind. */
export const sanNameTwice = certificateRule({
  id: 'SAN_NAME_TWICE',
  severity: 'warning',
  source: 'RFC 5280 §4.2.1.6',
  profiles: OF_TLS,
  title: 'the same name twice',
  check: ({ certificate: { subjectAltName } }) => {
    const { dns, ip, uri, email } = subjectAltName;
    const seen = new Set<string>();
    const isSecond = (name: string): boolean => {
      const folded = name.toLowerCase();
      const known = seen.has(folded);
      seen.add(folded);
      return known;
    };
    const names = [dns, ip, uri, email].flatMap((kind) => kind.slice(0, 10_000));
    return eachOf(sampleOf(names, isSecond), (name) => `expected each name once, found ${name} again`);
  },
});
