import { existingService, serviceNames } from '../authority/index.js';
import type { Workspace } from '../authority/index.js';
import { MtlsError } from '../errors.js';
import { readCertificates } from '../pki/material.js';
import { identityOf, serviceId } from '../validate/index.js';

/** Where names are looked up: a workspace, or else the trust domain of one's own certificate. */
export interface PeerScope {
  readonly workspace: Workspace | undefined;
  readonly trustDomain: string | undefined;
}

const NAME = /^(?:([a-z0-9-]{1,63})\/)?([a-z0-9-]{1,63})$/;

/**
 * `web`, `NAMESPACE/web`, a SPIFFE ID or `dns:NAME`, as `--allow` and `--expect` take them: as the proxy takes them. A
 * service of the workspace is who its certificate says. Throws VALUE_INVALID.
 */
export function peerOf(text: string, flag: '--allow' | '--expect', { workspace, trustDomain }: PeerScope): string {
  if (text.includes(':')) return text;
  const [, namespace, name] = NAME.exec(text) ?? [];
  if (name === undefined)
    throw new MtlsError('VALUE_INVALID', { what: flag, found: text, expected: 'a service, NAMESPACE/SERVICE, a SPIFFE ID or dns:NAME' });
  if (workspace !== undefined && namespace === undefined && serviceNames(workspace).includes(name)) {
    const uri = readCertificates(existingService(workspace, name).certificate)[0]!.subjectAltName.uri[0];
    if (uri !== undefined) return uri;
  }
  const domain = workspace?.settings.trustDomain ?? trustDomain;
  if (domain !== undefined) return serviceId(domain, namespace ?? 'default', name);
  const expected = 'a SPIFFE ID: the own certificate has none, and so no trust domain to look the name up in';
  throw new MtlsError('VALUE_INVALID', { what: flag, found: text, expected });
}

/** The trust domain of a certificate file. */
export const trustDomainIn = (path: string): string | undefined => identityOf(readCertificates(path)[0]!)?.trustDomain;
