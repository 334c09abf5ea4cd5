import { oidName } from '../../../../pki/oids.js';
import { UPPER_BOUNDS, attributesOf } from '../../attributes.js';
import { OF_RFC5280, certificateRule } from '../../rule.js';

export const dnTooLong = certificateRule({
  id: 'DN_TOO_LONG',
  severity: 'error',
  source: 'RFC 5280 §A.1',
  profiles: OF_RFC5280,
  title: 'an attribute longer than its upper bound',
  check: ({ certificate: { subject } }) =>
    attributesOf(
      subject,
      ({ type, value }) => value.length > (UPPER_BOUNDS[type] ?? Infinity) && [...value].length > UPPER_BOUNDS[type]!,
      (attribute) =>
        `expected at most ${UPPER_BOUNDS[attribute.type]} characters in ${oidName(attribute.type)}, found ${attribute.value.length}`,
    ),
});
