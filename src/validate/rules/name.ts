import { describeNames, matchesName } from '../names.js';
import { type Rule, finding } from './rule.js';

export const name: Rule = {
  id: 'name',
  title: 'the name that was asked for',
  source: 'RFC 9525 §6, X509-SVID §2',
  concerns: (_, request) => (request.name === undefined ? [] : [0]),
  check: ({ certificates }, request) => {
    const leaf = certificates[0]!;
    if (request.name === undefined || matchesName(leaf.subjectAltName, request.name)) return [];
    const wanted = Object.values(request.name)[0] as string;
    const only = 'uri' in request.name && leaf.subjectAltName.uri.length > 1 ? ' as the only URI' : '';
    return [finding('NAME_MISMATCH', leaf, 0, `expected ${wanted}${only}, found ${describeNames(leaf.subjectAltName)}`)];
  },
};
