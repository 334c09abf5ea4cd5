import type { Certificate } from './certificate.js';
import type { Crl } from './crl.js';
import { TAG, contextConstructed } from './der.js';
import { element, integer, oid, sequence, set, toDer } from './encode.js';
import { PKCS12_OID } from './oids.js';
import { type Pkcs7, SIGNED_DATA } from './pkcs7.js';

/**
 * A SignedData that signs nothing and carries certificates and CRLs along (RFC 5652 §5.1, RFC 2315 §9.1): what `.p7b`
 * files are. They stay in their order, although a SET has none and DER would sort it: readers show a chain as it stands
 * there, and OpenSSL writes it so.
 */
export function writePkcs7({ certificates, crls }: Pkcs7): Buffer {
  const carried = (n: number, items: readonly (Certificate | Crl)[]): Buffer[] =>
    items.length === 0
      ? []
      : [
          element(
            contextConstructed(n),
            items.map(({ der }) => der),
          ),
        ];
  const signedData = element(TAG.sequence, [
    toDer(integer(1)),
    toDer(set()),
    toDer(sequence(oid(PKCS12_OID.data))),
    ...carried(0, certificates),
    ...carried(1, crls),
    toDer(set()),
  ]);
  return element(TAG.sequence, [toDer(oid(SIGNED_DATA)), element(contextConstructed(0), [signedData])]);
}
