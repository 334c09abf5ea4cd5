import { OF_RFC5280, certificateRule } from '../../rule.js';
import { sampleOf } from '../../sample.js';
import { eachOf } from '../../wording.js';

export const sanUriForm = certificateRule({
  id: 'SAN_URI_FORM',
  severity: 'error',
  source: 'RFC 5280 §4.2.1.6, RFC 3986 §3',
  profiles: OF_RFC5280,
  title: 'a URI that is not absolute, or without a host',
  check: ({ certificate: { subjectAltName } }) =>
    eachOf(
      sampleOf(subjectAltName.uri, (uri) => !isAbsoluteUri(uri)),
      (uri) => `expected a scheme and what it names, with a host behind //, found ${uri}`,
    ),
});

/** Characters of RFC 3986 §2; a host is a name or an address. */
const ABSOLUTE =
  /^[a-z][a-z0-9+.-]*:(?!$)(?:\/\/(?:[^/?#@]*@)?(?:[a-z0-9._~-]+|\[[0-9a-f:.]+\])(?::\d*)?(?=[/?#]|$))?[\w\-.~:/?#[\]@!$&'()*+,;=%]*$/i;
const isAbsoluteUri = (uri: string): boolean => ABSOLUTE.test(uri) && (!/^[^:]*:\/\//.test(uri) || /^[^:]*:\/\/[^/?#]/.test(uri));
