import type { Certificate } from '../pki/certificate.js';
import { fingerprint } from '../pki/certificate.js';
import type { Name } from '../pki/name.js';
import { OID } from '../pki/oids.js';

/** What tells a service who its caller is. Only a sidecar may say so: it is taken out of whatever comes from outside. */
export const FORWARDED_CERTIFICATE = 'X-Forwarded-Client-Cert';

/** These are about one connection and end with it (RFC 9110 §7.6.1), together with what Connection names. */
const HOP_BY_HOP = [
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'transfer-encoding',
  'upgrade',
  'proxy-authenticate',
  'proxy-authorization',
];

/** Fields in the order in which they came, name and value by turns, without those that end here. */
export function endToEnd(rawHeaders: readonly string[], alsoWithout: readonly string[] = []): string[] {
  const named = pairs(rawHeaders)
    .filter(([name]) => name.toLowerCase() === 'connection')
    .flatMap(([, value]) => value.split(',').map((token) => token.trim().toLowerCase()));
  // a connection option that names a field of the message itself would let a client cut it out
  const dropped = new Set([...HOP_BY_HOP, ...named.filter((name) => !KEPT.has(name)), ...alsoWithout.map((name) => name.toLowerCase())]);
  return pairs(rawHeaders)
    .filter(([name]) => !dropped.has(name.toLowerCase()))
    .flat();
}

const KEPT: ReadonlySet<string> = new Set(['content-length', 'content-type', 'host', 'authorization', 'cookie', 'date']);

/** Name and value, pair by pair. */
export function pairs(raw: readonly string[]): [string, string][] {
  return Array.from({ length: raw.length / 2 }, (_, i) => [raw[2 * i]!, raw[2 * i + 1]!]);
}

/**
 * The field as Envoy writes it (SANITIZE_SET): `By` is the own identity, the rest is the client's certificate.
 * https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_conn_man/headers#x-forwarded-client-cert
 */
export function forwardedCertificate(client: Certificate, own: Certificate): string {
  const [by] = own.subjectAltName.uri;
  return [
    ...(by === undefined ? [] : [`By=${quoted(by)}`]),
    `Hash=${fingerprint(client)}`,
    `Subject="${distinguishedName(client.subject)}"`,
    ...client.subjectAltName.uri.map((uri) => `URI=${quoted(uri)}`),
    ...client.subjectAltName.dns.map((dns) => `DNS=${quoted(dns)}`),
  ].join(';');
}

const quoted = (value: string): string => (/[",;=\s]/.test(value) ? `"${value.replace(/["\\]/g, '\\$&')}"` : value);

const ATTRIBUTES: Readonly<Record<string, string>> = {
  [OID.commonName]: 'CN',
  [OID.organizationName]: 'O',
  [OID.organizationalUnitName]: 'OU',
  [OID.countryName]: 'C',
  [OID.stateOrProvinceName]: 'ST',
  [OID.localityName]: 'L',
  [OID.domainComponent]: 'DC',
};

/** RFC 2253: the last attribute first, and every octet that is no plain ASCII as a pair of hex digits. */
function distinguishedName({ attributes }: Name): string {
  return attributes
    .toReversed()
    .map(({ type, value }) => `${ATTRIBUTES[type] ?? type}=${escaped(value)}`)
    .join(',');
}

function escaped(value: string): string {
  const text = value.replace(/[,+"\\<>;]|^[# ]| $/g, '\\$&');
  return text.replace(/[^\x20-\x7e]/gu, (character) =>
    [...Buffer.from(character)].map((octet) => `\\${octet.toString(16).toUpperCase().padStart(2, '0')}`).join(''),
  );
}
