import { formatDuration } from '../base/duration.js';
import { isError } from '../errors.js';
import { signatureDigest, signatureName, verifySignature } from '../pki/algorithms.js';
import type { Certificate } from '../pki/certificate.js';
import { type Crl, findRevoked } from '../pki/crl.js';
import { labelOf } from '../pki/name.js';
import { OID, oidName } from '../pki/oids.js';
import type { Finding, FindingCode } from './findings.js';
import { isWeakDigest } from './rules.js';
import type { VerifyRequest } from './verify.js';

/** Each certificate below the anchor against the CRLs at hand; nothing when none were given (RFC 5280 §6.3). */
export function checkRevocation(path: readonly Certificate[], request: VerifyRequest): Finding[] {
  if (request.crls.length === 0) return [];
  return path.slice(0, -1).flatMap((certificate, i) => checkCertificate(certificate, path[i + 1]!, request));
}

function checkCertificate(certificate: Certificate, issuer: Certificate, request: VerifyRequest): Finding[] {
  const subject = labelOf(certificate.subject);
  const say = (code: FindingCode, message: string): Finding => ({ code, message: `${subject}: ${message}`, subject });
  const ofIssuer = request.crls.filter((crl) => isCrlOf(crl, issuer));
  if (ofIssuer.length === 0) return [say('CRL_NOT_FOUND', `no CRL of ${labelOf(issuer.subject)} at hand`)];
  let problem: Finding | undefined;
  let inForce = false;
  for (const crl of ofIssuer) {
    const fault = crlFault(crl, issuer, request);
    if (fault !== undefined) {
      problem ??= say(fault.code, fault.message);
      continue;
    }
    inForce = true;
    try {
      const entry = findRevoked(crl, certificate.serial);
      if (entry === undefined) continue;
      const message = `revoked ${iso(entry.date)} (${entry.reason ?? 'unspecified'}), by the CRL of ${iso(crl.thisUpdate)}`;
      return [say('CERT_REVOKED', message)];
    } catch (error) {
      // entries are read when they are walked; whatever a list that is torn says no more, it may have said of this one
      if (!isError(error, 'CRL_MALFORMED')) throw error;
      return [say('CRL_MALFORMED', `the CRL of ${labelOf(issuer.subject)}: ${error.message}`)];
    }
  }
  return inForce || problem === undefined ? [] : [problem];
}

/** Is this CRL, by its names, one of that CA? */
export function isCrlOf(crl: Crl, ca: Certificate): boolean {
  if (!crl.issuer.der.equals(ca.subject.der)) return false;
  return crl.authorityKeyId === undefined || ca.subjectKeyId === undefined || crl.authorityKeyId === ca.subjectKeyId;
}

const UNDERSTOOD: ReadonlySet<string> = new Set([OID.crlNumber, OID.authorityKeyIdentifier]);
/** These change what a CRL means even where somebody forgot to make them critical. */
const REFUSED: ReadonlySet<string> = new Set([OID.deltaCrlIndicator, OID.issuingDistributionPoint]);

/** Why a CRL of `issuer` cannot be relied on at that time; undefined when it can. */
export function crlFault(
  crl: Crl,
  issuer: Certificate,
  { at, allowSha1 = false }: Pick<VerifyRequest, 'at' | 'allowSha1'>,
): { readonly code: FindingCode; readonly message: string } | undefined {
  const now = at.getTime();
  const unsupported = crl.extensions.find(({ oid, critical }) => REFUSED.has(oid) || (critical && !UNDERSTOOD.has(oid)));
  if (unsupported !== undefined)
    return { code: 'CRL_UNSUPPORTED', message: `a CRL with ${oidName(unsupported.oid)} is not supported: refused` };
  if (issuer.keyUsage !== undefined && !issuer.keyUsage.includes('cRLSign'))
    return {
      code: 'CRL_SIGN_MISSING',
      message: `${labelOf(issuer.subject)} may not sign CRLs: expected cRLSign, found ${issuer.keyUsage.join(', ') || 'none'}`,
    };
  if (!crl.signatureAlgorithm.der.equals(crl.innerAlgorithm.der) || isWeakDigest(signatureDigest(crl.signatureAlgorithm), allowSha1))
    return { code: 'CRL_SIGNATURE_INVALID', message: `the CRL is signed by ${signatureName(crl.signatureAlgorithm)}` };
  if (verifySignature(crl.signatureAlgorithm, crl.tbs, crl.signature, issuer.publicKey) !== 'valid')
    return { code: 'CRL_SIGNATURE_INVALID', message: `the CRL is not signed by the key of ${labelOf(issuer.subject)}` };
  if (now < crl.thisUpdate)
    return {
      code: 'CRL_NOT_YET_VALID',
      message: `the CRL begins ${iso(crl.thisUpdate)}, ${formatDuration(crl.thisUpdate - now)} after ${iso(now)}`,
    };
  if (crl.nextUpdate === undefined)
    return { code: 'CRL_UNSUPPORTED', message: 'the CRL has no nextUpdate: nobody can tell whether it is in force' };
  if (now > crl.nextUpdate)
    return {
      code: 'CRL_EXPIRED',
      message: `the CRL ended ${iso(crl.nextUpdate)}, ${formatDuration(now - crl.nextUpdate)} before ${iso(now)}`,
    };
  return undefined;
}

const iso = (milliseconds: number): string => new Date(milliseconds).toISOString().replace(/\.\d{3}/, '');
