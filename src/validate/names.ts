import { isIP } from 'node:net';
import { domainToASCII } from 'node:url';
import { ipToBytes, ipToText } from '../base/bytes.js';
import type { GeneralNames } from '../pki/general-name.js';
import { printable } from '../pki/name.js';

/** Whom a certificate is asked about: exactly one of these. */
export type NameQuery = { readonly host: string } | { readonly ip: string } | { readonly uri: string } | { readonly email: string };

/** Is the one who was asked for among the names? The common name never counts (RFC 9525 §2). */
export function matchesName(names: GeneralNames, query: NameQuery): boolean {
  if ('host' in query) return matchesHost(names, query.host);
  if ('ip' in query) return matchesIp(names, query.ip);
  return 'uri' in query ? matchesUri(names, query.uri) : matchesEmail(names, query.email);
}

/**
 * Is `host` one of the DNS names (RFC 9525 §6.3)? An address is looked for among the addresses. Unicode names are
 * compared as A-labels; a wildcard stands alone in the left-most label, for exactly one label.
 */
export function matchesHost(names: GeneralNames, host: string): boolean {
  const bare = unbracketed(host);
  if (isIP(bare) !== 0) return matchesIp(names, bare);
  const wanted = asDnsName(host);
  // full-width digits are an address in disguise
  if (wanted !== undefined && wanted !== host && isIP(wanted) !== 0) return matchesIp(names, wanted);
  return wanted !== undefined && names.dns.some((presented) => matchesDns(presented.toLowerCase(), wanted));
}

const unbracketed = (host: string): string => host.replace(/^\[(.*)\]$/, '$1');

/** Is it a host that a certificate can be asked for: a DNS name, in Unicode or not, or an address? */
export const isHost = (host: string): boolean => isIP(unbracketed(host)) !== 0 || asDnsName(host) !== undefined;

function matchesDns(presented: string, wanted: string): boolean {
  if (!presented.includes('*')) return isDnsName(presented) && presented === wanted;
  const rest = presented.slice(2);
  if (!presented.startsWith('*.') || !isDnsName(rest)) return false;
  const dot = wanted.indexOf('.');
  return dot > 0 && wanted.slice(dot + 1) === rest;
}

/** A host name as DNS has it: lower case, A-labels, no dot at the end; undefined when it is none. */
function asDnsName(host: string): string | undefined {
  // eslint-disable-next-line no-control-regex -- ASCII or not is the question
  const ascii = /^[\x00-\x7f]*$/.test(host) ? host.toLowerCase() : domainToASCII(host);
  const name = ascii.endsWith('.') ? ascii.slice(0, -1) : ascii;
  return isDnsName(name) ? name : undefined;
}

/** Labels of 1 to 63 letters, digits, `-` and `_` (which is out there), 253 characters in all. */
export const isDnsName = (name: string): boolean =>
  name.length > 0 && name.length <= 253 && name.split('.').every((label) => /^(?!-)[a-z0-9_-]{1,63}(?<!-)$/.test(label));

/** Is the address among the iPAddress names? Compared as bytes, so every spelling of IPv6 is the same. */
export function matchesIp(names: GeneralNames, ip: string): boolean {
  const bytes = ipToBytes(ip);
  return bytes !== undefined && names.ip.includes(ipToText(bytes)!);
}

/** Is the SPIFFE ID the one and only URI (X509-SVID §2)? Compared octet by octet. */
export function matchesUri(names: GeneralNames, uri: string): boolean {
  return names.uri.length === 1 && names.uri[0] === uri;
}

/** Is the mailbox among the rfc822Names: local part as it is, domain without case (RFC 5280 §7.5)? */
export function matchesEmail(names: GeneralNames, email: string): boolean {
  const fold = (mailbox: string): string => mailbox.replace(/@[^@]*$/, (domain) => domain.toLowerCase());
  return names.email.some((presented) => fold(presented) === fold(email));
}

/** All names that a certificate presents, for people; what could steer a terminal is made visible. */
export function describeNames(names: GeneralNames): string {
  const all = [...names.dns, ...names.ip, ...names.uri, ...names.email].map(printable);
  if (all.length === 0) return 'no names';
  return all.length <= 8 ? all.join(', ') : `${all.slice(0, 8).join(', ')} and ${all.length - 8} more`;
}
