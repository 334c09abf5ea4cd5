import { formatDuration } from '../base/duration.js';
import { isError } from '../errors.js';
import { verifySignature } from '../pki/algorithms.js';
import type { Certificate } from '../pki/certificate.js';
import { type Crl, revokedEntries } from '../pki/crl.js';
import { isSameName, labelOf } from '../pki/name.js';
import { OID, oidName } from '../pki/oids.js';
import { scopeOf } from './crl-scope.js';
import type { FindingCode } from './findings.js';
import type { VerifyRequest } from './request.js';
import { iso } from './rules/rule.js';
import { algorithmFault } from './rules/signature.js';

/** Why a CRL cannot be relied on. */
export interface CrlFault {
  readonly code: FindingCode;
  readonly message: string;
}

/** Is this CRL, by its names, one of that CA? */
export function isCrlOf(crl: Crl, ca: Certificate): boolean {
  if (!isSameName(crl.issuer, ca.subject)) return false;
  return crl.authorityKeyId === undefined || ca.subjectKeyId === undefined || crl.authorityKeyId === ca.subjectKeyId;
}

const UNDERSTOOD: ReadonlySet<string> = new Set([
  OID.crlNumber,
  OID.authorityKeyIdentifier,
  OID.issuingDistributionPoint,
  OID.deltaCrlIndicator,
]);

/** Why a CRL signed by `signer` cannot be relied on at that time; undefined when it can, within its scope. */
export function crlFault(crl: Crl, signer: Certificate, request: Pick<VerifyRequest, 'at' | 'allowSha1'>): CrlFault | undefined {
  return formFault(crl) ?? signatureFault(crl, signer, request) ?? timeFault(crl, request.at);
}

/** What a CRL must not be, whoever signed it: of a kind that is not supported, or not understood (RFC 5280 §5.2, §5.3). */
function formFault(crl: Crl): CrlFault | undefined {
  const refuse = (what: string): CrlFault => ({ code: 'CRL_UNSUPPORTED', message: `${what}: refused` });
  const unknown = crl.extensions.find(({ oid, critical }) => critical && !UNDERSTOOD.has(oid));
  if (unknown !== undefined) return refuse(`a CRL with ${oidName(unknown.oid)} is not supported`);
  const scope = scopeOf(crl);
  if (scope === 'malformed') return { code: 'CRL_MALFORMED', message: 'the CRL has a malformed issuingDistributionPoint' };
  if (scope?.indirectCrl === true) return refuse('indirect CRLs are not supported');
  if (crl.nextUpdate === undefined) return refuse('the CRL has no nextUpdate, nobody can tell whether it is in force');
  return undefined;
}

/** What hangs on the bytes alone is found out once: many certificates are asked about by one CRL, and it may have a million entries. */
const signatures = new WeakMap<Crl, WeakMap<Certificate, ReturnType<typeof verifySignature>>>();
const criticalEntries = new WeakMap<Crl, { readonly fault: CrlFault | undefined }>();

function signedBy(crl: Crl, signer: Certificate): ReturnType<typeof verifySignature> {
  let bySigner = signatures.get(crl);
  if (bySigner === undefined) signatures.set(crl, (bySigner = new WeakMap()));
  let checked = bySigner.get(signer);
  if (checked === undefined)
    bySigner.set(signer, (checked = verifySignature(crl.signatureAlgorithm, crl.tbs, crl.signature, signer.publicKey)));
  return checked;
}

function signatureFault(crl: Crl, signer: Certificate, request: Pick<VerifyRequest, 'allowSha1'>): CrlFault | undefined {
  const name = labelOf(signer.subject);
  if (signer.keyUsage !== undefined && !signer.keyUsage.includes('cRLSign'))
    return {
      code: 'CRL_SIGN_MISSING',
      message: `${name} may not sign CRLs: expected cRLSign, found ${signer.keyUsage.join(', ') || 'none'}`,
    };
  const fault = algorithmFault(crl, request);
  if (fault !== undefined) return { code: 'CRL_SIGNATURE_INVALID', message: `the CRL: ${fault.message}` };
  if (signedBy(crl, signer) !== 'valid') return { code: 'CRL_SIGNATURE_INVALID', message: `the CRL is not signed by the key of ${name}` };
  return undefined;
}

function timeFault({ thisUpdate, nextUpdate }: Crl, at: Date): CrlFault | undefined {
  const now = Math.floor(at.getTime() / 1000) * 1000;
  if (now < thisUpdate)
    return {
      code: 'CRL_NOT_YET_VALID',
      message: `the CRL begins ${iso(thisUpdate)}, ${formatDuration(thisUpdate - now)} after ${iso(now)}`,
    };
  if (nextUpdate !== undefined && now > nextUpdate)
    return { code: 'CRL_EXPIRED', message: `the CRL ended ${iso(nextUpdate)}, ${formatDuration(now - nextUpdate)} before ${iso(now)}` };
  return undefined;
}

const TRUE = Buffer.from([0x01, 0x01, 0xff]);

/**
 * Has an entry an extension that is critical? None of these is supported (certificateIssuer makes a CRL indirect), and
 * then nothing the CRL says can be relied on (RFC 5280 §5.3). Without the octets of TRUE nothing needs to be decoded.
 */
export function criticalEntryFault(crl: Crl): CrlFault | undefined {
  let found = criticalEntries.get(crl);
  if (found === undefined) criticalEntries.set(crl, (found = { fault: findCriticalEntry(crl) }));
  return found.fault;
}

function findCriticalEntry(crl: Crl): CrlFault | undefined {
  if (!crl.revoked.includes(TRUE)) return undefined;
  try {
    for (const { extensions } of revokedEntries(crl)) {
      const critical = extensions.find((extension) => extension.critical);
      if (critical !== undefined)
        return {
          code: 'CRL_UNSUPPORTED',
          message: `a CRL with entries that have a critical ${oidName(critical.oid)} is not supported: refused`,
        };
    }
    return undefined;
  } catch (error) {
    if (!isError(error, 'CRL_MALFORMED')) throw error;
    return { code: 'CRL_MALFORMED', message: `the CRL: ${error.message}` };
  }
}

/** What a delta CRL is good for: it may say that something is revoked, never that it is not. */
export const DELTA_FAULT: CrlFault = {
  code: 'CRL_UNSUPPORTED',
  message: 'delta CRLs are not supported: refused without a complete one',
};
