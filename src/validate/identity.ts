import type { Certificate } from '../pki/certificate.js';

/** A SPIFFE ID taken apart. `namespace` and `serviceAccount` are set when the path is `/ns/<namespace>/sa/<account>`. */
export interface SpiffeId {
  readonly id: string;
  readonly trustDomain: string;
  readonly path: string;
  readonly namespace?: string;
  readonly serviceAccount?: string;
}

/** Reads a SPIFFE ID (SPIFFE-ID §2: lower-case trust domain, no empty or dot segments, at most 2048 bytes); undefined when it is none. */
export function parseSpiffeId(text: string): SpiffeId | undefined {
  const match = text.length <= 2048 ? /^spiffe:\/\/([a-z0-9._-]{1,255})((?:\/[A-Za-z0-9._-]+)*)$/.exec(text) : null;
  if (match === null) return undefined;
  const [trustDomain, path] = [match[1]!, match[2]!];
  const segments = path.split('/').slice(1);
  if (segments.some((segment) => segment === '.' || segment === '..')) return undefined;
  const [ns, namespace, sa, serviceAccount] = segments;
  const service = segments.length === 4 && ns === 'ns' && sa === 'sa' ? { namespace: namespace!, serviceAccount: serviceAccount! } : {};
  return { id: text, trustDomain, path, ...service };
}

/** The identity of whoever holds a certificate: its one URI SAN, when that is a SPIFFE ID (X509-SVID §2); else undefined. */
export function identityOf(certificate: Certificate): SpiffeId | undefined {
  const { uri } = certificate.subjectAltName;
  return uri.length === 1 ? parseSpiffeId(uri[0]!) : undefined;
}

/** The SPIFFE ID of a service: `spiffe://<trust-domain>/ns/<namespace>/sa/<name>`. */
export function serviceId(trustDomain: string, namespace: string, name: string): string {
  return `spiffe://${trustDomain}/ns/${namespace}/sa/${name}`;
}
