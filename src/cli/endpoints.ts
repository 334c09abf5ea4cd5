import { isIP } from 'node:net';
import { MtlsError } from '../errors.js';

/** A place to connect to. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
  /** From a URL. */
  readonly path?: string;
}

/** Reads `HOST:PORT`, `[IPV6]:PORT` or an `https:` URL. Throws VALUE_INVALID. */
export function parseEndpoint(text: string): Endpoint {
  const endpoint = text.includes('://') ? ofUrl(text) : ofPair(text);
  if (endpoint !== undefined) return endpoint;
  throw new MtlsError('VALUE_INVALID', { what: 'endpoint', found: text, expected: 'HOST:PORT, [IPV6]:PORT or an https:// URL' });
}

/** Reads `HOST:PORT` or `[IPV6]:PORT` to listen on, where port 0 is any. Throws VALUE_INVALID. */
export function parseListen(text: string): Endpoint {
  const endpoint = ofPair(text, 0);
  if (endpoint !== undefined) return endpoint;
  throw new MtlsError('VALUE_INVALID', { what: '--listen', found: text, expected: 'HOST:PORT or [IPV6]:PORT' });
}

/** Could it be an endpoint, when there is no file of that name? */
export const looksLikeEndpoint = (text: string): boolean => text.startsWith('https://') || ofPair(text) !== undefined;

function ofPair(text: string, lowestPort = 1): Endpoint | undefined {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^\s:/[\]@]+)):(\d{1,5})$/.exec(text);
  if (match === null) return undefined;
  const [, v6, name, digits] = match;
  const port = Number(digits);
  if (port < lowestPort || port > 65_535 || (v6 !== undefined && isIP(v6) !== 6)) return undefined;
  return { host: v6 ?? name!, port };
}

function ofUrl(text: string): Endpoint | undefined {
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  if (url.protocol !== 'https:' || url.username !== '' || url.password !== '') return undefined;
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const path = `${url.pathname}${url.search}`;
  return { host, port: url.port === '' ? 443 : Number(url.port), ...(path === '/' ? {} : { path }) };
}
