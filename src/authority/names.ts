import { isIP } from 'node:net';
import { domainToASCII } from 'node:url';
import { ipToBytes, ipToText } from '../base/bytes.js';
import { MtlsError } from '../errors.js';

const LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

/** `name`, when it is a DNS label (RFC 1123 §2.1, lower case). Throws NAME_NOT_DNS_LABEL with what may have been meant. */
export function asLabel(name: string, what = 'service name'): string {
  if (LABEL.test(name)) return name;
  const suggestion = name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 63)
    .replace(/-+$/, '');
  throw new MtlsError('NAME_NOT_DNS_LABEL', { name, what, ...(LABEL.test(suggestion) ? { suggestion } : {}) });
}

/** A trust domain: lower-case letters, digits, `.`, `-` and `_`, at most 255 (SPIFFE-ID §2.1). */
export function asTrustDomain(text: string): string {
  if (/^[a-z0-9]([a-z0-9._-]{0,253}[a-z0-9])?$/.test(text) && !text.includes('..')) return text;
  throw new MtlsError('VALUE_INVALID', {
    what: 'trust domain',
    found: text,
    expected: 'lower-case letters, digits, . - _, such as shop.test',
  });
}

/** A DNS name for a certificate, in A-labels and lower case; a wildcard may be the whole left-most label. */
export function asDnsName(text: string): string {
  const wildcard = text.startsWith('*.');
  // domainToASCII reads a host as URLs have it: it would cut a path off, drop tabs and decode %
  const ascii = /[\s/\\?#%]/.test(text) ? '' : domainToASCII(wildcard ? text.slice(2) : text).toLowerCase();
  const labels = ascii.split('.');
  const fits = ascii.length > 0 && ascii.length <= 251 && labels.every((label) => LABEL.test(label)) && isIP(ascii) === 0;
  if (fits && !(wildcard && labels.length < 2)) return wildcard ? `*.${ascii}` : ascii;
  const expected = isIP(text) === 0 ? 'a DNS name such as api.shop.test or *.shop.test' : 'a DNS name; for an address use --ip';
  throw new MtlsError('VALUE_INVALID', { what: '--dns', found: text, expected });
}

/** An IPv4 or IPv6 address in its canonical form. */
export function asIpAddress(text: string): string {
  const bytes = ipToBytes(text);
  if (bytes === undefined)
    throw new MtlsError('VALUE_INVALID', { what: '--ip', found: text, expected: 'an address such as 10.0.0.7 or fd00::7' });
  return ipToText(bytes)!;
}

/** An absolute URI of ASCII characters, with an authority (RFC 5280 §4.2.1.6). */
export function asUri(text: string): string {
  if (/^[a-z][a-z0-9+.-]*:\/\/[!-~]+$/i.test(text) && text.length <= 2048 && URL.canParse(text)) return text;
  throw new MtlsError('VALUE_INVALID', {
    what: '--uri',
    found: text,
    expected: 'an absolute URI such as spiffe://shop.test/ns/default/sa/api',
  });
}

/** Where a CRL or an OCSP responder is: over plain HTTP, as who fetches it for a handshake cannot ask for a handshake first (RFC 5280 §8). */
export function asHttpUrl(text: string, what: string): string {
  if (/^http:\/\/[!-~]+$/.test(text) && text.length <= 2048 && URL.canParse(text)) return text;
  throw new MtlsError('VALUE_INVALID', { what, found: text, expected: 'a URL such as http://pki.shop.test/root.crl' });
}
