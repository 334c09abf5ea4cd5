import { OF_RFC5280, certificateRule } from '../../rule.js';

export const withoutEnd = certificateRule({
  id: 'WITHOUT_END',
  severity: 'notice',
  source: 'RFC 5280 §4.1.2.5',
  profiles: OF_RFC5280,
  title: '9999-12-31, which says that there is no end',
  check: ({ certificate: { notAfter } }) =>
    notAfter === NO_END ? ['expected the end of its life, found 9999-12-31T23:59:59Z: it can only be revoked'] : [],
});

const NO_END = Date.UTC(9999, 11, 31, 23, 59, 59);
