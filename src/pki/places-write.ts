import { type Node, explicit, implicit, oid, sequence, tagged } from './encode.js';
import { OID } from './oids.js';

const uri = (text: string): Node => implicit(6, Buffer.from(text, 'latin1'));

/** The value of cRLDistributionPoints: the one CRL of the issuer, at any of these URLs (RFC 5280 §4.2.1.13). */
export const distributionPoint = (urls: readonly string[]): Node => sequence(sequence(explicit(0, tagged(0, ...urls.map(uri)))));

/** The value of authorityInfoAccess: OCSP responders at these URLs (RFC 5280 §4.2.2.1). */
export const ocspAccess = (urls: readonly string[]): Node => sequence(...urls.map((url) => sequence(oid(OID.ocsp), uri(url))));
