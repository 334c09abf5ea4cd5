import { oidName } from '../../../../pki/oids.js';
import { OF_RFC5280, certificateRule } from '../../rule.js';
import { listed } from '../../wording.js';

export const aiaWithoutUri = certificateRule({
  id: 'AIA_WITHOUT_URI',
  severity: 'warning',
  source: 'RFC 5280 §4.2.2.1',
  profiles: OF_RFC5280,
  title: 'an authority information access without an HTTP or LDAP address',
  check: ({ values: { authorityInfoAccess = [] } }) =>
    authorityInfoAccess
      .filter(({ location }) => !location.uri.some((uri) => /^(https?|ldaps?):/i.test(uri)))
      .map(
        ({ method, location }) =>
          `expected an http or ldap URI for ${oidName(method)}, found ${listed([...location.uri, ...location.dns])}`,
      ),
});
