import { ipToBytes } from '../../../../base/bytes.js';
import { isHostName, isMailbox } from '../../hosts.js';
import { OF_RFC5280, certificateRule } from '../../rule.js';
import { shown } from '../../wording.js';

export const nameConstraintForm = certificateRule({
  id: 'NAME_CONSTRAINT_FORM',
  severity: 'error',
  source: 'RFC 5280 §4.2.1.10',
  profiles: OF_RFC5280,
  title: 'a name constraint that cannot match as it is meant',
  check: ({ values: { nameConstraints } }) => {
    const bases = [...(nameConstraints?.permitted ?? []), ...(nameConstraints?.excluded ?? [])].flatMap((subtree) => {
      const form = FORMS[subtree.kind];
      return form === undefined || !('base' in subtree) || typeof subtree.base !== 'string' || form.fits(subtree.base)
        ? []
        : [`expected ${form.expected}, found the ${subtree.kind} constraint ${shown(subtree.base)}`];
    });
    return bases;
  },
});

/** A name space of DNS has no dot before it; one of URIs and mailboxes may have. A wildcard is refused where it is read. */
const FORMS: Readonly<Record<string, { readonly expected: string; readonly fits: (base: string) => boolean }>> = {
  dns: { expected: 'a DNS name of letters, digits and hyphens without a dot before it', fits: (base) => base === '' || isHostName(base) },
  uri: { expected: 'a host name, or a domain with a dot before it', fits: (base) => base === '' || isDomain(base) },
  email: {
    expected: 'a mailbox, a host name, or a domain with a dot before it',
    fits: (base) => base === '' || isMailbox(base) || isDomain(base),
  },
};
const isDomain = (base: string): boolean => isHostName(base.replace(/^\./, '')) && ipToBytes(base) === undefined;
