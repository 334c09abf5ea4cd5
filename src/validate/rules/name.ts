import type { Certificate } from '../../pki/certificate.js';
import type { Finding } from '../findings.js';
import { identityOf } from '../identity.js';
import { describeNames, matchesName } from '../names.js';
import { type Rule, finding } from './rule.js';

/** A SPIFFE ID is whose it is only in a certificate that signs no other (X509-SVID §4.1, §4.3, §5.2). */
function checkSvid(leaf: Certificate): Finding[] {
  if (identityOf(leaf) === undefined) return [];
  const signs = leaf.keyUsage?.find((usage) => usage === 'keyCertSign' || usage === 'cRLSign');
  const what = leaf.basicConstraints?.ca === true ? 'a CA' : signs === undefined ? undefined : `for ${signs}`;
  return what === undefined ? [] : [finding('NAME_MISMATCH', leaf, 0, `is ${what}, and so nobody's SPIFFE ID`)];
}

export const name: Rule = {
  id: 'name',
  title: 'the name that was asked for',
  source: 'RFC 9525 §6, X509-SVID §2',
  concerns: (_, request) => (request.name === undefined ? [] : [0]),
  check: ({ certificates }, request) => {
    const leaf = certificates[0]!;
    if (request.name === undefined) return [];
    if (matchesName(leaf.subjectAltName, request.name)) return 'uri' in request.name ? checkSvid(leaf) : [];
    const wanted = Object.values(request.name)[0] as string;
    const only = 'uri' in request.name && leaf.subjectAltName.uri.length > 1 ? ' as the only URI' : '';
    return [finding('NAME_MISMATCH', leaf, 0, `expected ${wanted}${only}, found ${describeNames(leaf.subjectAltName)}`)];
  },
};
