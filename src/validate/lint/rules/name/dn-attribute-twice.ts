import { attributesOf } from '../../attributes.js';
import { OF_RFC5280, certificateRule } from '../../rule.js';
import { shownAttribute } from '../../wording.js';

export const dnAttributeTwice = certificateRule({
  id: 'DN_ATTRIBUTE_TWICE',
  severity: 'error',
  source: 'X.501 §9.3',
  profiles: OF_RFC5280,
  title: 'the same attribute twice in one relative name',
  check: ({ certificate: { subject } }) => {
    const seen = new Set<string>();
    return attributesOf(
      subject,
      ({ rdn, type }) => {
        const key = `${rdn} ${type}`;
        const isSecond = seen.has(key);
        seen.add(key);
        return isSecond;
      },
      (attribute) => `expected each attribute once in a relative name, found ${shownAttribute(attribute)} besides another`,
    );
  },
});
