import { formatDuration } from '../base/duration.js';
import { describeKey, signatureDigest, signatureName } from '../pki/algorithms.js';
import { type Certificate, isSelfIssued, isSelfSigned, isSignedBy } from '../pki/certificate.js';
import { OID, oidName } from '../pki/oids.js';
import { labelOf } from '../pki/name.js';
import type { Finding, FindingCode } from './findings.js';
import { describeNames, matchesName } from './names.js';
import type { VerifyRequest } from './verify.js';

/** What is wrong with the leaf for whoever asked: purpose and name. Holds for every path. */
export function checkLeaf(request: VerifyRequest): Finding[] {
  const { leaf, purpose, name } = request;
  const findings: Finding[] = [];
  if (purpose !== undefined) findings.push(...checkPurpose(leaf, purpose, true));
  if (name !== undefined && !matchesName(leaf.subjectAltName, name)) {
    const wanted = Object.values(name)[0] as string;
    const only = 'uri' in name && leaf.subjectAltName.uri.length > 1 ? ' as the only URI' : '';
    findings.push(finding('NAME_MISMATCH', leaf, `expected ${wanted}${only}, found ${describeNames(leaf.subjectAltName)}`));
  }
  return findings;
}

/** What is wrong with a path, leaf first; `anchored` when its last certificate is a trust anchor. */
export function checkPath(path: readonly Certificate[], request: VerifyRequest, anchored: boolean): Finding[] {
  const findings: Finding[] = [];
  for (const [i, certificate] of path.entries()) {
    const issuer = path[i + 1];
    const isAnchor = anchored && issuer === undefined;
    findings.push(...checkDates(certificate, request.at), ...checkKey(certificate, request), ...checkCritical(certificate));
    if (issuer !== undefined) findings.push(...checkSignature(certificate, issuer, request));
    else if (isAnchor && isSelfIssued(certificate)) findings.push(...checkOwnSignature(certificate));
    if (i > 0) findings.push(...checkAuthority(path, i, request));
  }
  return findings;
}

/** Both ends are inclusive (RFC 5280 §4.1.2.5). */
function checkDates(certificate: Certificate, at: Date): Finding[] {
  const { notBefore, notAfter } = certificate;
  const now = Math.floor(at.getTime() / 1000) * 1000;
  if (now > notAfter) {
    const message = `ended ${iso(notAfter)}, ${formatDuration(now - notAfter)} before ${iso(now)}`;
    return [finding('CERT_EXPIRED', certificate, message)];
  }
  if (now < notBefore) {
    const message = `begins ${iso(notBefore)}, ${formatDuration(notBefore - now)} after ${iso(now)}`;
    return [finding('CERT_NOT_YET_VALID', certificate, message)];
  }
  return [];
}

function checkKey(certificate: Certificate, { minRsaBits = 2048 }: VerifyRequest): Finding[] {
  const { type, bits, curve } = certificate.publicKey;
  const weak = (expected: string): Finding[] => [
    finding('WEAK_KEY', certificate, `expected ${expected}, found ${describeKey(certificate.publicKey)}`),
  ];
  if (type === 'RSA' && bits < minRsaBits) return weak(`RSA of at least ${minRsaBits} bits`);
  // a curve that is spelled out may have any generator, whatever its field (CVE-2020-0601)
  if (type === 'EC' && (curve === undefined || bits < 224 || bits > 521)) return weak('a named curve of 224 to 521 bits');
  return type === 'DSA' || type === 'unknown' ? weak('an RSA, EC or EdDSA key') : [];
}

function checkSignature(certificate: Certificate, issuer: Certificate, { allowSha1 = false }: VerifyRequest): Finding[] {
  const algorithm = certificate.signatureAlgorithm;
  if (!algorithm.der.equals(certificate.innerAlgorithm.der)) {
    const message = `${signatureName(certificate.innerAlgorithm)} inside, ${signatureName(algorithm)} outside`;
    return [finding('ALGORITHM_MISMATCH', certificate, message)];
  }
  if (isWeakDigest(signatureDigest(algorithm), allowSha1))
    return [finding('WEAK_SIGNATURE', certificate, `signed by ${signatureName(algorithm)}, expected SHA-256 or better`)];
  switch (isSignedBy(certificate, issuer)) {
    case 'invalid':
      return [finding('SIGNATURE_INVALID', certificate, `not signed by the key of ${labelOf(issuer.subject)}`)];
    case 'unsupported': {
      const message = `${signatureName(algorithm)} with a key ${describeKey(issuer.publicKey)} is not supported`;
      return [finding('SIGNATURE_UNSUPPORTED', certificate, message)];
    }
    case 'valid':
      return [];
  }
}

/** Is a digest too weak to rest on? */
export function isWeakDigest(digest: string | null | undefined, allowSha1: boolean): boolean {
  return digest === 'md5' || (digest === 'sha1' && !allowSha1);
}

/** A self-issued anchor that its own key did not sign is no anchor that anybody made on purpose. */
function checkOwnSignature(anchor: Certificate): Finding[] {
  const selfNamed = anchor.authorityKeyId === undefined || anchor.authorityKeyId === anchor.subjectKeyId;
  if (!selfNamed || isSelfSigned(anchor) || isSignedBy(anchor, anchor) === 'unsupported') return [];
  return [finding('SIGNATURE_INVALID', anchor, 'a self-issued trust anchor that its own key did not sign')];
}

/** What must hold of every certificate that issued the one before it in the path. */
function checkAuthority(path: readonly Certificate[], index: number, { purpose }: VerifyRequest): Finding[] {
  const ca = path[index]!;
  const findings: Finding[] = [];
  if (ca.basicConstraints?.ca !== true) {
    const found = ca.basicConstraints === undefined ? `no basic constraints (version ${ca.version})` : 'CA:FALSE';
    findings.push(finding('NOT_A_CA', ca, `expected CA:TRUE, found ${found}`));
  }
  if (ca.keyUsage !== undefined && !ca.keyUsage.includes('keyCertSign'))
    findings.push(finding('KEY_CERT_SIGN_MISSING', ca, `expected keyCertSign, found ${ca.keyUsage.join(', ') || 'none'}`));
  // self-issued certificates do not count, nor does the leaf (RFC 5280 §4.2.1.9)
  const below = path.slice(1, index).filter((certificate) => !isSelfIssued(certificate)).length;
  const limit = ca.basicConstraints?.pathLength;
  if (limit !== undefined && below > limit)
    findings.push(finding('PATH_LENGTH_EXCEEDED', ca, `allows ${limit} CAs below it, found ${below}`));
  if (purpose !== undefined) findings.push(...checkPurpose(ca, purpose, false));
  return findings;
}

const PURPOSES = { server: OID.serverAuth, client: OID.clientAuth } as const;
/** Key usages that let a key take part in a handshake of TLS 1.2 or 1.3. */
const HANDSHAKE_USAGES = {
  server: ['digitalSignature', 'keyEncipherment', 'keyAgreement'],
  client: ['digitalSignature', 'keyAgreement'],
} as const;

function checkPurpose(certificate: Certificate, purpose: 'server' | 'client', isLeaf: boolean): Finding[] {
  const findings: Finding[] = [];
  const { extendedKeyUsage: purposes, keyUsage } = certificate;
  if (purposes !== undefined && !purposes.includes(PURPOSES[purpose]) && !purposes.includes(OID.anyExtendedKeyUsage)) {
    const message = `expected ${oidName(PURPOSES[purpose])}, found ${purposes.map(oidName).join(', ')}`;
    findings.push(finding('EXTENDED_KEY_USAGE', certificate, message));
  }
  if (isLeaf && keyUsage !== undefined && !HANDSHAKE_USAGES[purpose].some((usage) => keyUsage.includes(usage))) {
    const message = `expected ${HANDSHAKE_USAGES[purpose].join(' or ')}, found ${keyUsage.join(', ') || 'none'}`;
    findings.push(finding('KEY_USAGE', certificate, message));
  }
  return findings;
}

/** The extensions that this validator understands and applies; any other refuses when critical (RFC 5280 §4.2). */
const UNDERSTOOD: ReadonlySet<string> = new Set([
  OID.basicConstraints,
  OID.keyUsage,
  OID.extendedKeyUsage,
  OID.subjectAltName,
  OID.subjectKeyIdentifier,
  OID.authorityKeyIdentifier,
  OID.crlDistributionPoints,
]);

function checkCritical(certificate: Certificate): Finding[] {
  const unknown = certificate.extensions.filter(({ oid, critical }) => !UNDERSTOOD.has(oid) && (critical || oid === OID.nameConstraints));
  return unknown.map(({ oid }) => finding('CRITICAL_EXTENSION_UNSUPPORTED', certificate, `${oidName(oid)} is not supported: refused`));
}

const finding = (code: FindingCode, certificate: Certificate, message: string): Finding => {
  const subject = labelOf(certificate.subject);
  return { code, message: `${subject}: ${message}`, subject };
};

const iso = (milliseconds: number): string => new Date(milliseconds).toISOString().replace('.000', '');
