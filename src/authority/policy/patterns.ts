import { ipToBytes, ipToText } from '../../base/bytes.js';
import { MtlsError, isError } from '../../errors.js';
import { asDnsName, asUri } from '../names.js';

/** Which names are allowed: `text` as the policy has it, and the question. Names come in the form that certificates have. */
export interface Pattern {
  readonly text: string;
  readonly allows: (name: string) => boolean;
}

/**
 * A pattern of DNS names. `api.shop.test` is that name; in `*.shop.test` the star is exactly one label, and only the whole
 * left-most one may be a star; `.shop.test` is every name below, at any depth, and not `shop.test` itself.
 *
 * A wildcard name of a certificate is allowed where every name that it stands for is: `*.shop.test` by `*.shop.test` and by
 * `.shop.test`, never by names one by one. Throws VALUE_INVALID.
 */
export function dnsPattern(text: string): Pattern {
  const [, prefix = '', rest = ''] = /^(\.|\*\.|)(.*)$/s.exec(text) ?? [];
  if (text === '*') return { text, allows: (name) => !name.includes('.') };
  const base = asBase(text, rest);
  if (prefix === '') return { text, allows: (name) => name === base };
  const below = `.${base}`;
  const isOne = prefix === '*.';
  return { text, allows: (name) => name.endsWith(below) && name.length > below.length && !(isOne && labelsAbove(name, below) > 1) };
}

const labelsAbove = (name: string, below: string): number => name.slice(0, -below.length).split('.').length;

function asBase(text: string, rest: string): string {
  const expected = 'a name such as api.shop.test, *.shop.test (one label) or .shop.test (any depth)';
  try {
    if (!rest.includes('*')) return asDnsName(rest);
  } catch (error) {
    if (!isError(error, 'VALUE_INVALID')) throw error;
  }
  throw new MtlsError('VALUE_INVALID', { what: 'DNS pattern', found: text, expected });
}

/** A pattern of addresses: one address, or a network in CIDR notation (RFC 4632 §3.1) with nothing behind its prefix. Throws VALUE_INVALID. */
export function ipPattern(text: string): Pattern {
  const [, host = '', length] = /^([^/]*)(?:\/(0|[1-9]\d{0,2}))?$/.exec(text) ?? [];
  const network = ipToBytes(host);
  const bits = Number(length ?? (network?.length ?? 0) * 8);
  if (network === undefined || bits > network.length * 8) throw notNetwork(text, 'an address or a network such as 10.0.0.0/8 or fd00::/8');
  const first = masked(network, bits);
  if (!first.equals(network)) throw notNetwork(text, `a network, with nothing behind its prefix: ${ipToText(first)}/${bits}`);
  const allows = (name: string): boolean => {
    const address = ipToBytes(name);
    // an IPv4 address is not of the IPv6 network that it is mapped to
    return address?.length === network.length && masked(address, bits).equals(first);
  };
  return { text, allows };
}

const notNetwork = (found: string, expected: string): MtlsError => new MtlsError('VALUE_INVALID', { what: 'IP pattern', found, expected });

/** The first `bits` of an address, zeros behind them. */
const masked = (address: Buffer, bits: number): Buffer =>
  Buffer.from(address.map((octet, i) => octet & (0xff00 >> Math.min(8, Math.max(0, bits - 8 * i)))));

/**
 * A pattern of URIs. Without a star it is that URI, octet by octet. A `*` is one whole segment of the path, a `**` at its
 * end is one or more; neither stands for a scheme, a host or a trust domain. With a star nothing is allowed that a reader
 * could take for another path: a query, a fragment, an escape, an empty segment, a segment `.` or `..`. Throws VALUE_INVALID.
 */
export function uriPattern(text: string): Pattern {
  const wanted = text.split('/');
  const isStar = (segment: string): boolean => segment === '*' || segment === '**';
  const sound =
    wanted.every((segment, i) => !segment.includes('*') || (i > 2 && (segment === '*' || (segment === '**' && i === wanted.length - 1)))) &&
    isUri(wanted.map((segment) => (isStar(segment) ? 'any' : segment)).join('/'));
  if (!sound)
    throw new MtlsError('VALUE_INVALID', {
      what: 'URI pattern',
      found: text,
      expected: 'a URI such as spiffe://shop.test/ns/*/sa/api (* one segment, ** at the end all that is left)',
    });
  if (!wanted.some(isStar)) return { text, allows: (name) => name === text };
  const isDeep = wanted.at(-1) === '**';
  const fixed = isDeep ? wanted.slice(0, -1) : wanted;
  const allows = (name: string): boolean => {
    const found = name.split('/');
    const fits = isDeep ? found.length > fixed.length : found.length === fixed.length;
    return fits && isPlainPath(found.slice(3)) && fixed.every((segment, i) => segment === '*' || segment === found[i]);
  };
  return { text, allows };
}

const isPlainPath = (segments: readonly string[]): boolean =>
  segments.every((segment) => segment !== '' && segment !== '.' && segment !== '..' && !/[?#%\\]/.test(segment));

function isUri(text: string): boolean {
  try {
    return asUri(text) === text;
  } catch (error) {
    if (isError(error, 'VALUE_INVALID')) return false;
    throw error;
  }
}
