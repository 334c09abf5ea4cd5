import { oidName } from '../../../../pki/oids.js';
import { attributesOf } from '../../attributes.js';
import { OF_RFC5280, certificateRule } from '../../rule.js';

export const dnEmptyValue = certificateRule({
  id: 'DN_EMPTY_VALUE',
  severity: 'error',
  source: 'RFC 5280 §A.1',
  profiles: OF_RFC5280,
  title: 'an attribute without a value',
  check: ({ certificate: { subject } }) =>
    attributesOf(
      subject,
      ({ value }) => value === '',
      ({ type }) => `expected a value of ${oidName(type)}, found an empty one`,
    ),
});
