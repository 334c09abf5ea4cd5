import { describeKey, signatureDigest, signatureName } from '../../pki/algorithms.js';
import { type Certificate, isSelfIssued } from '../../pki/certificate.js';
import { isSameName, labelOf } from '../../pki/name.js';
import type { Finding } from '../findings.js';
import type { VerifyRequest } from '../request.js';
import { signatureOf } from '../signatures.js';
import type { Work } from '../work.js';
import { type Rule, all, finding } from './rule.js';

export const signature: Rule = {
  id: 'signature',
  title: 'signed by its issuer',
  source: 'RFC 5280 §6.1.3 (a)(1), §4.1.1.2',
  concerns: (path) => (path.anchored ? all(path) : all(path).slice(0, -1)),
  check: ({ certificates, anchored }, request, work) =>
    certificates.flatMap((certificate, at) => {
      const issuer = certificates[at + 1];
      if (issuer !== undefined) return checkSignature(certificate, issuer, at, request, work);
      return anchored ? checkAnchor(certificate, at, request, work) : [];
    }),
};

function checkSignature(certificate: Certificate, issuer: Certificate, at: number, request: VerifyRequest, work: Work): Finding[] {
  const algorithm = certificate.signatureAlgorithm;
  const fault = algorithmFault(certificate, request);
  if (fault !== undefined) return [finding(fault.code, certificate, at, fault.message)];
  switch (signatureOf(certificate, issuer, work)) {
    case 'invalid':
      return [finding('SIGNATURE_INVALID', certificate, at, `not signed by the key of ${labelOf(issuer.subject)}`)];
    case 'unsupported': {
      const message = `${signatureName(algorithm)} with a key ${describeKey(issuer.publicKey)} is not supported`;
      return [finding('SIGNATURE_UNSUPPORTED', certificate, at, message)];
    }
    case 'valid':
      return [];
  }
}

/** What is wrong with how something says that it is signed, whoever signed it. */
export function algorithmFault(
  signed: Pick<Certificate, 'signatureAlgorithm' | 'innerAlgorithm'>,
  { allowSha1 = false }: Pick<VerifyRequest, 'allowSha1'>,
): { readonly code: 'ALGORITHM_MISMATCH' | 'WEAK_SIGNATURE'; readonly message: string } | undefined {
  const { signatureAlgorithm: outer, innerAlgorithm: inner } = signed;
  if (!outer.der.equals(inner.der))
    return { code: 'ALGORITHM_MISMATCH', message: `${signatureName(inner)} inside, ${signatureName(outer)} outside` };
  if (isWeakDigest(signatureDigest(outer), allowSha1))
    return { code: 'WEAK_SIGNATURE', message: `signed by ${signatureName(outer)}, expected SHA-256 or better` };
  return undefined;
}

/** Is a digest too weak to rest on? */
export function isWeakDigest(digest: string | null | undefined, allowSha1: boolean): boolean {
  return digest === 'md5' || (digest === 'sha1' && !allowSha1);
}

/**
 * An anchor is believed, but not when it was torn on its way here: one that names itself as its issuer, or its own key as the
 * one that signed it, was signed by that key, or by the CA's other one that is at hand (a key rolled over, RFC 4210 §4.4).
 */
function checkAnchor(anchor: Certificate, at: number, request: VerifyRequest, work: Work): Finding[] {
  const { signatureAlgorithm: outer, innerAlgorithm: inner, authorityKeyId, subjectKeyId } = anchor;
  if (!outer.der.equals(inner.der))
    return [finding('ALGORITHM_MISMATCH', anchor, at, `${signatureName(inner)} inside, ${signatureName(outer)} outside`)];
  const ownKey = authorityKeyId !== undefined && authorityKeyId === subjectKeyId;
  if (!ownKey && !isSelfIssued(anchor)) return [];
  if (signatureOf(anchor, anchor, work) !== 'invalid') return [];
  const others = ownKey || authorityKeyId === undefined ? [] : [...request.roots, ...request.intermediates];
  const isOther = (other: Certificate): boolean => other !== anchor && isSameName(other.subject, anchor.issuer);
  if (others.some((other) => isOther(other) && signatureOf(anchor, other, work) === 'valid')) return [];
  return [finding('SIGNATURE_INVALID', anchor, at, 'a self-issued trust anchor that its own key did not sign')];
}
