import { OF_RFC5280, certificateRule } from '../../rule.js';

export const versionNot3 = certificateRule({
  id: 'VERSION_NOT_3',
  severity: 'error',
  source: 'RFC 5280 §4.1.2.1 and §4.2',
  profiles: OF_RFC5280,
  title: 'of a version that has no extensions',
  check: ({ certificate: { version } }) => (version === 3 ? [] : [`expected version 3, found version ${version}`]),
});
