import { createHash } from 'node:crypto';
import { formatDuration } from '../base/duration.js';
import { signatureDigest, verifySignature } from '../pki/algorithms.js';
import { type IssuerHashes, isOfIssuer, issuerHashes } from '../pki/cert-id.js';
import { type Certificate, isSignedBy } from '../pki/certificate.js';
import { isSameName, labelOf } from '../pki/name.js';
import type { OcspResponse, SingleResponse } from '../pki/ocsp.js';
import { OID, oidName } from '../pki/oids.js';
import type { VerifyRequest } from './request.js';
import { checkDates } from './rules/dates.js';
import { checkExtensions } from './rules/extensions.js';
import { checkKey } from './rules/keys.js';
import { iso } from './rules/rule.js';
import { isWeakDigest } from './rules/signature.js';
import { costOf } from './signatures.js';
import { Work, WorkExceeded } from './work.js';

/** What the responses at hand say of a certificate; `unusable` with the reason why one that is about it does not count. */
export interface OcspAnswer {
  readonly status: 'good' | 'revoked' | 'unusable';
  readonly message: string;
}

interface Answer {
  readonly response: OcspResponse;
  readonly single: SingleResponse;
}

/** What one response says of a certificate of `issuer`, by itself; undefined: it is not about that one. */
export function ocspAnswer(response: OcspResponse, certificate: Certificate, issuer: Certificate, at: Date): OcspAnswer | undefined {
  const request = { leaf: certificate, intermediates: [], roots: [issuer], crls: [], ocsp: [response], at };
  try {
    return new OcspAnswers(request, new Work(), () => false).ask(certificate, [issuer]);
  } catch (error) {
    if (!(error instanceof WorkExceeded)) throw error;
    return { status: 'unusable', message: 'the OCSP response costs more work than a verdict may' };
  }
}

/** OCSP responses given with a request (RFC 6960 §3.2, §4.2.2). What is found out about one is remembered for the next path. */
export class OcspAnswers {
  readonly #request: VerifyRequest;
  readonly #work: Work;
  readonly #isRevoked: (path: readonly Certificate[]) => boolean;
  /** By the serial number that they are about. */
  readonly #bySerial = new Map<string, Answer[]>();
  readonly #faults = new Map<OcspResponse, Map<Certificate, string | undefined>>();

  /** `isRevoked` asks the CRLs at hand about the first of a path. */
  constructor(request: VerifyRequest, work: Work, isRevoked: (path: readonly Certificate[]) => boolean) {
    this.#request = request;
    this.#work = work;
    this.#isRevoked = isRevoked;
    for (const response of request.ocsp ?? []) {
      for (const single of response.responses) {
        const known = this.#bySerial.get(single.certId.serial);
        if (known === undefined) this.#bySerial.set(single.certId.serial, [{ response, single }]);
        else known.push({ response, single });
      }
    }
  }

  /** undefined: none of the responses is about this certificate, which the first of `above` issued. */
  ask(certificate: Certificate, above: readonly Certificate[]): OcspAnswer | undefined {
    const issuer = above[0]!;
    let answer: OcspAnswer | undefined;
    const isIssuer = issuerTest(certificate, issuer);
    for (const { response, single } of this.#bySerial.get(certificate.serial) ?? []) {
      this.#work.spend(1 / 50);
      if (!isIssuer(single)) continue;
      const fault = this.#faultOf(response, above) ?? this.#singleFault(single);
      const found = fault === undefined ? statusOf(single) : ({ status: 'unusable', message: `the OCSP response ${fault}` } as const);
      if (found.status === 'revoked') return found;
      if (answer === undefined || found.status === 'good') answer = found;
    }
    return answer;
  }

  /** Why nothing in a response can be relied on; undefined when what it holds can, each for itself. */
  #faultOf(response: OcspResponse, above: readonly Certificate[]): string | undefined {
    const issuer = above[0]!;
    let byIssuer = this.#faults.get(response);
    if (byIssuer === undefined) this.#faults.set(response, (byIssuer = new Map()));
    if (!byIssuer.has(issuer)) byIssuer.set(issuer, this.#responseFault(response, above));
    return byIssuer.get(issuer);
  }

  #responseFault(response: OcspResponse, above: readonly Certificate[]): string | undefined {
    const critical = response.extensions.find((extension) => extension.critical);
    if (critical !== undefined) return `has the critical extension ${oidName(critical.oid)}, which is not supported`;
    if (isWeakDigest(signatureDigest(response.signatureAlgorithm), this.#request.allowSha1 ?? false)) return 'has a weak signature';
    const signer = this.#signerOf(response, above);
    if (typeof signer === 'string') return signer;
    this.#work.spend(costOf(signer.publicKey));
    const signed = verifySignature(response.signatureAlgorithm, response.tbs, response.signature, signer.publicKey);
    return signed === 'valid' ? undefined : `is not signed by the key of ${labelOf(signer.subject)}`;
  }

  #singleFault({ thisUpdate, nextUpdate, extensions }: SingleResponse): string | undefined {
    const now = Math.floor(this.#request.at.getTime() / 1000) * 1000;
    const critical = extensions.find((extension) => extension.critical);
    if (critical !== undefined) return `has the critical extension ${oidName(critical.oid)}, which is not supported`;
    if (now < thisUpdate) return `begins ${iso(thisUpdate)}, ${formatDuration(thisUpdate - now)} after ${iso(now)}`;
    if (nextUpdate === undefined) return 'has no nextUpdate, nobody can tell whether it is in force';
    return now > nextUpdate ? `ended ${iso(nextUpdate)}, ${formatDuration(now - nextUpdate)} before ${iso(now)}` : undefined;
  }

  /** The issuer itself, or whom it delegated to: issued by it directly, for OCSP signing, in force (RFC 6960 §4.2.2.2). */
  #signerOf(response: OcspResponse, above: readonly Certificate[]): Certificate | string {
    const issuer = above[0]!;
    if (isResponder(response, issuer)) return issuer;
    this.#work.spend(response.certificates.length / 10);
    let fault: string | undefined;
    for (const delegate of response.certificates.filter((certificate) => isResponder(response, certificate))) {
      const found = this.#delegateFault(delegate, issuer);
      if (found === undefined && !this.#isRevoked([delegate, ...above])) return delegate;
      fault ??= found ?? `is by ${labelOf(delegate.subject)}, which is revoked`;
    }
    return fault ?? 'names a responder whose certificate it does not bring';
  }

  #delegateFault(delegate: Certificate, issuer: Certificate): string | undefined {
    const name = labelOf(delegate.subject);
    if (!isSameName(delegate.issuer, issuer.subject)) return `is by ${name}, whom ${labelOf(issuer.subject)} did not delegate`;
    if (delegate.extendedKeyUsage?.includes(OID.ocspSigning) !== true) return `is by ${name}, which is not for ocspSigning`;
    if (delegate.keyUsage !== undefined && !delegate.keyUsage.includes('digitalSignature')) return `is by ${name}, whose key may not sign`;
    const [fault] = checkExtensions(delegate, 0);
    if (fault !== undefined) return `is by ${fault.message}`;
    if (checkDates(delegate, 0, this.#request).length > 0) return `is by ${name}, which is not in force`;
    if (checkKey(delegate, 0, this.#request).length > 0) return `is by ${name}, whose key is too weak`;
    if (isWeakDigest(signatureDigest(delegate.signatureAlgorithm), this.#request.allowSha1 ?? false))
      return `is by ${name}, which is weakly signed`;
    this.#work.spend(costOf(issuer.publicKey));
    return isSignedBy(delegate, issuer) === 'valid' ? undefined : `is by ${name}, whom ${labelOf(issuer.subject)} did not sign`;
  }
}

/** Is the certificate's issuer the one that a response names, by hashes of its name and key (RFC 6960 §4.1.1)? */
function issuerTest(certificate: Certificate, issuer: Certificate): (single: SingleResponse) => boolean {
  const known = new Map<string, IssuerHashes | undefined>();
  return ({ certId }) => {
    if (!known.has(certId.hash)) known.set(certId.hash, issuerHashes(certId.hash, certificate.issuer, issuer.publicKey));
    return isOfIssuer(certId, known.get(certId.hash));
  };
}

function isResponder({ responder }: OcspResponse, certificate: Certificate): boolean {
  if ('name' in responder) return isSameName(responder.name, certificate.subject);
  return createHash('sha1').update(certificate.publicKey.key).digest().equals(responder.keyHash);
}

function statusOf({ status, revokedAt, reason, thisUpdate }: SingleResponse): OcspAnswer {
  const of = `by the OCSP response of ${iso(thisUpdate)}`;
  if (status === 'revoked') return { status, message: `revoked ${iso(revokedAt ?? thisUpdate)} (${reason ?? 'unspecified'}), ${of}` };
  return status === 'good' ? { status, message: of } : { status: 'unusable', message: 'the OCSP responder does not know the certificate' };
}
