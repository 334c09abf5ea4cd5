import type { Certificate } from '../../pki/certificate.js';
import { type KeyType, generateKey, publicKeyInfo } from '../../pki/key.js';
import { OID } from '../../pki/oids.js';
import { type Signer, signCertificate } from '../../pki/sign.js';
import { BACKDATE } from '../issue/issue.js';
import { caSubject } from '../cas/make-cas.js';

/** What the next generation of CAs is made by. */
export interface NextOptions {
  readonly trustDomain: string;
  readonly keyType: KeyType;
  /** Milliseconds; as long as the root before was made for, unless told otherwise. */
  readonly validity?: number;
}

/** The next root, what stands below it, and its key certified by the root before. */
export interface NextCas {
  readonly root: Signer;
  readonly issuing: Signer | undefined;
  readonly cross: Certificate | undefined;
}

/**
 * Makes a root that takes the place of `before`, and an issuing CA below it where there is one now. The root keeps its name and
 * gets a new key: so what the old one signs for it is self-issued, which no path length counts (RFC 5280 §4.2.1.9), and services
 * below either are accepted by whoever trusts the old one (RFC 4210 §4.4, `NewWithOld`). `by` is the old one with its key; without
 * it nothing is cross-signed. A root without a key identifier lends its name to nobody: its certificates do not say by which key
 * they were signed. Path lengths and name constraints stay.
 */
export function makeNextCas(
  before: { readonly root: Certificate; readonly issuing: Certificate | undefined },
  by: Signer | undefined,
  options: NextOptions,
  now: Date,
): NextCas {
  const { trustDomain, keyType, validity = before.root.notAfter - before.root.notBefore - BACKDATE } = options;
  const notBefore = new Date(now.getTime() - BACKDATE);
  const notAfter = new Date(now.getTime() + validity);
  const key = generateKey(keyType);
  const publicKey = publicKeyInfo(key);
  const keepsName = before.root.subjectKeyId !== undefined;
  const template = {
    ...shapeOf(before.root, before.issuing === undefined ? 0 : 1),
    subject: keepsName ? before.root.subject : caSubject(trustDomain, 'root', publicKey),
    publicKey,
  };
  const root = { certificate: signCertificate({ ...template, notBefore, notAfter }, { key }), key };
  const life = {
    notBefore: new Date(Math.max(notBefore.getTime(), before.root.notBefore)),
    notAfter: new Date(Math.min(notAfter.getTime(), before.root.notAfter)),
  };
  const isCertifiable = keepsName && now.getTime() < before.root.notAfter;
  const cross = by !== undefined && isCertifiable ? signCertificate({ ...template, ...life }, by) : undefined;
  return { root, cross, issuing: before.issuing && makeIssuing(before.issuing, root) };

  function makeIssuing(like: Certificate, above: Signer): Signer {
    const own = generateKey(keyType);
    const publicKey = publicKeyInfo(own);
    const subject = caSubject(trustDomain, 'issuing', publicKey);
    return { certificate: signCertificate({ ...shapeOf(like, 0), subject, publicKey, notBefore, notAfter }, above), key: own };
  }
}

/** What a CA may do, as the one before. */
function shapeOf({ extensions }: Certificate, pathLength: number) {
  const constraints = extensions.find(({ oid }) => oid === OID.nameConstraints);
  return {
    ca: { pathLength },
    keyUsage: ['keyCertSign', 'cRLSign'] as const,
    ...(constraints === undefined ? {} : { nameConstraints: constraints }),
  };
}
