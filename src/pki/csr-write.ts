import type { KeyObject } from 'node:crypto';
import { signerFor } from './algorithms.js';
import { type Csr, readCsr } from './csr.js';
import { TAG } from './der.js';
import {
  algorithm,
  bitString,
  boolean,
  element,
  embed,
  extension,
  integer,
  name,
  namedBits,
  oid,
  sequence,
  set,
  tagged,
  toDer,
} from './encode.js';
import { KEY_USAGES, type KeyUsage } from './extensions.js';
import { publicKeyInfo } from './key.js';
import { OID } from './oids.js';

/** What a certification request asks for. All names must be valid already. */
export interface RequestTemplate {
  readonly subject: readonly (readonly [type: string, value: string])[];
  readonly ca: { readonly pathLength: number };
  readonly keyUsage: readonly KeyUsage[];
}

/**
 * Signs a request for a CA's certificate for `key`, whose private half proves that it is at hand (RFC 2986 §4); what is to
 * be in the certificate is in its one attribute, extensionRequest (RFC 2985 §5.4.2).
 *
 *     CertificationRequestInfo ::= SEQUENCE { version INTEGER (0), subject Name, subjectPKInfo, attributes [0] }
 */
export function signRequest({ subject, ca, keyUsage }: RequestTemplate, key: KeyObject): Csr {
  const { oid: signature, nullParameters, sign } = signerFor(key);
  const extensions = sequence(
    extension(OID.basicConstraints, true, sequence(boolean(true), integer(ca.pathLength))),
    extension(OID.keyUsage, true, namedBits(keyUsage.map((usage) => KEY_USAGES.indexOf(usage)))),
  );
  const asked = sequence(oid(OID.extensionRequest), set(extensions));
  const info = toDer(sequence(integer(0), name(subject), embed(publicKeyInfo(key).der), tagged(0, asked)));
  return readCsr(element(TAG.sequence, [info, toDer(algorithm(signature, nullParameters)), toDer(bitString(sign(info)))]));
}
