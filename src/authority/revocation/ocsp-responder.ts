import { createHash } from 'node:crypto';
import { MtlsError } from '../../errors.js';
import { type CertId, isOfIssuer, issuerHashes } from '../../pki/cert-id.js';
import type { Certificate } from '../../pki/certificate.js';
import { type OcspRequest, readOcspRequest } from '../../pki/ocsp-request.js';
import { type CertificateStatus, type OcspRefusal, ocspRefusal, signOcspResponse } from '../../pki/ocsp-write.js';
import type { Signer } from '../../pki/sign.js';

/** A CA for which there are answers. */
export interface AnsweringAuthority {
  readonly issuer: Certificate;
  /** Whom it delegated to: a certificate for OCSP signing that it issued (RFC 6960 §4.2.2.2), and its key. */
  readonly responder: Signer;
  /** What is known of a serial number, the INTEGER's octets in hex. */
  readonly statusOf: (serial: string) => CertificateStatus;
}

/** An answer, and what may be told of it. */
export interface OcspAnswer {
  readonly der: Buffer;
  readonly outcome: 'successful' | OcspRefusal;
  readonly certificates: readonly { readonly serial: string; readonly status: CertificateStatus['status'] }[];
  readonly hasNonce: boolean;
  /** Why it is none. */
  readonly problem?: MtlsError;
  /** Of an answer that anybody may be given until it ends: without a nonce, about certificates that are all known. */
  readonly keepable?: { readonly producedAt: Date; readonly nextUpdate: Date };
}

/** How long an answer without a nonce may be kept. */
export const OCSP_VALIDITY = 4 * 3_600_000;

/**
 * Answers a request (RFC 6960): `unknown` about a certificate that the CA never issued, `unauthorized` where no CA of ours
 * is named (RFC 5019 §2.2.3). One answer has one signer: where a request names several CAs of ours, the one that it names
 * first is answered for, and nothing is known of the others.
 */
export function answerOcsp(
  request: OcspRequest,
  authorities: readonly AnsweringAuthority[],
  now: Date,
  validity = OCSP_VALIDITY,
): OcspAnswer {
  const { certIds, nonce } = request;
  const [authority] = certIds.flatMap((certId) => authorities.filter(({ issuer }) => isIssuedBy(certId, issuer)));
  if (authority === undefined) return refused('unauthorized');
  const { issuer, responder, statusOf } = authority;
  // an answer beyond the end of whoever vouches for it helps nobody
  const nextUpdate = new Date(Math.min(now.getTime() + validity, responder.certificate.notAfter, issuer.notAfter));
  const answers = certIds.map((certId) => {
    const status: CertificateStatus = isIssuedBy(certId, issuer) ? statusOf(certId.serial) : { status: 'unknown' };
    return { certId, status, thisUpdate: now, nextUpdate };
  });
  const der = signOcspResponse({ producedAt: now, answers, nonce, certificates: [responder.certificate] }, responder);
  // what is not known now may be issued in a minute
  const isKeepable = nonce === undefined && answers.every(({ status }) => status.status !== 'unknown');
  return {
    der,
    outcome: 'successful',
    certificates: answers.map(({ certId, status }) => ({ serial: certId.serial, status: status.status })),
    hasNonce: nonce !== undefined,
    ...(isKeepable ? { keepable: { producedAt: now, nextUpdate } } : {}),
  };
}

const isIssuedBy = (certId: CertId, { subject, publicKey }: Certificate): boolean =>
  isOfIssuer(certId, issuerHashes(certId.hash, subject, publicKey));

const refused = (outcome: OcspRefusal, problem?: MtlsError): OcspAnswer => ({
  ...{ der: ocspRefusal(outcome), outcome, certificates: [], hasNonce: false },
  ...(problem === undefined ? {} : { problem }),
});

/** How many answers are kept to be given again. */
const KEPT = 1_024;

/** Where the CAs come from: the same list as long as nothing changed. */
export type Authorities = (now: Date) => Promise<readonly AnsweringAuthority[]>;

/** Answers requests as they come, and gives an answer again, until half of its time is over or something changed. */
export class OcspResponder {
  readonly #authoritiesAt: Authorities;
  readonly #validity: number;
  readonly #kept = new Map<string, OcspAnswer>();
  #keptOf: readonly AnsweringAuthority[] = [];

  constructor(authoritiesAt: Authorities, validity = OCSP_VALIDITY) {
    this.#authoritiesAt = authoritiesAt;
    this.#validity = validity;
  }

  /** Never throws: where what is known cannot be read now it is `tryLater`, and `internalError` for a bug of ours. */
  async answer(request: Uint8Array, now: Date): Promise<OcspAnswer> {
    try {
      const asked = readOcspRequest(request);
      return this.#answer(asked, await this.#authoritiesAt(now), request, now);
    } catch (error) {
      if (error instanceof MtlsError) return refused(error.code === 'OCSP_REQUEST_MALFORMED' ? 'malformedRequest' : 'tryLater', error);
      const problem = error instanceof Error ? error.message : String(error);
      return refused('internalError', new MtlsError('INTERNAL', { problem }, { cause: error }));
    }
  }

  #answer(asked: OcspRequest, authorities: readonly AnsweringAuthority[], request: Uint8Array, now: Date): OcspAnswer {
    if (authorities !== this.#keptOf) this.#kept.clear();
    this.#keptOf = authorities;
    const name = createHash('sha256').update(request).digest('base64');
    const kept = this.#kept.get(name);
    if (kept?.keepable !== undefined && isFresh(kept.keepable, now)) return kept;
    const answer = answerOcsp(asked, authorities, now, this.#validity);
    this.#kept.delete(name);
    if (answer.keepable === undefined) return answer;
    if (this.#kept.size >= KEPT) this.#kept.delete(this.#kept.keys().next().value!);
    this.#kept.set(name, answer);
    return answer;
  }
}

/** Half of its time is not over, nor has a clock gone back. */
const isFresh = ({ producedAt, nextUpdate }: NonNullable<OcspAnswer['keepable']>, now: Date): boolean =>
  now >= producedAt && now.getTime() < (producedAt.getTime() + nextUpdate.getTime()) / 2;
