import type { Certificate } from '../../src/pki/certificate.js';
import { TAG, contextConstructed } from '../../src/pki/der.js';
import { element, integer, oid, sequence, set, toDer } from '../../src/pki/encode.js';
import { PKCS12_OID } from '../../src/pki/oids.js';

export const SIGNED_DATA = '1.2.840.113549.1.7.2';

/** What a SignedData is made of; each part may be put in as other DER. */
interface Parts {
  readonly certificates?: readonly Pick<Certificate, 'der'>[];
  readonly crls?: readonly Buffer[];
  readonly version?: number;
  readonly content?: Buffer;
  readonly signers?: Buffer;
  /** Behind everything else. */
  readonly more?: Buffer;
}

/** A SignedData that signs nothing, as `openssl crl2pkcs7` makes it, unless told otherwise. */
export function signedData({ certificates = [], crls = [], version = 1, content, signers, more }: Parts): Buffer {
  const data = element(TAG.sequence, [
    toDer(integer(version)),
    toDer(set()),
    content ?? toDer(sequence(oid(PKCS12_OID.data))),
    ...(certificates.length === 0
      ? []
      : [
          element(
            contextConstructed(0),
            certificates.map(({ der }) => der),
          ),
        ]),
    ...(crls.length === 0 ? [] : [element(contextConstructed(1), crls)]),
    signers ?? toDer(set()),
    ...(more === undefined ? [] : [more]),
  ]);
  return contentInfo(SIGNED_DATA, data);
}

/** `ContentInfo ::= SEQUENCE { contentType, [0] EXPLICIT content }` */
export const contentInfo = (type: string, content: Buffer): Buffer =>
  element(TAG.sequence, [toDer(oid(type)), element(contextConstructed(0), [content])]);
