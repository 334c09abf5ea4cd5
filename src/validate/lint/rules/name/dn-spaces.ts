import { oidName } from '../../../../pki/oids.js';
import { attributesOf } from '../../attributes.js';
import { OF_TLS, certificateRule } from '../../rule.js';
import { shown } from '../../wording.js';

/** RFC 5280 compares without it; policies that compare texts do not. */
export const dnSpaces = certificateRule({
  id: 'DN_SPACES',
  severity: 'warning',
  source: 'RFC 5280 §7.1, RFC 4518 §2.6',
  profiles: OF_TLS,
  title: 'white space around the value of an attribute',
  check: ({ certificate: { subject } }) =>
    attributesOf(
      subject,
      ({ value }) => value !== value.trim(),
      ({ type, value }) => `expected no white space around ${oidName(type)}, found ${JSON.stringify(shown(value))}`,
    ),
});
