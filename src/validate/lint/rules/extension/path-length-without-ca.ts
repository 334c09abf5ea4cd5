import { OF_RFC5280, certificateRule } from '../../rule.js';

export const pathLengthWithoutCa = certificateRule({
  id: 'PATH_LENGTH_WITHOUT_CA',
  severity: 'error',
  source: 'RFC 5280 §4.2.1.9',
  profiles: OF_RFC5280,
  title: 'a path length in what issues no certificates',
  check: ({ certificate: { basicConstraints, keyUsage } }) => {
    if (basicConstraints?.pathLength === undefined) return [];
    const found = !basicConstraints.ca ? 'CA:FALSE' : keyUsage?.includes('keyCertSign') === false ? 'no keyCertSign' : undefined;
    return found === undefined
      ? []
      : [`expected no path length without CA:TRUE and keyCertSign, found ${basicConstraints.pathLength} and ${found}`];
  },
});
