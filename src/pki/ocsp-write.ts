import { createHash } from 'node:crypto';
import { signerFor } from './algorithms.js';
import type { CertId } from './cert-id.js';
import type { Certificate } from './certificate.js';
import { REASONS, type Reason } from './crl.js';
import {
  type Node,
  algorithm,
  bitString,
  embed,
  enumerated,
  explicit,
  extension,
  generalizedTime,
  implicit,
  octetString,
  oid,
  sequence,
  tagged,
  toDer,
} from './encode.js';
import { OCSP_STATUSES } from './ocsp.js';
import { OID } from './oids.js';
import type { Signer } from './sign.js';

/** What is known of a certificate. */
export type CertificateStatus =
  { readonly status: 'good' } | { readonly status: 'revoked'; readonly at: Date; readonly reason: Reason } | { readonly status: 'unknown' };

/** What goes into an OCSP response. */
export interface OcspTemplate {
  readonly producedAt: Date;
  readonly answers: readonly {
    readonly certId: CertId;
    readonly status: CertificateStatus;
    readonly thisUpdate: Date;
    readonly nextUpdate: Date;
  }[];
  /** That of the request. */
  readonly nonce?: Buffer | undefined;
  /** What the response is to be checked with, when the issuer delegated it. */
  readonly certificates: readonly Certificate[];
}

/** Signs a basic response, in the name of the key of `by` (RFC 6960 §4.2.1). */
export function signOcspResponse({ producedAt, answers, nonce, certificates }: OcspTemplate, by: Signer): Buffer {
  const { oid: signature, nullParameters, sign } = signerFor(by.key);
  const keyHash = createHash('sha1').update(by.certificate.publicKey.key).digest();
  const data = toDer(
    sequence(
      explicit(2, octetString(keyHash)),
      generalizedTime(producedAt),
      sequence(...answers.map(single)),
      ...(nonce === undefined ? [] : [explicit(1, sequence(extension(OID.ocspNonce, false, octetString(nonce))))]),
    ),
  );
  const basic = sequence(
    embed(data),
    algorithm(signature, nullParameters),
    bitString(sign(data)),
    ...(certificates.length === 0 ? [] : [explicit(0, sequence(...certificates.map(({ der }) => embed(der))))]),
  );
  return toDer(sequence(enumerated(0), explicit(0, sequence(oid(OID.ocspBasic), octetString(toDer(basic))))));
}

/** `SingleResponse ::= SEQUENCE { CertID, status, thisUpdate, [0] nextUpdate }`; the CertID is the very one that was asked with. */
const single = ({ certId, status, thisUpdate, nextUpdate }: OcspTemplate['answers'][number]): Node =>
  sequence(embed(certId.der), statusNode(status), generalizedTime(thisUpdate), explicit(0, generalizedTime(nextUpdate)));

/** `CHOICE { [0] good NULL, [1] revoked { time, [0] reason }, [2] unknown NULL }` */
function statusNode(status: CertificateStatus): Node {
  if (status.status !== 'revoked') return implicit(status.status === 'good' ? 0 : 2, Buffer.alloc(0));
  // unspecified is said by leaving the reason out, as in a CRL (RFC 5280 §5.3.1)
  const reason = status.reason === 'unspecified' ? [] : [explicit(0, enumerated(REASONS.indexOf(status.reason)))];
  return tagged(1, generalizedTime(status.at), ...reason);
}

/** Why there is no answer (RFC 6960 §2.3). */
export type OcspRefusal = Exclude<(typeof OCSP_STATUSES)[number], 'successful' | undefined>;

/** A response that says only why there is no answer; nobody signs it. */
export const ocspRefusal = (why: OcspRefusal): Buffer => toDer(sequence(enumerated(OCSP_STATUSES.indexOf(why))));
