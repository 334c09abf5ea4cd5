import { isIP } from 'node:net';
import { MtlsError } from '../errors.js';

/** How an end of a proxy speaks: mutual TLS or in clear text, HTTP/1.1 or bytes. */
export const SCHEMES = ['mtls', 'http', 'mtls+tcp', 'tcp'] as const;
export type Scheme = (typeof SCHEMES)[number];

/** One end of a proxy. */
export interface Endpoint {
  readonly scheme: Scheme;
  readonly host: string;
  readonly port: number;
  readonly url: string;
}

/** Reads `mtls://HOST:PORT` and its kin; an IPv6 address in brackets; port 0 (any) only to listen on. Throws VALUE_INVALID. */
export function parseEndpoint(text: string, what: '--listen' | '--upstream'): Endpoint {
  const match = /^([a-z+]+):\/\/(?:\[([0-9a-fA-F:.]+)\]|([^\s:/?#@[\]]+)):(\d{1,5})\/?$/.exec(text);
  const [, scheme, v6, name, digits] = match ?? [];
  const port = Number(digits);
  const fits =
    match !== null && isScheme(scheme) && port <= 65_535 && (port > 0 || what === '--listen') && (v6 === undefined || isIP(v6) === 6);
  if (fits) return endpoint(scheme, v6 ?? name!, port);
  throw new MtlsError('VALUE_INVALID', { what, found: text, expected: `${SCHEMES.map((each) => `${each}://HOST:PORT`).join(' or ')}` });
}

const isScheme = (text: string | undefined): text is Scheme => SCHEMES.includes(text as Scheme);

/** The endpoint with its URL spelled out. */
export const endpoint = (scheme: Scheme, host: string, port: number): Endpoint => ({
  ...{ scheme, host, port },
  url: `${scheme}://${host.includes(':') ? `[${host}]` : host}:${port}`,
});

export const isMutual = ({ scheme }: Endpoint): boolean => scheme === 'mtls' || scheme === 'mtls+tcp';
export const isHttp = ({ scheme }: Endpoint): boolean => scheme === 'mtls' || scheme === 'http';

/** Does it stay on this machine? A name other than localhost may mean anything. */
export function isLoopback({ host }: Endpoint): boolean {
  if (isIP(host) === 4) return host.startsWith('127.');
  if (isIP(host) === 6) return host === '::1';
  return host.toLowerCase() === 'localhost';
}
